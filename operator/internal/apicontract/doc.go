// Package apicontract holds the tests of the API on a real API server: what people and other
// programs write today is accepted and comes back whole, and what we write leaves the fields alone
// that we do not know.
package apicontract

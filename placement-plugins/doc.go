// Package plugins stands for the strategies of this module. Each strategy is a pure package
// (annotation, capacity, defaultconfig, fit, labels, search, single, spread) and a program in cmd that
// serves it as a plugin (placement-annotation and so on). To see how one is built, open
// spread/spread.go, and then cmd/placement-spread/main.go.
//
// This package itself is empty; its tests run the programs.
package plugins

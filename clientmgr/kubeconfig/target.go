package kubeconfig

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"time"
)

// Target is how one cluster is reached, and as whom: a value made of inert parts.
type Target struct {
	// Server is the address: scheme, host and, where the kubeconfig has one, a path without a trailing
	// slash.
	Server url.URL
	// ServerName is the name in the server's certificate, "" for the host of Server (tls-server-name).
	ServerName string
	// CA is the bundle that the server's certificate is verified with, in PEM; empty for the system's
	// own.
	CA []byte
	// Certificate is the client certificate, in PEM; empty for none.
	Certificate []byte
	// Key is the key of Certificate, in PEM; both or neither are there.
	Key Secret
	// Token is the bearer token, zero for none.
	Token Secret
	// Username is for basic authentication, "" for none.
	Username string
	// Password belongs to Username.
	Password Secret
	// Proxy is the proxy that leads to Server, nil for none. The process environment never decides.
	Proxy *url.URL
	// Insecure says that the server is not verified. Only with Options.AllowInsecure.
	Insecure bool

	caTimes, certificateTimes []times   // of each certificate of CA, of the first of Certificate
	tokenUntil                time.Time // zero where Token does not say
}

// NotAfter is when the credential ends: the earlier of the client certificate's end and of the
// token's claim exp, which nobody has verified. It is zero where neither is known, and for a Target
// that Parse did not make.
func (t Target) NotAfter() time.Time {
	end := t.tokenUntil
	for _, each := range t.certificateTimes {
		end = earliest(end, each.until)
	}
	return end
}

// Equal reports whether two targets are the same in every respect.
func (t Target) Equal(o Target) bool {
	return t.SameEndpoint(o) && t.Token.Equal(o.Token) && t.Username == o.Username && t.Password.Equal(o.Password)
}

// SameEndpoint reports whether two targets can share a connection: they differ at most in the
// credential that goes with each request (token, or user name and password).
func (t Target) SameEndpoint(o Target) bool {
	return t.SameServer(o) && bytes.Equal(t.Certificate, o.Certificate) && t.Key.Equal(o.Key)
}

// SameServer reports whether two targets lead to the same address, verified in the same way.
func (t Target) SameServer(o Target) bool {
	return t.Server == o.Server && t.ServerName == o.ServerName && t.Insecure == o.Insecure && bytes.Equal(t.CA, o.CA) &&
		proxyOf(t) == proxyOf(o)
}

func proxyOf(t Target) string {
	if t.Proxy == nil {
		return ""
	}
	return t.Proxy.String()
}

// String tells which parts are there, without any of their values.
func (t Target) String() string {
	var parts []string
	for _, part := range []struct {
		name  string
		there bool
	}{
		{"server", t.Server.Host != ""},
		{"tls-server-name", t.ServerName != ""},
		{"certificate-authority-data", len(t.CA) > 0},
		{"client-certificate-data", len(t.Certificate) > 0},
		{"token", !t.Token.IsZero()},
		{"password", !t.Password.IsZero()},
		{"proxy-url", t.Proxy != nil},
		{"insecure-skip-tls-verify", t.Insecure},
	} {
		if part.there {
			parts = append(parts, part.name)
		}
	}
	return "kubeconfig.Target{" + strings.Join(parts, ", ") + "}"
}

// Format prints String whatever the verb, so that %+v and %#v show no secret either.
func (t Target) Format(f fmt.State, _ rune) { _, _ = fmt.Fprint(f, t.String()) }

// MarshalText returns String. JSON and YAML have that, and cannot be read back.
func (t Target) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// LogValue implements slog.LogValuer.
func (t Target) LogValue() slog.Value { return slog.StringValue(t.String()) }

package kubeconfig_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"testing"

	goyaml "go.yaml.in/yaml/v3"
	"sigs.k8s.io/yaml"

	"github.com/vitistack/kubevirt-multicluster/clientmgr/kubeconfig"
)

// printed returns a value in each way in which programs print or marshal values.
func printed(t *testing.T, value any) map[string]string {
	t.Helper()
	shown := map[string]string{}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		shown[verb] = fmt.Sprintf(verb, value)
	}
	for name, marshal := range map[string]func(any) ([]byte, error){
		"json": json.Marshal, "yaml": yaml.Marshal, "yaml/v3": goyaml.Marshal,
	} {
		text, err := marshal(value)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		shown[name] = string(text)
	}
	var out bytes.Buffer
	slog.New(slog.NewJSONHandler(&out, nil)).Info("m", "value", value)
	slog.New(slog.NewTextHandler(&out, nil)).Info("m", "value", value)
	shown["slog"] = out.String()
	shown["error"] = fmt.Errorf("dialling: %v", value).Error()
	return shown
}

func TestSecretsAreNotPrinted(t *testing.T) {
	hidden := kubeconfig.NewSecret(secret)
	target := kubeconfig.Target{
		Server: url.URL{Scheme: "https", Host: secret}, ServerName: secret, CA: []byte(secret),
		Certificate: []byte(secret), Key: hidden, Token: hidden, Username: secret, Password: hidden,
		Proxy: &url.URL{Scheme: "http", User: url.UserPassword(secret, secret), Host: secret},
	}
	cases := map[string]struct {
		reason string
		value  any
	}{
		"secret":            {"it is printed by itself", hidden},
		"pointer to it":     {"a method of a value serves its pointer", &hidden},
		"list of them":      {"printing goes through lists", []kubeconfig.Secret{hidden}},
		"exported field":    {"printing asks an exported field for its methods", struct{ S kubeconfig.Secret }{hidden}},
		"unexported field":  {"fmt prints an unexported field without asking for its methods", struct{ s kubeconfig.Secret }{hidden}},
		"target":            {"it is printed by itself", target},
		"pointer to target": {"a method of a value serves its pointer", &target},
		"map of targets":    {"printing goes through maps", map[string]kubeconfig.Target{"east": target}},
		"target in a field": {"printing asks an exported field for its methods", struct{ T kubeconfig.Target }{target}},
		"embedded target":   {"methods are promoted", struct{ kubeconfig.Target }{target}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			for way, text := range printed(t, tc.value) {
				if strings.Contains(text, secret) || strings.Contains(text, fmt.Sprintf("%x", secret)) {
					t.Errorf("%s, but %s shows it: %s", tc.reason, way, text)
				}
			}
		})
	}
}

// TestCredentialsOfHiddenTarget is about a holder whose field fmt cannot ask: the credentials stay
// hidden there too, the address does not.
func TestCredentialsOfHiddenTarget(t *testing.T) {
	hidden := kubeconfig.NewSecret(secret)
	holder := struct{ target kubeconfig.Target }{kubeconfig.Target{
		Server: url.URL{Scheme: "https", Host: "east"}, Key: hidden, Token: hidden, Username: "u", Password: hidden,
	}}
	for way, text := range printed(t, holder) {
		if strings.Contains(text, secret) || strings.Contains(text, fmt.Sprintf("%x", secret)) {
			t.Errorf("%s shows a secret: %s", way, text)
		}
	}
}

func TestSecretEqual(t *testing.T) {
	cases := map[string]struct {
		reason string
		a, b   kubeconfig.Secret
		want   bool
	}{
		"same text":      {"two readings of one file are the same", kubeconfig.NewSecret("a"), kubeconfig.NewSecret("a"), true},
		"other text":     {"a rotated token is another", kubeconfig.NewSecret("a"), kubeconfig.NewSecret("b"), false},
		"longer text":    {"a beginning is not the whole", kubeconfig.NewSecret("a"), kubeconfig.NewSecret("aa"), false},
		"zero and empty": {"no text is no secret", kubeconfig.Secret{}, kubeconfig.NewSecret(""), true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := tc.a.Equal(tc.b); got != tc.want {
				t.Errorf("%s: want %t, got %t", tc.reason, tc.want, got)
			}
		})
	}
}

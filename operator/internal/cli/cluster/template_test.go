package cluster

import (
	"strings"
	"testing"

	"k8s.io/client-go/rest"

	"github.com/vitistack/kubevirt-multicluster/clientmgr/kubeconfig"
)

func TestTemplate(t *testing.T) {
	person := rest.Config{
		Host: "https://east.example.com:6443", APIPath: "/k8s/clusters/c-1", BearerToken: "the-persons-token",
		Username:        "person",
		TLSClientConfig: rest.TLSClientConfig{ServerName: "east", CertData: []byte("the-persons-certificate")},
	}
	insecure := person
	insecure.Insecure = true
	plain := person
	plain.Host = "http://east.example.com"
	cases := map[string]struct {
		reason string
		config rest.Config
		server string
		want   string // the address, "" for a refusal
	}{
		"behind a path": {
			reason: "Some servers are behind a path.", config: person, want: "https://east.example.com:6443/k8s/clusters/c-1",
		},
		"another address": {
			reason: "The operator may reach it another way.", config: person, server: "https://10.0.0.1",
			want: "https://10.0.0.1",
		},
		"not verified": {reason: "Whoever sits on the wire could be the server.", config: insecure},
		"plain":        {reason: "A token does not travel in plain text.", config: plain},
		"no address":   {reason: "A typing error.", config: person, server: "east"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			made, err := newTemplate("east", &tc.config, tc.server)
			if (err == nil) != (tc.want != "") {
				t.Fatalf("%s %v", tc.reason, err)
			}
			if err != nil {
				return
			}
			content, err := made.with("the-operators-token")
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(content), "the-persons") || strings.Contains(string(content), "person") {
				t.Errorf("something of the person is in it:\n%s", content)
			}
			target, err := kubeconfig.Parse(content, kubeconfig.Options{})
			if err != nil || target.Token.Reveal() != "the-operators-token" || target.ServerName != "east" {
				t.Errorf("the operator reads %+v: %v", target, err)
			}
			if got := serverOf(content); got != tc.want {
				t.Errorf("%s The address is %q, want %q", tc.reason, got, tc.want)
			}
		})
	}
}

package v1alpha1_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

func ExampleParseLedger() {
	machine := &v1alpha1.Machine{}
	machine.Annotations = map[string]string{
		v1alpha1.AnnotationPlacement: `{"config":"cluster-east","namespace":"default","vmName":"vm-web","nonce":"k7m2x9"}`,
	}
	ledger, err := v1alpha1.ParseLedger(machine.Annotations[v1alpha1.AnnotationPlacement])
	if err != nil {
		fmt.Println(err)
		return
	}
	ledger.VMUID = "a2c1d7d5-55f4-46a6-8ed0-91d9d66c1f0b"
	fmt.Println(ledger.Config)
	fmt.Println(ledger)
	// Output:
	// cluster-east
	// {"config":"cluster-east","namespace":"default","vmName":"vm-web","nonce":"k7m2x9","vmUID":"a2c1d7d5-55f4-46a6-8ed0-91d9d66c1f0b"}
}

// complete is a ledger with every field.
var complete = v1alpha1.Ledger{
	Config:     "cluster-east",
	ClusterUID: "0f3d5f0e-8a55-4e6f-bb0b-b07c16c3c7a4",
	Namespace:  "default",
	VMName:     "vm-web.example",
	Nonce:      "k7m2x9",
	VMUID:      "a2c1d7d5-55f4-46a6-8ed0-91d9d66c1f0b",
}

func TestParseLedger(t *testing.T) {
	cases := map[string]struct {
		reason     string
		annotation string
		want       v1alpha1.Ledger
		wantErr    string // what the error contains, "" for none
	}{
		"complete": {
			reason:     "every field is read",
			annotation: complete.String(),
			want:       complete,
		},
		"without UIDs": {
			reason:     "an intent is recorded before the VM exists, and where kube-system may not be read",
			annotation: `{"config":"a","namespace":"b","vmName":"c","nonce":"d"}`,
			want:       v1alpha1.Ledger{Config: "a", Namespace: "b", VMName: "c", Nonce: "d"},
		},
		"spaced and reordered": {
			reason:     "people may pretty-print it",
			annotation: " {\n\"nonce\": \"d\", \"vmName\": \"c\",\t\"namespace\": \"b\", \"config\": \"a\" }\n",
			want:       v1alpha1.Ledger{Config: "a", Namespace: "b", VMName: "c", Nonce: "d"},
		},
		"empty": {reason: "no ledger is not an empty one", annotation: ``, wantErr: "not a JSON object"},
		"null": {reason: "encoding/json would take null for an empty object", annotation: `null`,
			wantErr: "not a JSON object"},
		"list":     {reason: "not an object", annotation: `[]`, wantErr: "not a JSON object"},
		"no field": {reason: "the first missing field is named", annotation: `{}`, wantErr: `field "config": missing`},
		"cut off": {reason: "half a ledger", annotation: `{"config":"a","namespace":"b"`,
			wantErr: "JSON object without an end"},
		"cut in value": {reason: "half a value", annotation: `{"config":"a`, wantErr: `field "config": not JSON`},
		"no colon":     {reason: "not JSON", annotation: `{"config" "a"}`, wantErr: `field "config": not JSON`},
		"bare key":     {reason: "not JSON", annotation: `{config:"a"}`, wantErr: "not a JSON object"},
		"two objects": {
			reason:     "encoding/json's decoder would stop after the first",
			annotation: complete.String() + complete.String(),
			wantErr:    "something follows the JSON object",
		},
		"unknown field": {
			reason:     "a later release may mean something by it that must not be ignored, or lost when it is written back",
			annotation: `{"config":"a","namespace":"b","vmName":"c","nonce":"d","epoch":"2"}`,
			wantErr:    `field "epoch": unknown`,
		},
		"other case": {
			reason:     "encoding/json would take Config for config",
			annotation: `{"Config":"a","namespace":"b","vmName":"c","nonce":"d"}`,
			wantErr:    `field "Config": unknown`,
		},
		"twice": {
			reason:     "encoding/json would take the last, other readers the first",
			annotation: `{"config":"a","namespace":"b","config":"other","vmName":"c","nonce":"d"}`,
			wantErr:    `field "config": given twice`,
		},
		"number":  {reason: "not a string", annotation: `{"nonce":7}`, wantErr: `field "nonce": not a string`},
		"nothing": {reason: "null is not a string", annotation: `{"vmUID":null}`, wantErr: `field "vmUID": not a string`},
		"object":  {reason: "not a string", annotation: `{"config":{"name":"a"}}`, wantErr: `field "config": not a string`},
		"empty name": {
			reason:     "an empty name is a missing one",
			annotation: `{"config":"a","namespace":"b","vmName":"","nonce":"d"}`,
			wantErr:    `field "vmName": missing`,
		},
		"long": {
			reason:     "an annotation may have 256 KiB",
			annotation: strings.Repeat(" ", 4097),
			wantErr:    "longer than 4096 bytes",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := v1alpha1.ParseLedger(tc.annotation)
			checkLedgerError(t, tc.reason, err, tc.wantErr)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s: -want +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestLedgerValidate(t *testing.T) {
	cases := map[string]struct {
		reason  string
		change  func(*v1alpha1.Ledger)
		wantErr string // what the error contains, "" for none
	}{
		"complete": {reason: "a ledger as the operator writes it is valid", change: func(*v1alpha1.Ledger) {}},
		"long names": {reason: "as long as Kubernetes lets them be", change: func(l *v1alpha1.Ledger) {
			l.VMName = strings.Repeat("a", 253)
		}},
		"config upper case": {reason: "no object has such a name", change: func(l *v1alpha1.Ledger) {
			l.Config = "East"
		}, wantErr: `field "config": `},
		"config path": {reason: "it ends up in URLs", change: func(l *v1alpha1.Ledger) {
			l.Config = "../x"
		}, wantErr: `field "config": `},
		"cluster UID": {reason: "a UID is one word", change: func(l *v1alpha1.Ledger) {
			l.ClusterUID = "a b"
		}, wantErr: `field "clusterUID": `},
		"namespace dotted": {reason: "namespaces are labels", change: func(l *v1alpha1.Ledger) {
			l.Namespace = "a.b"
		}, wantErr: `field "namespace": `},
		"VM name": {reason: "a name is at most 253 bytes long", change: func(l *v1alpha1.Ledger) {
			l.VMName = strings.Repeat("a", 254)
		}, wantErr: `field "vmName": `},
		"nonce": {reason: "a nonce has no line break", change: func(l *v1alpha1.Ledger) {
			l.Nonce = "a\n"
		}, wantErr: `field "nonce": `},
		"nonce too long": {reason: "a nonce is at most 128 bytes long", change: func(l *v1alpha1.Ledger) {
			l.Nonce = strings.Repeat("a", 129)
		}, wantErr: `field "nonce": `},
		"VM UID": {reason: "no control characters", change: func(l *v1alpha1.Ledger) {
			l.VMUID = "\x00"
		}, wantErr: `field "vmUID": `},
		"move": {reason: "the ID of a move is one word", change: func(l *v1alpha1.Ledger) {
			l.Move = "a b"
		}, wantErr: `field "move": `},
		"in a move": {reason: "a Machine that is being moved", change: func(l *v1alpha1.Ledger) {
			l.Move = "5c1d7d5a"
		}},
		"first of many": {
			reason:  "the order of the struct decides, so that the text is stable",
			change:  func(l *v1alpha1.Ledger) { *l = v1alpha1.Ledger{VMUID: "?"} },
			wantErr: `field "config": missing`,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			l := complete
			tc.change(&l)
			checkLedgerError(t, tc.reason, l.Validate(), tc.wantErr)
			_, err := v1alpha1.ParseLedger(l.String())
			checkLedgerError(t, tc.reason, err, tc.wantErr)
		})
	}
}

func TestLedgerErrorHidesValues(t *testing.T) {
	const secret = "Token With Spaces"
	for _, field := range []string{"config", "clusterUID", "namespace", "vmName", "nonce", "vmUID", "move"} {
		fields := map[string]string{"config": "a", "namespace": "b", "vmName": "c", "nonce": "d"}
		fields[field] = secret
		object, err := json.Marshal(fields)
		if err != nil {
			t.Fatal(err)
		}
		_, err = v1alpha1.ParseLedger(string(object))
		checkLedgerError(t, "the field is named", err, fmt.Sprintf("field %q: ", field))
		if err != nil && strings.Contains(err.Error(), secret) {
			t.Errorf("the error repeats the value: %v", err)
		}
	}
}

func FuzzParseLedger(f *testing.F) {
	f.Add(complete.String())
	f.Add(`{}`)
	f.Add(`{"config":"a","namespace":"b","vmName":"c","nonce":"d"}`)
	f.Add(`{"config":"\ud800","namespace":"b","vmName":"c","nonce":"d"}`)
	f.Add(`{"Config":"a"}{`)
	f.Fuzz(func(t *testing.T, annotation string) {
		l, err := v1alpha1.ParseLedger(annotation)
		if err != nil {
			if !errors.Is(err, v1alpha1.ErrInvalidLedger) {
				t.Fatalf("error without ErrInvalidLedger: %v", err)
			}
			if l != (v1alpha1.Ledger{}) {
				t.Fatalf("a ledger beside an error: %s", l)
			}
			return
		}
		again, err := v1alpha1.ParseLedger(l.String())
		if err != nil {
			t.Fatalf("%s does not parse: %v", l, err)
		}
		if diff := cmp.Diff(l, again); diff != "" {
			t.Fatalf("-first +second:\n%s", diff)
		}
	})
}

func checkLedgerError(t *testing.T, reason string, err error, want string) {
	t.Helper()
	switch {
	case want == "":
		if err != nil {
			t.Errorf("%s: %v", reason, err)
		}
	case err == nil:
		t.Errorf("%s: no error, want one with %q", reason, want)
	case !errors.Is(err, v1alpha1.ErrInvalidLedger) || !strings.Contains(err.Error(), want):
		t.Errorf("%s: error %q, want ErrInvalidLedger with %q", reason, err, want)
	}
}

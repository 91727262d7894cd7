package report

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"
)

// canary is what must not be found in anything that is packed.
const canary = "canary-7f3a9c"

// canaries are what it looks like as it is, and encoded.
func canaries() []string {
	return []string{canary, strings.TrimRight(base64.StdEncoding.EncodeToString([]byte(canary)), "=")[:len(canary)-1]}
}

func TestRedact(t *testing.T) {
	encoded := base64.StdEncoding.EncodeToString([]byte(canary))
	jwt := "eyJhbGciOiJSUzI1NiJ9." + base64.RawURLEncoding.EncodeToString([]byte(`{"sub":"`+canary+`"}`)) + ".c2lnbmF0dXJl"
	cases := map[string]struct{ reason, object, want string }{
		"secret": {
			reason: "Of a Secret only its name, its type and its keys are told.",
			object: "kind: Secret\napiVersion: v1\ntype: Opaque\nmetadata: {name: s, namespace: n, annotations: {a: " + canary +
				"}}\ndata: {password: " + encoded + "}\nstringData: {other: " + canary + "}",
			want: "kind: Secret\napiVersion: v1\ntype: Opaque\nmetadata: {name: s, namespace: n}\n" +
				"data: {password: REDACTED, other: REDACTED}",
		},
		"cloud-init": {
			reason: "A Machine's cloud-init is its owner's; that it names a Secret is needed to understand it.",
			object: "kind: Machine\nspec: {cloudInit: {userData: " + canary + ", userDataSecretRef: {name: init, key: user}}, " +
				"sshKeys: [" + canary + "]}",
			want: "kind: Machine\nspec: {cloudInit: {userData: REDACTED (13 bytes), " +
				"userDataSecretRef: {name: init, key: user}}, sshKeys: REDACTED (1 entries)}",
		},
		"volumes": {
			reason: "A VirtualMachine has the same documents in its volumes.",
			object: "kind: VirtualMachine\nspec: {template: {spec: {volumes: [{name: c, cloudInitNoCloud: {networkDataBase64: " +
				encoded + ", secretRef: {name: x}}}]}}}",
			want: "kind: VirtualMachine\nspec: {template: {spec: {volumes: [{name: c, cloudInitNoCloud: {networkDataBase64: " +
				"REDACTED (20 bytes), secretRef: {name: x}}}]}}}",
		},
		"copies": {
			reason: "kubectl's copy of the object has everything once more.",
			object: "metadata: {name: m, managedFields: [{a: " + canary +
				"}], annotations: {kubectl.kubernetes.io/last-applied-configuration: " + canary + ", keep: x}}",
			want: "metadata: {name: m, annotations: {keep: x}}",
		},
		"variables": {
			reason: "A variable's name says whether its value is a secret.",
			object: "env: [{name: REGISTRY_PASSWORD, value: " + canary + "}, {name: LOG_LEVEL, value: info}]",
			want:   "env: [{name: REGISTRY_PASSWORD, value: REDACTED}, {name: LOG_LEVEL, value: info}]",
		},
		"addresses": {
			reason: "An image is read with a password in its address.",
			object: "spec: {url: 'https://user:" + canary + "@images.example.com/disk.img'}",
			want:   "spec: {url: 'https://REDACTED@images.example.com/disk.img'}",
		},
		"text": {
			reason: "A token in a message is one all the same.",
			object: "message: 'refused: " + jwt + "'",
			want:   "message: 'refused: REDACTED'",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var object, want map[string]any
			if err := yaml.Unmarshal([]byte(tc.object), &object); err != nil {
				t.Fatal(err)
			}
			if err := yaml.Unmarshal([]byte(tc.want), &want); err != nil {
				t.Fatal(err)
			}
			before, _ := yaml.Marshal(object)
			if diff := cmp.Diff(want, Redact(object)); diff != "" {
				t.Errorf("%s -want +got:\n%s", tc.reason, diff)
			}
			if after, _ := yaml.Marshal(object); string(after) != string(before) {
				t.Errorf("the object was changed")
			}
		})
	}
}

func TestText(t *testing.T) {
	block := "-----BEGIN RSA PRIVATE KEY-----\n" + canary + "\n-----END RSA PRIVATE KEY-----"
	cases := map[string]struct{ reason, text, want string }{
		"plain": {reason: "Nothing is taken out of a sentence.", text: "the Secret kubevirt-configs/east is missing",
			want: "the Secret kubevirt-configs/east is missing"},
		"block":   {reason: "A key has a frame.", text: "a " + block + " b", want: "a REDACTED b"},
		"no end":  {reason: "A line that was cut has no end of the frame.", text: "a -----BEGIN X-----\n" + canary, want: "a REDACTED"},
		"header":  {reason: "A header is logged.", text: "Authorization: Bearer " + canary, want: "Authorization: Bearer REDACTED"},
		"setting": {reason: "A setting is logged.", text: `password="` + canary + `" user=x`, want: `password=REDACTED user=x`},
		"json":    {reason: "A line of JSON is logged.", text: `{"token":"` + canary + `"}`, want: `{"token":REDACTED}`},
		"base64": {reason: "A kubeconfig has its keys encoded.",
			text: "client-key: " + base64.StdEncoding.EncodeToString([]byte(block)), want: "client-key: REDACTED"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, Text(tc.text)); diff != "" {
				t.Errorf("%s -want +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// FuzzRedact: whatever else is in an object, the content of a field that is hidden is not.
func FuzzRedact(f *testing.F) {
	f.Add("userData", "spec")
	f.Add("token", "a\n")
	f.Fuzz(func(t *testing.T, name, above string) {
		if !hidden[plain(name)] {
			return
		}
		text, err := yaml.Marshal(Redact(map[string]any{above: map[string]any{name: []any{canary, map[string]any{"x": canary}}}}))
		if err != nil {
			return
		}
		for _, each := range canaries() {
			if strings.Contains(string(text), each) && !strings.Contains(name+above, each) {
				t.Errorf("%q below %q: %s", name, above, text)
			}
		}
	})
}

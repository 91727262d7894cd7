package status

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/cli/exit"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/cli/reach"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/cli/terminal"
)

func TestFilter(t *testing.T) {
	placed := web(vitistackv1alpha1.MachinePhaseRunning, condition("Ready", "True", "Ready", ""))
	lost := &vitistackv1alpha1.Machine{ObjectMeta: metav1.ObjectMeta{Namespace: "team-a", Name: "lost"}}
	cases := map[string]struct {
		reason       string
		filter       filter
		placed, lost bool
	}{
		"none":     {reason: "Without a filter all are listed.", placed: true, lost: true},
		"cluster":  {reason: "Of one cluster.", filter: filter{cluster: "east"}, placed: true},
		"no place": {reason: "Those that have no place are found too.", filter: filter{cluster: "-"}, lost: true},
		"phase":    {reason: "People write phases in small letters.", filter: filter{phase: "running"}, placed: true},
		"pending":  {reason: "A Machine that nobody has looked at is Pending.", filter: filter{phase: "Pending"}, lost: true},
		"unready":  {reason: "A Machine that says nothing is not Ready.", filter: filter{unready: true}, lost: true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := tc.filter.takes(placed); got != tc.placed {
				t.Errorf("%s It takes the one in east: %t", tc.reason, got)
			}
			if got := tc.filter.takes(lost); got != tc.lost {
				t.Errorf("%s It takes the one without a place: %t", tc.reason, got)
			}
		})
	}
}

func TestTable(t *testing.T) {
	placed := web(vitistackv1alpha1.MachinePhaseRunning, condition("Ready", "True", "Ready", ""))
	placed.Status.IPAddresses = []string{"10.1.2.3"}
	refused := web(vitistackv1alpha1.MachinePhaseFailed, condition("Ready", "False", "Rejected", "admission webhook\nsays no"))
	refused.Name = "refused"
	var out bytes.Buffer
	err := filter{unready: true}.print(&out, []vitistackv1alpha1.Machine{*placed, *refused}, now.Add(time.Minute))
	if exit.Code(err) != exit.Negative || exit.Text(err) != "" {
		t.Errorf("it ends with %v", err)
	}
	want := "NAMESPACE   MACHINE   PHASE     CLUSTER   ADDRESSES   AGE   WHAT IS WRONG\n" +
		"team-a      web       Running   east      10.1.2.3    61m   -\n" +
		"team-a      refused   Failed    east      -           61m   Rejected: admission webhook says no\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	out.Reset()
	if err := (filter{namespace: "team-b", phase: "Failed"}).print(&out, nil, now); err != nil {
		t.Fatal(err)
	}
	if got, want := out.String(), "No Machines in namespace team-b, in phase Failed.\n"; got != want {
		t.Errorf("an empty answer is %q, want %q", got, want)
	}
}

func TestKey(t *testing.T) {
	t.Setenv("KUBECONFIG", t.TempDir()+"/none")
	cases := map[string]struct{ reason, namespace, argument, want string }{
		"both":     {reason: "NAMESPACE/NAME says all.", argument: "team-a/web", want: "team-a/web"},
		"flag":     {reason: "The flag gives the namespace.", namespace: "team-a", argument: "web", want: "team-a/web"},
		"default":  {reason: "Nobody says a namespace.", argument: "web", want: "default/web"},
		"differ":   {reason: "Two namespaces are one too many.", namespace: "team-b", argument: "team-a/web"},
		"nothing":  {reason: "A name is needed.", argument: "team-a/"},
		"no space": {reason: "A namespace is needed before the slash.", argument: "/web"},
		"three":    {reason: "Nothing has three parts.", argument: "a/b/c"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			key, err := (&reach.Subject{Namespace: tc.namespace}).Key(tc.argument)
			if (err == nil) != (tc.want != "") || err == nil && key.String() != tc.want {
				t.Errorf("%s It is %s (%v), want %q", tc.reason, key, err, tc.want)
			}
		})
	}
}

// TestHostileWords: whoever may write a Machine chooses words that an administrator reads. They make
// no row of another Machine, and no control sequence reaches his terminal.
func TestHostileWords(t *testing.T) {
	const words = "small\x1b[2J\x1b[H\nteam-b      database   Running"
	m := web(vitistackv1alpha1.MachinePhaseFailed, condition("Ready", "False", "UnknownClass", words))
	m.Spec.InstanceType, m.Status.NodeName, m.Status.IPAddresses = words, words, []string{words}
	var list, screen bytes.Buffer
	if err := (filter{output: "wide"}).print(terminal.New(&list), []vitistackv1alpha1.Machine{*m}, now); err != nil {
		t.Fatal(err)
	}
	if lines := strings.Count(list.String(), "\n"); lines != 2 || strings.Contains(list.String(), "\x1b") {
		t.Errorf("a list of one Machine has %d lines: %q", lines, list.String())
	}
	view := &View{Now: now, Machine: m, Events: []Event{{Reason: words, Message: words}}, Missing: []string{words}}
	if err := tree(view, paint{}).draw(terminal.New(&screen)); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(screen.String()) {
		if strings.HasPrefix(line, "team-b") || strings.Contains(line, "\x1b") {
			t.Errorf("somebody else's words make a line: %q", line)
		}
	}
}

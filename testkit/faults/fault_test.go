package faults_test

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vitistack/kubevirt-multicluster/testkit/faults"
)

func TestParseFault(t *testing.T) {
	cases := map[string]struct {
		reason   string
		spec, on string
		want     faults.Fault
		text     string
	}{
		"Pass": {"The plain case, the scope left out", "pass", "", faults.Fault{Kind: faults.Pass, On: faults.All},
			"pass"},
		"Latency": {"A Go duration", "latency=1m30s", "all",
			faults.Fault{Kind: faults.Latency, Latency: 90 * time.Second, On: faults.All}, "latency=1m30s"},
		"NoLatency": {"Zero is the start of many a series", "latency=0s", "dial",
			faults.Fault{Kind: faults.Latency, On: faults.Dial}, "latency=0s --on dial"},
		"Errors": {"A share", "errors=0.25", "write", faults.Fault{Kind: faults.Errors, Rate: 0.25, On: faults.Write},
			"errors=0.25 --on write"},
		"AllErrors": {"The highest share", "errors=1", "list", faults.Fault{Kind: faults.Errors, Rate: 1, On: faults.List},
			"errors=1 --on list"},
		"NoErrors": {"The lowest share", "errors=0", "", faults.Fault{Kind: faults.Errors, On: faults.All}, "errors=0"},
		"Blackhole": {"A kind of connections on requests", "blackhole", "watch",
			faults.Fault{Kind: faults.Blackhole, On: faults.Watch}, "blackhole --on watch"},
		"RefuseDials": {"refuse that spares what is connected", "refuse", "dial",
			faults.Fault{Kind: faults.Refuse, On: faults.Dial}, "refuse --on dial"},
		"Stall": {"A kind of watches, on watches", "stall", "watch", faults.Fault{Kind: faults.Stall, On: faults.Watch},
			"stall --on watch"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := faults.ParseFault(tc.spec, tc.on)
			if err != nil {
				t.Fatalf("%s: %v", tc.reason, err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s: -want +got:\n%s", tc.reason, diff)
			}
			if diff := cmp.Diff(tc.text, got.String()); diff != "" {
				t.Errorf("%s: String: -want +got:\n%s", tc.reason, diff)
			}
			again, err := faults.ParseFault(got.Spec(), string(got.On))
			if err != nil || again != got {
				t.Errorf("%s: ParseFault(Spec) = %v, %v, want %v", tc.reason, again, err, got)
			}
		})
	}
}

func TestParseFaultErrors(t *testing.T) {
	cases := map[string]struct {
		reason   string
		spec, on string
		want     string
	}{
		"Unknown":       {"No such kind", "flood", "", `unknown fault "flood": want one of pass, blackhole,`},
		"Empty":         {"A forgotten argument is not pass", "", "", `unknown fault "": want one of`},
		"OnlyValue":     {"Nor is a value alone", "=1", "", `unknown fault "=1"`},
		"UnknownValued": {"The kind is what is wrong, not its value", "flood=1", "", `unknown fault "flood"`},
		"Case":          {"Kinds are lower case", "Pass", "", `unknown fault "Pass"`},
		"Space":         {"No trimming", "pass ", "", `unknown fault "pass "`},
		"Scope": {"No such scope", "reset", "reads",
			`unknown scope "reads": want one of all, dial, list, watch, write`},
		"PassValue":     {"A value where there is none", "pass=1", "", `fault "pass=1": pass takes no value`},
		"PassEmpty":     {"Not even an empty one", "stall=", "", `fault "stall=": stall takes no value`},
		"NoDuration":    {"latency by itself", "latency", "", `fault "latency": want a duration`},
		"EmptyDuration": {"latency of nothing", "latency=", "", `want a duration`},
		"BareNumber":    {"A number without unit", "latency=2", "", `want a duration`},
		"Negative":      {"Earlier than sent", "latency=-1s", "", `fault "latency=-1s": a latency is not negative`},
		"NoRate":        {"errors by itself", "errors", "", `fault "errors": want a share`},
		"BadRate":       {"Not a number", "errors=many", "", `want a share`},
		"Percent":       {"Not a percentage", "errors=30%", "", `want a share`},
		"HighRate":      {"More than all", "errors=2", "", `fault "errors=2": want a share`},
		"LowRate":       {"Less than none", "errors=-0.1", "", `want a share`},
		"NaN":           {"Not a number, but a float", "errors=NaN", "", `want a share`},
		"PassScope":     {"Nothing on something", "pass", "list", `fault "pass" cannot act on list: want one of all`},
		"RefuseList": {"Requests are not refused", "refuse", "list",
			`fault "refuse" cannot act on list: want one of all, dial`},
		"ErrorsDial": {"A dial has no status", "errors=1", "dial",
			`fault "errors=1" cannot act on dial: want one of all, list, watch, write`},
		"StallWrite": {"Only watches stall", "stall", "write",
			`fault "stall" cannot act on write: want one of all, watch`},
		"CutDial": {"Only watches are cut", "cut", "dial", `cannot act on dial`},
		"Newline": {"One line, whatever comes in", "a\nb", "", `unknown fault "a\nb"`},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := faults.ParseFault(tc.spec, tc.on)
			if err == nil {
				t.Fatalf("%s: got %v, want an error", tc.reason, got)
			}
			if !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%s: got %q, want one line with %q", tc.reason, err, tc.want)
			}
		})
	}
}

func TestSetRefusesBadFaults(t *testing.T) {
	p := newWorld(t).proxy(t, nil)
	cases := map[string]struct {
		reason string
		fault  faults.Fault
	}{
		"Kind":          {"A kind that is none", faults.Fault{Kind: "flood"}},
		"Scope":         {"A scope that is none", faults.Fault{Kind: faults.Reset, On: "reads"}},
		"StrayLatency":  {"A latency of another kind", faults.Fault{Kind: faults.Reset, Latency: 1}},
		"StrayRate":     {"A rate of another kind", faults.Fault{Kind: faults.Reset, Rate: 0.5}},
		"Rate":          {"A rate that is no share", faults.Fault{Kind: faults.Errors, Rate: math.Inf(1)}},
		"NegativeDelay": {"A delay into the past", faults.Fault{Kind: faults.Latency, Latency: -1}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if err := p.Set(tc.fault); err == nil {
				t.Errorf("%s: got no error", tc.reason)
			}
			if got, want := p.Fault(), (faults.Fault{Kind: faults.Pass, On: faults.All}); got != want {
				t.Errorf("%s: the fault is now %v, want %v", tc.reason, got, want)
			}
		})
	}
}

func ExampleParseFault() {
	fault, err := faults.ParseFault("latency=2s", "write")
	fmt.Println(fault, err)
	_, err = faults.ParseFault("errors=2", "")
	fmt.Println(err)
	// Output:
	// latency=2s --on write <nil>
	// fault "errors=2": want a share of requests from 0 to 1
}

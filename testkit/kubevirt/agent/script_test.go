package agent

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestGuest(t *testing.T) {
	cases := map[string]struct {
		reason      string
		script      Script
		annotations []map[string]string
		want        Guest
		invalid     string
	}{
		"nothing asked": {
			reason: "without a word everything works at once",
		},
		"script": {
			reason: "the script speaks where annotations are silent",
			script: Script{Guest: Guest{BootDelay: time.Second, Hold: true}},
			want:   Guest{BootDelay: time.Second, Hold: true},
		},
		"annotations go before the script": {
			reason:      "a test can except one guest from what it asked for all",
			script:      Script{Guest: Guest{BootDelay: time.Second, Hold: true, Crash: CrashAlways}},
			annotations: []map[string]string{{HoldAnnotation: "false", CrashAnnotation: ""}},
			want:        Guest{BootDelay: time.Second},
		},
		"the instance goes before its machine": {
			reason:      "the template's annotations are on the instance",
			annotations: []map[string]string{{BootDelayAnnotation: "1s"}, {BootDelayAnnotation: "2s", CrashAnnotation: "once"}},
			want:        Guest{BootDelay: time.Second, Crash: CrashOnce},
		},
		"everything": {
			reason: "each annotation has its field",
			annotations: []map[string]string{{
				BootDelayAnnotation: "1m", CrashAnnotation: "boot", CrashAfterAnnotation: "2s", ImagePullErrorAnnotation: "true",
				UnschedulableAnnotation: "true", GuestAgentAnnotation: "false",
				GuestAddressesAnnotation: "10.0.0.1, storage=fd00::1",
				DualStackAnnotation:      "true", HoldAnnotation: "true",
			}},
			want: Guest{
				BootDelay: time.Minute, Crash: CrashAtBoot, CrashAfter: 2 * time.Second, ImagePullError: true, Unschedulable: true,
				NoGuestAgent: true, Addresses: []string{"10.0.0.1", "storage=fd00::1"}, DualStack: true, Hold: true,
			},
		},
		"negative duration": {
			reason:      "time does not run backwards",
			annotations: []map[string]string{{BootDelayAnnotation: "-1s"}},
			invalid:     `agent.testkit/boot-delay is "-1s", not a duration`,
		},
		"no flag": {
			reason:      "a flag is true or false, in these words",
			annotations: []map[string]string{{HoldAnnotation: "yes"}},
			invalid:     `agent.testkit/hold is "yes", not true or false`,
		},
		"no choice": {
			reason:      "an unknown word must not pass for none",
			annotations: []map[string]string{{CrashAnnotation: "sometimes"}},
			invalid:     `agent.testkit/crash is "sometimes", not one of ["" "once" "always" "boot"]`,
		},
		"no address": {
			reason:      "a name is no address",
			annotations: []map[string]string{{GuestAddressesAnnotation: "storage=example"}},
			invalid:     `agent.testkit/guest-addresses is "storage=example", not a list of IP addresses`,
		},
		"the first error counts": {
			reason:      "one thing at a time",
			annotations: []map[string]string{{BootDelayAnnotation: "soon", HoldAnnotation: "yes"}},
			invalid:     `agent.testkit/boot-delay is "soon", not a duration`,
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got := c.script.guest(c.annotations...)
			if diff := cmp.Diff(c.want, got, cmpopts.IgnoreUnexported(Guest{})); diff != "" {
				t.Errorf("%s: -want +got:\n%s", c.reason, diff)
			}
			if message := text(got.invalid); message != c.invalid {
				t.Errorf("%s: error %q, want %q", c.reason, message, c.invalid)
			}
		})
	}
}

func TestImport(t *testing.T) {
	cases := map[string]struct {
		reason      string
		script      Script
		annotations map[string]string
		want        Import
		err         string
	}{
		"nothing asked": {
			reason: "an import is reported in quarters",
			want:   Import{Steps: 4},
		},
		"everything": {
			reason: "each annotation has its field",
			annotations: map[string]string{ImportAnnotation: "fail", ImportDurationAnnotation: "3s",
				ImportStepsAnnotation: "10"},
			want: Import{End: ImportFails, Duration: 3 * time.Second, Steps: 10},
		},
		"too many steps": {
			reason:      "progress is told in whole percents at least",
			annotations: map[string]string{ImportStepsAnnotation: "101"},
			want:        Import{Steps: 4},
			err:         `agent.testkit/import-steps is "101", not a number from 1 to 100`,
		},
		"no steps": {
			reason:      "nothing is divided by zero",
			annotations: map[string]string{ImportStepsAnnotation: "0"},
			want:        Import{Steps: 4},
			err:         `agent.testkit/import-steps is "0", not a number from 1 to 100`,
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := c.script.imported(c.annotations)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%s: -want +got:\n%s", c.reason, diff)
			}
			if message := text(err); message != c.err {
				t.Errorf("%s: error %q, want %q", c.reason, message, c.err)
			}
		})
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

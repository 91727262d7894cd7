package placement

import "fmt"

// An ErrorPolicy says what a strategy's failure (not its refusal or hold) means for the Machine.
type ErrorPolicy int

// The values of ErrorPolicy. SkipOnError is for strategies that only improve a choice: what they
// know is then not asked.
const (
	HoldOnError   ErrorPolicy = iota // wait until the strategy answers; the default
	SkipOnError                      // as if it had no opinion
	RefuseOnError                    // stop, a person must act
)

var policyNames = [...]string{"hold", "skip", "refuse"}

// String is "hold", "skip" or "refuse".
func (p ErrorPolicy) String() string { return nameOf(policyNames[:], int(p), "ErrorPolicy") }

// MarshalText is String.
func (p ErrorPolicy) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads what String gives; "" is the default.
func (p *ErrorPolicy) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*p = HoldOnError
		return nil
	}
	for i, name := range policyNames {
		if name == string(text) {
			*p = ErrorPolicy(i)
			return nil
		}
	}
	return fmt.Errorf("onError %q is unknown: want hold, skip or refuse", text)
}

package brake

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Rule says how many may go at once. The zero Rule lets all go.
type Rule struct {
	// Number and Percent of the Machines of a scope are what may go within Window: more than both are
	// held.
	Number, Percent int
	Window          time.Duration
}

// DefaultRule is the default of --deletion-brake.
var DefaultRule = Rule{Number: 10, Percent: 30, Window: 5 * time.Minute}

// off is the text of the Rule that lets all go.
const off = "off"

// ParseRule reads the value of --deletion-brake: 10,30%,5m, or off.
func ParseRule(text string) (Rule, error) {
	wrong := fmt.Errorf("%q is no brake: want a number, a share and a time, as in %s, or %s", text, DefaultRule, off)
	if text == off {
		return Rule{}, nil
	}
	parts := strings.Split(text, ",")
	if len(parts) != 3 || !strings.HasSuffix(parts[1], "%") {
		return Rule{}, wrong
	}
	number, numberErr := strconv.Atoi(parts[0])
	percent, percentErr := strconv.Atoi(strings.TrimSuffix(parts[1], "%"))
	window, windowErr := time.ParseDuration(parts[2])
	if numberErr != nil || percentErr != nil || windowErr != nil {
		return Rule{}, wrong
	}
	if number < 1 || percent < 0 || percent > 100 || window < time.Second {
		return Rule{}, fmt.Errorf("%q is no brake: want at least 1, a share of 0%% to 100%% and at least 1s", text)
	}
	return Rule{Number: number, Percent: percent, Window: window}, nil
}

// IsOff reports whether the Rule lets all go.
func (r Rule) IsOff() bool { return r.Window == 0 }

// String is the text that ParseRule reads.
func (r Rule) String() string {
	if r.IsOff() {
		return off
	}
	window := r.Window.String()
	window = strings.TrimSuffix(window, "0s")
	if !strings.HasSuffix(window, "m") {
		window = r.Window.String()
	}
	return fmt.Sprintf("%d,%d%%,%s", r.Number, r.Percent, window)
}

package chaos

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Schedule is what happens in a run, one step after the other.
type Schedule struct {
	// Seed is what it was made from.
	Seed uint64 `json:"seed"`
	// Time is about how long its steps take.
	Time metav1.Duration `json:"time"`
	// Steps in their order.
	Steps []Step `json:"steps"`
}

// Step is one thing that happens.
type Step struct {
	// After is how long nothing happens before it.
	After metav1.Duration `json:"after"`
	// Kind is one of [Kinds].
	Kind string `json:"kind"`
	// Subject is a Machine or a cluster; "" where the kind needs none.
	Subject string `json:"subject,omitempty"`
	// Params are the kind's own.
	Params map[string]string `json:"params,omitempty"`
}

// String is the step on one line: "1.2s fault cluster-east for=3s on=write spec=latency=2s".
func (s Step) String() string {
	words := []string{s.After.Duration.String(), s.Kind}
	if s.Subject != "" {
		words = append(words, s.Subject)
	}
	var params []string
	for name, value := range s.Params {
		params = append(params, name+"="+value)
	}
	slices.Sort(params)
	return strings.Join(append(words, params...), " ")
}

// duration is a parameter that is a time; 0 where it is not one.
func (s Step) duration(name string) time.Duration {
	d, _ := time.ParseDuration(s.Params[name]) // a schedule that people wrote may have none
	return d
}

// number is a parameter that is a number; 0 where it is not one.
func (s Step) number(name string) int {
	n, _ := strconv.Atoi(s.Params[name]) // a schedule that people wrote may have none
	return n
}

// ReadSchedule reads a schedule as JSON. It refuses fields and kinds of steps that there are not.
func ReadSchedule(from io.Reader) (Schedule, error) {
	decoder := json.NewDecoder(from)
	decoder.DisallowUnknownFields()
	var schedule Schedule
	if err := decoder.Decode(&schedule); err != nil {
		return Schedule{}, fmt.Errorf("reading the schedule: %w", err)
	}
	for i, step := range schedule.Steps {
		if _, found := kindOf(step.Kind); !found {
			return Schedule{}, fmt.Errorf("step %d: there is no kind %q", i, step.Kind)
		}
	}
	return schedule, nil
}

// Write writes the schedule as JSON.
func (s Schedule) Write(to io.Writer) error {
	encoder := json.NewEncoder(to)
	encoder.SetIndent("", "  ")
	return encoder.Encode(s)
}

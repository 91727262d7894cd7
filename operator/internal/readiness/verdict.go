package readiness

import (
	"cmp"
	"slices"
	"strings"
	"time"
	"unicode"
)

// Verdict is the answer of a check, or of all of them.
type Verdict string

// The verdicts.
const (
	OK      Verdict = "ok"
	No      Verdict = "no"
	Unknown Verdict = "unknown"
)

// rank orders verdicts: the better comes first.
func (v Verdict) rank() int { return slices.Index([]Verdict{OK, Unknown, No}, v) }

// Check is the answer to one question about one cluster.
type Check struct {
	// Name says which question: one of the Check constants, or a caller's own.
	Name    string
	Verdict Verdict
	// Reason is one CamelCase word, "" where the verdict is ok and there is nothing to say.
	Reason string
	// Message is a sentence with the values that were compared.
	Message string
	// Do is what a person types or asks for, "" where there is nothing to do.
	Do string
	// Age of the oldest fact that it rests on.
	Age time.Duration
	// Minor says that an unknown does not matter, because the question does not arise yet or another
	// check has answered it.
	Minor bool
}

// matters reports whether the check has a part in the verdict of all.
func (c Check) matters() bool { return c.Verdict == No || c.Verdict == Unknown && !c.Minor }

// Report is what became of all checks of one cluster.
type Report struct {
	// Config is the cluster, by the name of its KubevirtConfig.
	Config string
	// Here says that the virtual machine is in this cluster already.
	Here bool
	// Verdict is no where a check says no, else unknown where one that matters is unknown.
	Verdict Verdict
	// Score is 0 to 100; of clusters with the same verdict the one with the higher score is better.
	// It is 0 where the verdict is no. See score.go.
	Score int
	// Checks are in the order in which a person would ask.
	Checks []Check
}

// With returns the report with further checks, and its verdict anew.
func (r Report) With(more ...Check) Report {
	r.Checks = slices.Concat(r.Checks, more)
	r.Verdict = OK
	for i, check := range r.Checks {
		r.Checks[i].Message, r.Checks[i].Do = plain(check.Message), plain(check.Do)
		if check.matters() && check.Verdict.rank() > r.Verdict.rank() {
			r.Verdict = check.Verdict
		}
	}
	if r.Verdict == No {
		r.Score = 0
	}
	return r
}

// maxText is how many characters of a text are kept.
const maxText = 600

// plain makes one line of a text that a remote server may have a part in, and nothing that a
// terminal obeys.
func plain(text string) string {
	text = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, text)
	text = strings.Join(strings.Fields(text), " ")
	if runes := []rune(text); len(runes) > maxText {
		return string(runes[:maxText-1]) + "…"
	}
	return text
}

// Check returns the check of a name.
func (r Report) Check(name string) (Check, bool) {
	i := slices.IndexFunc(r.Checks, func(c Check) bool { return c.Name == name })
	if i < 0 {
		return Check{}, false
	}
	return r.Checks[i], true
}

// First returns what a person should look at first: the first no, else the first unknown that
// matters. Where all is well there is none.
func (r Report) First() (Check, bool) {
	for _, wanted := range []Verdict{No, Unknown} {
		for _, check := range r.Checks {
			if check.Verdict == wanted && check.matters() {
				return check, true
			}
		}
	}
	return Check{}, false
}

// Sort sorts reports: by verdict (ok, unknown, no), then the higher score, then the name.
func Sort(reports []Report) {
	slices.SortFunc(reports, func(a, b Report) int {
		return cmp.Or(cmp.Compare(a.Verdict.rank(), b.Verdict.rank()), cmp.Compare(b.Score, a.Score),
			strings.Compare(a.Config, b.Config))
	})
}

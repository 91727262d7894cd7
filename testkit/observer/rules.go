package observer

// rule finds what broke an invariant in what was seen. It may find the same again each time.
type rule func(seen) []Violation

// rules are all that Check looks at.
func rules() []rule {
	return []rule{
		func(s seen) []Violation { return s.odd },
		twins,     // I1
		strangers, // I2, I7, I13
		unasked,   // I14
		loops,     // Loop
	}
}

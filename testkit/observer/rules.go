package observer

// rule finds what broke an invariant in what was seen. It may find the same again each time.
type rule func(seen) []Violation

// rules are all that Check looks at. Converged has unconverged, leaks and restless.
func rules() []rule {
	return []rule{
		func(s seen) []Violation { return s.odd },
		twins,     // I1
		strangers, // I2, I7, I13
		silenced,  // I4
		slowed,    // I5
		relists,   // I6
		stolen,    // I9
		displaced, // I3, I10, I11
		unasked,   // I14
		untold,    // I15
		hammered,  // I15
		unbounded, // I16
		loops,     // Loop
	}
}

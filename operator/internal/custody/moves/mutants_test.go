package moves_test

import (
	"cmp"
	"testing"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/custody/moves"
)

// seeing is the judge who is shown something else than what is there.
func seeing(change func(*moves.Case)) func(moves.Case) moves.Next {
	return func(c moves.Case) moves.Next {
		change(&c)
		return c.Next()
	}
}

// instead is the judge one of whose acts is replaced.
func instead(act, by moves.Act, when func(moves.Case) bool) func(moves.Case) moves.Next {
	return func(c moves.Case) moves.Next {
		next := c.Next()
		if next.Act == act && (when == nil || when(c)) {
			next.Act = by
		}
		return next
	}
}

func isBegun(c moves.Case) bool     { return c.Record.Stage == vitistackv1alpha1.MoveBegun }
func isCommitted(c moves.Case) bool { return c.Record.Stage == vitistackv1alpha1.MoveCommitted }

// TestMutants shows that the model finds each mistake that somebody could make.
func TestMutants(t *testing.T) {
	for name, o := range map[string]operator{
		"CommitsBeforeTheVerdict": {next: seeing(func(c *moves.Case) {
			if c.Target.There {
				c.Target.Copy = moves.Whole
			}
		})},
		"NoFence": {next: seeing(func(c *moves.Case) {
			if isBegun(*c) {
				c.Source.Halted, c.Source.Stopped, c.Source.Busy = true, true, false
			}
		})},
		"DoesNotWaitForTheInstance": {next: seeing(func(c *moves.Case) { c.Source.Busy = false })},
		"AbortsAfterTheCommit": {next: func(c moves.Case) moves.Next {
			if isCommitted(c) && c.Wish.GiveUp && !c.Target.Silent {
				return moves.Next{Act: moves.GiveUp}
			}
			return c.Next()
		}},
		"CleansUpByLabel":          {next: moves.Case.Next, deletesByLabel: true},
		"LeavesTheTombstoneOut":    {next: seeing(func(c *moves.Case) { c.Buried = true }), calm: true, alone: true},
		"StartsBeforeTheCommit":    {next: instead(moves.Commit, moves.Lift, isBegun)},
		"ClearsBeforeTheCommit":    {next: instead(moves.Commit, moves.Clear, nil)},
		"IgnoresTheFence":          {next: seeing(func(c *moves.Case) { c.Target.Fence = c.Source.Fence }), calm: true, alone: true},
		"TakesTheFenceAtTheCommit": {next: moves.Case.Next, lateFence: true, calm: true, alone: true},
		"WritesTheRecordUnguarded": {next: moves.Case.Next, unguardedRecord: true, calm: true},
		"StartsUnguarded":          {next: moves.Case.Next, unguardedLift: true, calm: true},
		"DropsTheOnlyCopy": {next: instead(moves.Commit, moves.Unmake, func(c moves.Case) bool {
			return c.Record.Stage == vitistackv1alpha1.MoveAborting
		})},
		"TakesSilenceForAbsence":    {next: seeing(func(c *moves.Case) { c.Source.Silent = false })},
		"ReturnsWithoutWithdrawing": {next: instead(moves.Withdraw, moves.GiveUp, nil), rare: 1},
		"PaysADebtBlindly":          {next: moves.Case.Next, paysBlindly: true, alone: true},
		"LeavesWhatTheDisksWereFetchedWith": {next: instead(moves.Tidy, moves.End, func(c moves.Case) bool {
			return isCommitted(c) && c.Source.Silent
		}), alone: true, rare: 1},
		"LeavesTheOffer":             {next: moves.Case.Next, leavesOffer: true, alone: true},
		"LeavesTheSourceWithinReach": {next: seeing(func(c *moves.Case) { c.Source.Over = c.Source.Over || !c.Source.Stopped })},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o.rare = cmp.Or(o.rare, 2)
			r := explore(o, 5_000_000)
			if r.broken == "" {
				t.Errorf("nobody notices, in %d states", r.states)
			}
			t.Logf("%d states\n%s", r.states, r)
		})
	}
}

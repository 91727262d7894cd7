package custody_test

import (
	"testing"
	"time"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/custody"
)

// mutant is a fault that the model must find.
type mutant struct {
	reason string
	change func(*operator)
}

// took makes of a finding that a VirtualMachine is the Machine's.
func took(found custody.Finding, place custody.Place, relation custody.Relation) custody.Finding {
	return custody.Finding{Is: custody.Yours, Place: place, Relation: relation, Copies: found.Copies}
}

// pick is the first VirtualMachine that was seen and that a mutant likes.
func pick(c custody.Case, likes func(custody.Look, custody.Sighting) bool) (custody.Place, bool) {
	for _, look := range c.Looks {
		for _, vm := range look.Found {
			if look.Silent == nil && likes(look, vm) {
				return custody.Place{Config: look.Config, VM: vm}, true
			}
		}
	}
	return custody.Place{}, false
}

// instead lets a mutant take a VirtualMachine that it likes where the judge does not say that one
// is the Machine's.
func instead(
	judge func(custody.Case) custody.Finding, likes func(custody.Case, custody.Look, custody.Sighting) bool,
) func(custody.Case) custody.Finding {
	return func(c custody.Case) custody.Finding {
		found := judge(c)
		if found.Is == custody.Yours {
			return found
		}
		if place, ok := pick(c, func(l custody.Look, vm custody.Sighting) bool { return likes(c, l, vm) }); ok {
			return took(found, place, custody.Mine)
		}
		return found
	}
}

// mutants of the judge.
var judgeMutants = map[string]mutant{
	"LabelsAreAClaim": {
		reason: "Whatever carries the Machine's labels is taken for its VirtualMachine.",
		change: func(o *operator) {
			o.find = instead(o.find, func(c custody.Case, _ custody.Look, vm custody.Sighting) bool {
				return labelled(c, vm)
			})
		},
	},
	"SilenceIsAbsence": {
		reason: "A cluster that gives no answer is taken for one that has nothing.",
		change: func(o *operator) {
			o.seen = func(looks []custody.Look) []custody.Look {
				for i := range looks {
					looks[i].Silent = nil
				}
				return looks
			}
		},
	},
	"ForgedLedgerIsARecord": {
		reason: "A ledger counts whoever wrote it.",
		change: func(o *operator) {
			read := o.read
			o.read = func(m *vitistackv1alpha1.Machine, held bool) custody.Reading {
				reading := read(m, held)
				if reading.Standing == custody.Unconfirmed {
					reading.Standing = custody.Confirmed
				}
				return reading
			}
		},
	},
	"TwoConfigsAreTwoClusters": {
		reason: "A VirtualMachine that two KubevirtConfigs of one cluster show is counted twice.",
		change: func(o *operator) {
			o.seen = func(looks []custody.Look) []custody.Look {
				for i := range looks {
					looks[i].ClusterUID = ""
				}
				return looks
			}
			o.find = func(c custody.Case) custody.Finding {
				c.Record.ClusterUID = ""
				return c.Find()
			}
		},
	},
	"UIDIsLearntByNameAlone": {
		reason: "After a creation, whatever has the name is taken for what was created.",
		change: func(o *operator) {
			o.find = instead(o.find, func(c custody.Case, _ custody.Look, vm custody.Sighting) bool {
				return c.Record != nil && c.Record.VMUID == "" && vm.Name == c.Record.VMName
			})
		},
	},
	"UIDIsLearntByNonceAlone": {
		reason: "A clone carries the nonce too, and is taken for what was created.",
		change: func(o *operator) {
			o.find = instead(o.find, func(c custody.Case, _ custody.Look, vm custody.Sighting) bool {
				return c.Record != nil && c.Record.VMUID == "" && vm.Nonce == c.Record.Nonce
			})
		},
	},
	"RestoredWithoutAddress": {
		reason: "What has the name and the labels is taken for restored, though its addresses are others.",
		change: func(o *operator) {
			o.find = instead(o.find, func(c custody.Case, _ custody.Look, vm custody.Sighting) bool {
				return c.Record != nil && vm.Name == c.Record.VMName && labelled(c, vm)
			})
		},
	},
	"ForeignIsAdopted": {
		reason: "A consent is enough for what another supervisor has.",
		change: func(o *operator) { o.place = adoptAnything(o.place) },
	},
	"SearchTakesOneOfTwo": {
		reason: "A strategy that calls itself search is believed without counting.",
		change: func(o *operator) {
			place := o.place
			o.place = func(c custody.Case, choice custody.Choice) custody.Finding {
				found := place(c, choice)
				there, ok := pick(c, func(l custody.Look, vm custody.Sighting) bool {
					return l.Config == choice.Config && vm.Name == c.Machine.VMName && c.Relation(l, vm) == custody.Unclaimed
				})
				if choice.Searched && ok && found.Reason == vitistackv1alpha1.ReasonNameCollision {
					return took(found, there, custody.Unclaimed)
				}
				return found
			}
		},
	},
	"InheritsWithoutConsent": {
		reason: "What an earlier Machine of the name left is taken without asking.",
		change: func(o *operator) {
			place := o.place
			o.place = func(c custody.Case, choice custody.Choice) custody.Finding {
				found := place(c, choice)
				there, ok := pick(c, func(l custody.Look, vm custody.Sighting) bool {
					return c.Relation(l, vm) == custody.OtherMachine
				})
				if ok && found.Is == custody.Refused {
					return took(found, there, custody.OtherMachineGone)
				}
				return found
			}
		},
	},
	"VanishedIsMadeAnew": {
		reason: "A VirtualMachine that was there is made anew and empty without consent.",
		change: func(o *operator) {
			o.mayCreate = func(custody.Case) custody.Finding { return custody.Finding{Is: custody.Absent} }
		},
	},
	"LooksOnlyWhereItWasSent": {
		reason: "Only the chosen cluster is asked whether the VirtualMachine exists already.",
		change: func(o *operator) { o.looksOnlyThere = true },
	},
}

func adoptAnything(
	place func(custody.Case, custody.Choice) custody.Finding,
) func(custody.Case, custody.Choice) custody.Finding {
	return func(c custody.Case, choice custody.Choice) custody.Finding {
		found := place(c, choice)
		there, ok := pick(c, func(l custody.Look, vm custody.Sighting) bool {
			return c.Machine.Adopt == custody.Consent(l.Config, vm.UID) && c.Relation(l, vm) == custody.Foreign
		})
		if ok && found.Is == custody.Refused {
			return took(found, there, custody.Unclaimed)
		}
		return found
	}
}

// mutants of the order of writes.
var orderMutants = map[string]mutant{
	"CreateBeforeRecord": {
		reason: "The VirtualMachine is created before its place is written down.",
		change: func(o *operator) { o.createFirst = true },
	},
	"NoFence": {
		reason: "A creation follows what was read earlier, without a guarded write directly before it.",
		change: func(o *operator) { o.withoutFence = true },
	},
	"UnguardedRecord": {
		reason: "The record is written over whatever became of the Machine since it was read.",
		change: func(o *operator) { o.unguardedRecords = true },
	},
	"RecreateCountsTwice": {
		reason: "The ledger keeps the old UID during a creation by consent, so that the consent is there for another one.",
		change: func(o *operator) { o.keepsIntent = true },
	},
	"DeleteByLabels": {
		reason: "The end of a Machine deletes every VirtualMachine with its labels.",
		change: func(o *operator) { o.deletesByLabel = true },
	},
	"DisksByLabel": {
		reason: "The end of a Machine deletes every disk with its labels.",
		change: func(o *operator) { o.disksByLabel = true },
	},
	"DisksNotRecorded": {
		reason: "The VirtualMachine goes before its disks are written down, and nothing names them any more.",
		change: func(o *operator) { o.forgetsDisks = true },
	},
	"FinalizerOffTooEarly": {
		reason: "The Machine goes when the deletion was sent, not when all is gone.",
		change: func(o *operator) { o.finalizesFirst = true },
	},
	"ReleaseOnOneLateCall": {
		reason: "A consent to force-release acts on one call of a healthy cluster that came too late.",
		change: func(o *operator) { o.releasesLate = true },
	},
}

// TestModelFindsMutants holds that the model would notice if one of the guards were gone: without,
// it would prove nothing.
func TestModelFindsMutants(t *testing.T) {
	for _, mutants := range []map[string]mutant{judgeMutants, orderMutants} {
		for name, m := range mutants {
			t.Run(name, func(t *testing.T) { findMutant(t, m) })
		}
	}
}

// findMutant looks in all shapes, with ever more rare actions, so that what it finds is short.
func findMutant(t *testing.T, m mutant) {
	begun, states := time.Now(), 0
	for rare := uint8(1); rare <= 3; rare++ {
		for _, s := range shapes(rare) {
			if !s.sameName && rare > 1 {
				continue // two whole lives side by side are many states, and show no mutant sooner
			}
			o := newOperator(s)
			m.change(o)
			r := explore(o, 2_000_000)
			if states += r.states; r.broken != "" {
				if unchanged := explore(newOperator(s), r.states); unchanged.broken != "" {
					t.Errorf("the judge without the mutant breaks the same history:\n%s", unchanged)
				}
				t.Logf("%s\nfound in %s after %d states and %s:\n%s", m.reason, s.name, states,
					time.Since(begun).Round(time.Millisecond), r)
				return
			}
		}
	}
	t.Errorf("%s\nnot found in %d states", m.reason, states)
}

// labelled reports whether a VirtualMachine carries the UIDs of the Machine and its supervisor.
func labelled(c custody.Case, vm custody.Sighting) bool {
	uid, supervisor := vitistackv1alpha1.LabelMachineUID, vitistackv1alpha1.LabelSupervisorUID
	return vm.Labels[uid] == c.Machine.Labels[uid] && vm.Labels[supervisor] == c.Machine.Labels[supervisor]
}

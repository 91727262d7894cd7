package custody_test

import (
	"slices"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/custody"
)

// operator decides as operator/internal/machine does, in its order of writes. Its functions are the
// real judge's; a mutant changes one.
type operator struct {
	shape shape
	texts *texts
	reads map[readKey]custody.Reading

	read        func(*vitistackv1alpha1.Machine, bool) custody.Reading
	confirmedBy func(custody.Subject, vitistackv1alpha1.Ledger, custody.Sighting) bool
	find        func(custody.Case) custody.Finding
	findLost    func(custody.Case) custody.Finding
	place       func(custody.Case, custody.Choice) custody.Finding
	mayCreate   func(custody.Case) custody.Finding
	seen        func([]custody.Look) []custody.Look // what a mutant makes of the looks

	createFirst      bool // create before the place is recorded
	withoutFence     bool // create by what was read earlier
	keepsIntent      bool // do not begin a new intent where the old VirtualMachine is gone
	deletesByLabel   bool // delete every VirtualMachine with the labels
	disksByLabel     bool // delete every disk with the labels
	forgetsDisks     bool // delete the VirtualMachine before its disks are recorded
	finalizesFirst   bool // take the finalizer off when the deletion was sent
	releasesLate     bool // let force-release act on one late call
	looksOnlyThere   bool // look for what may exist already in the chosen cluster alone
	unguardedRecords bool // write the record over whatever is there
}

type readKey struct {
	machine number
	held    bool
	ledger  book
	status  [2]number
}

func newOperator(s shape) *operator {
	return &operator{
		shape: s, texts: newTexts(s), reads: map[readKey]custody.Reading{},
		read: func(m *vitistackv1alpha1.Machine, held bool) custody.Reading {
			return custody.Read(m, held, providerID, func(string) []string { return nil })
		},
		confirmedBy: func(s custody.Subject, l vitistackv1alpha1.Ledger, vm custody.Sighting) bool {
			return s.ConfirmedBy(l, vm)
		},
		find:      custody.Case.Find,
		findLost:  custody.Case.FindLost,
		place:     custody.Case.Place,
		mayCreate: custody.Case.MayCreate,
		seen:      func(looks []custody.Look) []custody.Look { return looks },
	}
}

// sight is what one pass of one Machine can see. late is the cluster whose one answer comes too
// late, -1 for none.
type sight struct {
	*operator
	state   *state
	m       number
	late    int
	verdict *string // what a decision breaks by itself
}

func (o sight) self() *machine { return o.state.machine(o.m) }

func (o sight) look(configs ...number) []custody.Look {
	looks := make([]custody.Look, 0, len(configs))
	for _, config := range configs {
		look := o.texts.look(o.shape, o.state, o.m, config)
		if o.late == int(clusterOf(config)) {
			look.Silent, look.Found = errSilent, nil
		}
		looks = append(looks, look)
	}
	return o.seen(looks)
}

// silentIn reports whether a cluster gives this pass no answer, in truth.
func (o sight) silentIn(config number) bool {
	return o.state.silent[clusterOf(config)] || o.late == int(clusterOf(config))
}

func (o sight) anySilent() bool { return slices.ContainsFunc(o.shape.configs, o.silentIn) }

func (o sight) caseOf(recorded *book, looks []custody.Look) custody.Case {
	c := custody.Case{
		Machine: o.texts.subject(o.shape, o.m, *o.self()), Looks: looks, Claimants: o.texts.claimants(o.state, o.m),
	}
	if o.reading().Standing == custody.Unconfirmed {
		c.Machine.LedgerVMUID = o.texts.vmUID[o.self().ledger.vm]
	}
	if recorded != nil {
		c.Record = &custody.Record{Ledger: o.texts.ledger(o.shape, o.m, *recorded)}
	}
	return c
}

func (o sight) reading() custody.Reading {
	self := *o.self()
	key := readKey{o.m, self.held, self.ledger, [2]number{self.statusConfig, self.statusVM}}
	reading, known := o.reads[key]
	if !known {
		reading = o.read(o.texts.object(o.shape, o.m, self), self.held)
		o.reads[key] = reading
	}
	return reading
}

// number of a VirtualMachine that a finding names.
func (o sight) placed(found custody.Finding) (config, x number) {
	return number(slices.Index(o.texts.config, found.Place.Config)),
		number(slices.Index(o.texts.vmUID, string(found.Place.VM.UID)))
}

func (o sight) breaks(what string) {
	if *o.verdict == "" {
		*o.verdict = what
	}
}

// counted holds that what is called a duplicate are two objects.
func (o sight) counted(found custody.Finding) custody.Finding {
	seen := 0
	for _, v := range o.state.vms {
		if v.there && (v.label == o.m || v.owner == 0 || v.name == o.shape.nameOf(o.m)) {
			seen++
		}
	}
	if found.Reason == vitistackv1alpha1.ReasonDuplicateVM && seen < 2 {
		o.breaks("one VirtualMachine counts as two")
	}
	return found
}

// start is the start of a pass: what may come first, one for each thing that a strategy may answer.
func (o sight) start() []pass {
	if o.self().deleting {
		return []pass{o.gone()}
	}
	return o.wanted()
}

func (o sight) pass(next step, ledger book) pass {
	return pass{step: next, machine: o.m, ledger: ledger, config: ledger.config, vm: ledger.vm}
}

// wanted: record, then what the looks show.
func (o sight) wanted() []pass {
	reading, self := o.reading(), o.self()
	switch reading.Standing {
	case custody.Broken:
		return nil
	case custody.Confirmed:
		return o.realize(self.ledger)
	case custody.Unconfirmed:
		if o.confirmed(reading) {
			if self.held {
				return o.realize(self.ledger)
			}
			again := o.pass(record, self.ledger)
			again.then = writeStatus
			return []pass{again}
		}
	case custody.Lost:
		return o.restore(reading)
	}
	return o.choose(reading)
}

func (o sight) confirmed(reading custody.Reading) bool {
	look := o.look(o.self().ledger.config)[0]
	subject := o.texts.subject(o.shape, o.m, *o.self())
	return look.Silent == nil && slices.ContainsFunc(look.Found, func(vm custody.Sighting) bool {
		return o.confirmedBy(subject, reading.Ledger, vm)
	})
}

// restore writes a lost ledger anew where the cluster that the status names has the VirtualMachine.
func (o sight) restore(custody.Reading) []pass {
	config := o.self().statusConfig
	if o.silentIn(config) {
		return nil
	}
	found := o.counted(o.findLost(o.caseOf(nil, o.look(config))))
	if found.Is != custody.Yours {
		return nil
	}
	_, x := o.placed(found)
	again := o.pass(record, book{config: config, nonce: o.nonceOf(x), vm: x})
	again.then = claim
	return []pass{again}
}

func (o sight) nonceOf(x number) number {
	if nonce := o.state.vm(x).nonce; nonce != 0 {
		return nonce
	}
	return newNonce
}

// choose asks every strategy there could be, and the judge.
func (o sight) choose(reading custody.Reading) []pass {
	var next []pass
	for _, config := range o.shape.configs {
		if reference := o.self().reference; reference != 0 && reference != config {
			continue
		}
		for _, searched := range []bool{false, true} {
			next = append(next, o.judge(reading, config, searched)...)
		}
	}
	return next
}

func (o sight) judge(reading custody.Reading, config number, searched bool) []pass {
	looks := o.look(o.shape.configs...)
	if o.looksOnlyThere {
		looks = o.look(config)
	}
	found := o.counted(o.place(o.caseOf(nil, looks), custody.Choice{Config: o.texts.config[config], Searched: searched}))
	ledger := book{config: config}
	if was := o.self().ledger; reading.Standing == custody.Unconfirmed && was.config == config {
		ledger.nonce = was.nonce
	} else if found.Is == custody.Absent || found.Is == custody.Yours {
		ledger.nonce = newNonce
	}
	switch found.Is {
	case custody.Yours:
		ledger.config, ledger.vm = o.placed(found)
		if nonce := o.state.vm(ledger.vm).nonce; nonce != 0 {
			ledger.nonce = nonce
		}
		if o.anySilent() && found.Relation != custody.Mine && found.Relation != custody.Restored {
			o.breaks("an adoption was decided while a cluster was silent")
		}
		adopt := o.pass(record, ledger)
		adopt.then, adopt.searched = claim, searched && o.isTheOnly(ledger.vm)
		return []pass{adopt}
	case custody.Absent:
		if o.anySilent() {
			o.breaks("a place was decided while a cluster was silent")
		}
		first := o.pass(record, ledger)
		first.then = create
		waits := first
		waits.then = writeStatus // what the VirtualMachine refers to is not ready yet
		if o.createFirst {
			first.step, first.then = create, record
		}
		return []pass{first, waits}
	default:
		return nil
	}
}

// isTheOnly reports whether a VirtualMachine is a person's, unlabelled, and the only such one of
// its name.
func (o sight) isTheOnly(x number) bool {
	count := 0
	for _, v := range o.state.vms {
		if v.there && v.label == 0 && v.name == o.shape.nameOf(o.m) {
			count++
		}
	}
	return count == 1 && o.state.vm(x).label == 0 && !o.anySilent()
}

// realize goes on by the record: a VirtualMachine that is there is claimed and learnt, one that is
// absent may be made.
func (o sight) realize(ledger book) []pass {
	c := o.caseOf(&ledger, o.look(ledger.config))
	found := o.counted(o.find(c))
	switch found.Is {
	case custody.Yours:
		_, x := o.placed(found)
		return []pass{o.after(claim, o.withVM(ledger, x))}
	case custody.Absent:
		if o.silentIn(ledger.config) {
			o.breaks("absence was concluded while the cluster was silent")
		}
		if o.mayCreate(c).Is == custody.Refused {
			return []pass{o.pass(writeStatus, ledger)}
		}
		return []pass{o.fence(ledger)}
	default:
		return []pass{o.pass(writeStatus, ledger)}
	}
}

func (o sight) withVM(ledger book, x number) pass {
	p := o.pass(claim, ledger)
	p.vm = x
	return p
}

// fence shows that the Machine in hand is the newest one; where its VirtualMachine is gone it
// begins a new intent.
func (o sight) fence(ledger book) pass {
	p := o.pass(fence, ledger)
	p.consented = ledger.vm != 0
	if ledger.vm != 0 && !o.keepsIntent {
		p.ledger.vm, p.vm, p.ledger.nonce = 0, 0, newNonce
	}
	if o.withoutFence {
		p.step = create
	}
	return p
}

// after is the first write from a step on that has anything to do.
func (o sight) after(from step, p pass) pass {
	p.step = from
	if p.step == claim && o.state.vm(p.vm).label == o.m {
		p.step = learn
	}
	if p.step == learn && p.ledger.vm == p.vm {
		p.step = writeStatus
	}
	if p.step == learn {
		p.ledger.vm = p.vm
	}
	self := o.self()
	if p.step == writeStatus && self.statusConfig == p.ledger.config && (p.vm == 0 || self.statusVM == p.vm) {
		p.step = idle
	}
	return p
}

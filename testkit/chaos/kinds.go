package chaos

import (
	"context"
	"slices"
	"time"
)

// kind is a kind of step.
type kind struct {
	name string
	// weight is how often it is drawn, beside the others.
	weight int
	// cost is about how long it takes by itself.
	cost time.Duration
	// draw chooses a subject and parameters. It depends on the draft alone.
	draw func(d *draft) Step
	// do does it. An error says that the world did not let it; the step is noted as not done.
	do func(ctx context.Context, w *world, step Step) error
}

// kinds are all of them.
func kinds() []kind {
	return slices.Concat(machineKinds(), wishKinds(), peopleKinds(), objectKinds(), operatorKinds(), faultKinds(),
		admissionKinds(), serverKinds(), backupKinds(), secretKinds(), pluginKinds(), hostileKinds())
}

// Kinds are the names of all kinds of steps.
func Kinds() []string {
	var names []string
	for _, k := range kinds() {
		names = append(names, k.name)
	}
	return names
}

func kindOf(name string) (kind, bool) {
	all := kinds()
	i := slices.IndexFunc(all, func(k kind) bool { return k.name == name })
	if i < 0 {
		return kind{}, false
	}
	return all[i], true
}

package chaos

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
)

const (
	// names is how many names Machines have: a name is used again after a deletion.
	names = 8
	// first is how many Machines a schedule begins with.
	first = 3
	// longestPause is the longest pause between two steps.
	longestPause = 1500 * time.Millisecond
)

// draft is a schedule that is being made.
type draft struct {
	rng *rand.Rand
	// machines are the names that were created so far, sorted; saved are the clusters of which there
	// is a snapshot.
	machines, saved []string
	made            int
}

// Generate returns the schedule of a seed, whose steps take about as long as length. It is a pure
// function.
func Generate(seed uint64, length time.Duration) Schedule {
	d := &draft{rng: rand.New(rand.NewPCG(seed, 0))}
	schedule := Schedule{Seed: seed, Time: metav1.Duration{Duration: length}}
	for left := length; left > 0; {
		k := d.kind()
		if len(schedule.Steps) < first {
			k, _ = kindOf("create")
		}
		step := k.draw(d)
		step.Kind = k.name
		step.After.Duration = d.between(50*time.Millisecond, longestPause)
		left -= step.After.Duration + k.cost
		schedule.Steps = append(schedule.Steps, step)
	}
	return schedule
}

// kind draws one by its weight.
func (d *draft) kind() kind {
	all, total := kinds(), 0
	for _, k := range all {
		total += k.weight
	}
	at := d.rng.IntN(total)
	for _, k := range all {
		if at -= k.weight; at < 0 {
			return k
		}
	}
	return all[0] // cannot be: at is below the sum
}

// between draws a time, in whole milliseconds.
func (d *draft) between(least, most time.Duration) time.Duration {
	return least + time.Duration(d.rng.Int64N((most-least).Milliseconds()+1))*time.Millisecond
}

// lasting is a parameter for how long something goes on.
func (d *draft) lasting(least, most time.Duration) string { return d.between(least, most).String() }

// of draws one of several.
func of[T any](d *draft, from ...T) T { return from[d.rng.IntN(len(from))] }

// newMachine is a name for a creation: a new one at first, later any.
func (d *draft) newMachine() string {
	name := fmt.Sprintf("m%d", d.made)
	if d.made++; d.made > names {
		name = fmt.Sprintf("m%d", d.rng.IntN(names))
	}
	if i, found := slices.BinarySearch(d.machines, name); !found {
		d.machines = slices.Insert(d.machines, i, name)
	}
	return name
}

// machine draws one that was created; it may be deleted by now.
func (d *draft) machine() string {
	if len(d.machines) == 0 {
		return "m0"
	}
	return of(d, d.machines...)
}

// remote draws a remote cluster.
func (d *draft) remote() string { return of(d, remotes()...) }

// cluster draws a remote, or more rarely the supervisor.
func (d *draft) cluster() string { return of(d, append(remotes(), fleet.Supervisor)...) }

// others draws a number of remotes, all different.
func (d *draft) others(number int) []string {
	all := remotes()
	d.rng.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all[:number]
}

// nth draws a number from 1 to most, as a parameter.
func (d *draft) nth(most int) string { return strconv.Itoa(1 + d.rng.IntN(most)) }

// remotes are the names of the fleet's remote clusters.
func remotes() []string { return []string{"cluster-east", "cluster-west", "cluster-north"} }

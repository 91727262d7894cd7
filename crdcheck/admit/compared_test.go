package admit_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/dynamic"

	"github.com/vitistack/kubevirt-multicluster/crdcheck"
)

const (
	// fieldsAtOnce are the changes that one pair of definitions has.
	fieldsAtOnce = 30
	// mostAttempts bounds how many values are tried for one change.
	mostAttempts = 400
)

// TestCompareForetells holds Compare to a real API server. Objects that a definition accepts are
// sent to a changed one (dry run): what is refused or dropped there must have been foretold, at that
// path or above or below it, and each error that was foretold must be met by an object. What an
// object meets one way is what a reader of the other way may meet, and must be foretold to him.
//
// All listed changes are tried, and a quarter of the random ones that TestLongCompareForetells tries.
func TestCompareForetells(t *testing.T) { comparesForetell(t, 105, 5_000) }

// TestLongCompareForetells is TestCompareForetells with more random changes, and more objects of each.
func TestLongCompareForetells(t *testing.T) { comparesForetell(t, 420, 20_000) }

// comparesForetell tries the listed changes and some random ones with objects that are accepted by the
// old definition: so many at least.
func comparesForetell(t *testing.T, random, objects int) {
	t.Helper()
	listed := listedChanges(t)
	changes := bothWays(t, slices.Concat(listed, randomChanges(rand.New(rand.NewPCG(13, 1)), random)))
	if len(changes) < len(listed)+random {
		t.Fatalf("only %d changes", len(changes))
	}
	s := start(t)
	tally := comparedTally{each: (objects + len(changes) - 1) / len(changes)}
	var at int
	for some := range slices.Chunk(changes, fieldsAtOnce) {
		compareChanges(t, s, &tally, at, some)
		at++
	}
	t.Logf("%d changes, %d objects accepted by the old of %d tried: %d kept as they were, %d refused, %d pruned, %d filled in; "+
		"%d errors foretold, %d met, %d that no object of both definitions reaches; %d unexplained",
		len(changes), tally.objects, tally.tried, tally.kept, tally.refused, tally.pruned, tally.filled,
		tally.foretold, tally.met, tally.unreached, tally.unexplained)
	if tally.objects < objects || tally.refused < objects/20 || tally.pruned < objects/100 {
		t.Error("the objects do not try enough of what there is")
	}
	if tally.unreached > tally.foretold/10 {
		t.Error("too many of the definitions contradict themselves or each other")
	}
}

type comparedTally struct {
	lock                                          sync.Mutex
	each                                          int // objects of a change
	objects, tried, kept, refused, pruned         int
	filled, foretold, met, unreached, unexplained int
}

func compareChanges(t *testing.T, s server, tally *comparedTally, at int, changes []change) {
	t.Helper()
	before, after := map[string]schema{}, map[string]schema{}
	for i, c := range changes {
		before[fieldName(i)], after[fieldName(i)] = c.old, c.new
	}
	old, found := definitionOf(fmt.Sprintf("old%d", at), before), definitionOf(fmt.Sprintf("new%d", at), after)
	s.serve(t, old, found)
	renamed := *found.DeepCopy()
	renamed.Name, renamed.Spec.Group = old.Name, old.Spec.Group
	report := crdcheck.Compare(
		crdcheck.Observed("old", old), crdcheck.Observed("new", renamed), crdcheck.Options{},
	)
	reversed := crdcheck.Compare(
		crdcheck.Observed("new", renamed), crdcheck.Observed("old", old), crdcheck.Options{},
	)
	var asking sync.WaitGroup
	slots := make(chan struct{}, askers)
	for i, c := range changes {
		name := fieldName(i)
		slots <- struct{}{}
		asking.Go(func() {
			defer func() { <-slots }()
			one := compared{
				change: c, field: name, seed: uint64(at*fieldsAtOnce + i),
				old: s.resources(&old, 0), new: s.resources(&found, 0), group: found.Spec.Group,
				foretold: about(report, name), toReaders: about(reversed, name),
			}
			one.run(t, tally)
		})
	}
	asking.Wait()
	s.forget(t, old, found)
}

func fieldName(i int) string { return fmt.Sprintf("f%d", i) }

// about returns the findings about one field below spec.
func about(report crdcheck.Report, name string) []crdcheck.Finding {
	return slices.DeleteFunc(slices.Clone(report.Findings), func(f crdcheck.Finding) bool {
		rest, found := strings.CutPrefix(f.Path, "spec."+name)
		return !found || rest != "" && rest[0] != '.' && rest[0] != '['
	})
}

// compared is the work on one change.
type compared struct {
	change
	field               string
	seed                uint64
	old, new            dynamic.ResourceInterface
	group               string
	foretold, toReaders []crdcheck.Finding

	met, reached map[crdcheck.Finding]bool
	told         int
}

func (c *compared) run(t *testing.T, tally *comparedTally) {
	g := values{rand.New(rand.NewPCG(17, c.seed))}
	c.met, c.reached = map[crdcheck.Finding]bool{}, map[crdcheck.Finding]bool{}
	accepted := 0
	for attempt := 0; attempt < mostAttempts && (accepted < tally.each || len(c.unmet()) > 0); attempt++ {
		spec := map[string]any{}
		if g.chance(95) {
			spec[c.field] = g.value(&c.change.old, &c.change.new)
		}
		kept, err := create(t.Context(), c.old, strings.Replace(c.group, "new", "old", 1), spec)
		tally.add(func() { tally.tried++ })
		if err != nil {
			continue
		}
		accepted++
		c.ask(t, tally, listed(spec, kept).(map[string]any), only(kept, c.field))
	}
	tally.add(func() {
		tally.foretold += len(c.errors())
		tally.met += len(c.errors()) - len(c.unmet())
	})
	for _, f := range c.unmet() {
		if !c.reached[f] {
			tally.add(func() { tally.unreached++ })
			continue
		}
		c.unexplained(t, tally, "no object meets the error %s at %s: %s -> %s", f.Rule, f.Path, f.Old, f.New)
	}
}

// only leaves out what the other fields of the definition are filled with.
func only(spec map[string]any, field string) map[string]any {
	value, found := spec[field]
	if !found {
		return map[string]any{}
	}
	return map[string]any{field: value}
}

// whereMet is the path, below spec, of the values that a finding is about.
func whereMet(f crdcheck.Finding) []string {
	path := segments(f.Path)[1:]
	if f.Rule == crdcheck.RuleUnknownFieldsPruned {
		path = append(path, unlisted)
	}
	return path
}

// reaches reports whether a value has something at a path of a schema, or, of an absent field, right
// above it.
func reaches(value any, path []string, absent bool) bool {
	if len(path) == 0 || len(path) == 1 && absent {
		return true
	}
	below := func(v any) bool { return reaches(v, path[1:], absent) }
	switch v := value.(type) {
	case map[string]any:
		if path[0] == "*" {
			return slices.ContainsFunc(slices.Collect(maps.Values(v)), below)
		}
		next, found := v[path[0]]
		return found && below(next)
	case []any:
		return path[0] == "" && slices.ContainsFunc(v, below)
	}
	return false
}

// listed leaves out of a value what the old definition dropped of it: nobody wrote that for it.
func listed(sent, kept any) any {
	switch value := sent.(type) {
	case map[string]any:
		if is, isMap := kept.(map[string]any); isMap {
			left := map[string]any{}
			for key := range value {
				if below, found := is[key]; found {
					left[key] = listed(value[key], below)
				}
			}
			return left
		}
	case []any:
		if is, isList := kept.([]any); isList && len(is) == len(value) {
			left := make([]any, len(value))
			for i := range value {
				left[i] = listed(value[i], is[i])
			}
			return left
		}
	}
	return sent
}

// ask sends an object to the new definition. Kept is what the old one makes of it.
func (c *compared) ask(t *testing.T, tally *comparedTally, sent, kept map[string]any) {
	got, err := create(t.Context(), c.new, c.group, sent)
	tally.add(func() { tally.objects++ })
	var status apierrors.APIStatus
	switch {
	case err == nil:
		for _, f := range c.unmet() { // no other change refused the object
			c.reached[f] = c.reached[f] || reaches(kept, whereMet(f), strings.HasPrefix(string(f.Rule), "required-"))
		}
		c.look(t, tally, kept, only(got, c.field))
	case errors.As(err, &status) && apierrors.IsInvalid(err):
		tally.add(func() { tally.refused++ })
		for _, cause := range status.Status().Details.Causes {
			path := cause.Field
			if !strings.HasPrefix(path, "spec.") { // some are told of the whole object, and say where in the message
				path = "spec." + c.field
			}
			c.meet(t, tally, sent, "refused: "+cause.Message, path, crdcheck.Narrows, crdcheck.Incomparable, crdcheck.Drops, crdcheck.Alters)
		}
	default:
		t.Errorf("asking the server: %v", err)
	}
}

// look compares what both keep.
func (c *compared) look(t *testing.T, tally *comparedTally, kept, got map[string]any) {
	gone, come := differences("spec", kept, got)
	tally.add(func() {
		switch {
		case len(gone) > 0:
			tally.pruned++
		case len(come) > 0:
			tally.filled++
		default:
			tally.kept++
		}
	})
	for _, path := range gone {
		effects := []crdcheck.Effect{crdcheck.Drops, crdcheck.Narrows, crdcheck.Incomparable, crdcheck.Alters}
		what := "dropped"
		if at := slices.Index(come, path); at >= 0 { // null, that is a default now, or was one
			come = slices.Delete(come, at, at+1)
			what, effects = "replaced", append(effects, crdcheck.Widens)
		}
		c.meet(t, tally, kept, what, path, effects...)
	}
	for _, path := range come {
		c.meet(t, tally, kept, "filled in", path, crdcheck.Alters, crdcheck.Incomparable)
	}
}

// meet notes that something happened to an object, and faults what was not foretold.
func (c *compared) meet(
	t *testing.T, tally *comparedTally, kept map[string]any, what, path string, effects ...crdcheck.Effect,
) {
	effects = append(effects, crdcheck.Unknown)
	foretold := false
	for _, f := range c.foretold {
		if slices.Contains(effects, f.Effect) && near(f.Path, path) {
			foretold, c.met[f] = true, true
		}
	}
	if !foretold {
		c.unexplained(t, tally, "%v: %s at %s, not foretold", kept, what, path)
	}
	if what == "replaced" {
		return // a reader met either value before
	}
	isReaders := func(f crdcheck.Finding) bool {
		return near(f.Path, path) && (f.Effect != crdcheck.Narrows || strings.HasPrefix(string(f.Rule), "required-"))
	}
	if !slices.ContainsFunc(c.toReaders, isReaders) {
		c.unexplained(t, tally, "%v: %s at %s, which readers of the reversed change are not told", kept, what, path)
	}
}

// errors are the foretold findings that must be met.
func (c *compared) errors() []crdcheck.Finding {
	harmless := func(f crdcheck.Finding) bool { return f.Severity() != crdcheck.Error }
	return slices.DeleteFunc(slices.Clone(c.foretold), harmless)
}

func (c *compared) unmet() []crdcheck.Finding {
	return slices.DeleteFunc(c.errors(), func(f crdcheck.Finding) bool { return c.met[f] })
}

func (c *compared) unexplained(t *testing.T, tally *comparedTally, format string, args ...any) {
	tally.add(func() { tally.unexplained++ })
	if c.told++; c.told == 1 { // the others of one change are much the same
		t.Errorf("%s: %s -> %s\n  "+format, append([]any{c.name, shown(c.change.old), shown(c.change.new)}, args...)...)
	}
}

func (c *comparedTally) add(change func()) {
	c.lock.Lock()
	defer c.lock.Unlock()
	change()
}

// create asks for an object of this spec, by dry run, and returns the spec that would be kept.
func create(
	ctx context.Context, resources dynamic.ResourceInterface, group string, spec map[string]any,
) (map[string]any, error) {
	kept, err := resources.Create(ctx, object(map[string]any{
		"apiVersion": group + "/v1", "kind": "Thing", "metadata": map[string]any{"name": "thing", "namespace": "default"},
		"spec": maps.Clone(spec),
	}), metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}, FieldValidation: metav1.FieldValidationIgnore})
	if err != nil {
		return nil, err
	}
	found, _ := kept.Object["spec"].(map[string]any)
	return found, nil
}

// differences returns the paths that are in one value alone, and those in the other alone. A value
// that was replaced is in both.
func differences(path string, old, found any) (gone, come []string) {
	switch was := old.(type) {
	case map[string]any:
		is, isMap := found.(map[string]any)
		if !isMap {
			break
		}
		for _, key := range slices.Sorted(maps.Keys(was)) {
			if _, both := is[key]; !both {
				gone = append(gone, path+"."+key)
				continue
			}
			g, c := differences(path+"."+key, was[key], is[key])
			gone, come = append(gone, g...), append(come, c...)
		}
		for _, key := range slices.Sorted(maps.Keys(is)) {
			if _, both := was[key]; !both {
				come = append(come, path+"."+key)
			}
		}
		return gone, come
	case []any:
		is, isList := found.([]any)
		if !isList || len(is) != len(was) {
			break
		}
		for i := range was {
			g, c := differences(fmt.Sprintf("%s[%d]", path, i), was[i], is[i])
			gone, come = append(gone, g...), append(come, c...)
		}
		return gone, come
	}
	if !reflect.DeepEqual(old, found) {
		return []string{path}, []string{path}
	}
	return nil, nil
}

// near reports whether a path of a schema is that of a value, or above or below it.
func near(schemaPath, valuePath string) bool {
	of, at := segments(schemaPath), segments(valuePath)
	for i := range min(len(of), len(at)) {
		switch {
		case of[i] == at[i], of[i] == "*":
		case of[i] == "" && strings.Trim(at[i], "0123456789") == "":
		default:
			return false
		}
	}
	return true
}

// segments splits spec.list[0].map[*] into spec, list, 0, map and *. The test's names have no dots.
func segments(path string) []string {
	return strings.Split(strings.NewReplacer("[", ".", "]", "").Replace(path), ".")
}

func shown(s schema) string {
	text, _ := json.Marshal(s) // it was read from text
	return string(text)
}

package app

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/pflag"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/vitistack/kubevirt-multicluster/clientmgr"
	"github.com/vitistack/kubevirt-multicluster/clusterstatus"
	"github.com/vitistack/kubevirt-multicluster/clusterstatus/startup"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/metrics"
	placementhost "github.com/vitistack/kubevirt-multicluster/placement/host"
)

// set is a set of words.
type set map[string]struct{}

func (s set) add(word string) { s[word] = struct{}{} }

func (s set) want(t *testing.T, what string, got set) {
	t.Helper()
	if len(s) == 0 {
		t.Fatalf("no %s found: the test looked at nothing", what)
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(s)), slices.Sorted(maps.Keys(got))); diff != "" {
		t.Errorf("%s of the code and of README.md differ: -code +README.md:\n%s", what, diff)
	}
}

var codeSpan = regexp.MustCompile("`([^`]+)`")

// documented returns the code spans in columns first to last of the table under a heading of
// README.md.
func documented(t *testing.T, heading string, first, last int) set {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, section, found := strings.Cut(string(content), "\n## "+heading+"\n")
	if !found {
		t.Fatalf("README.md has no section %q", heading)
	}
	section, _, _ = strings.Cut(section, "\n## ")
	words := set{}
	for line := range strings.Lines(section) {
		row, isRow := strings.CutPrefix(strings.TrimSpace(line), "|")
		cells := strings.Split(strings.TrimSuffix(row, "|"), "|")
		if !isRow || len(cells) <= last {
			continue
		}
		for _, cell := range cells[first : last+1] {
			for _, match := range codeSpan.FindAllStringSubmatch(cell, -1) {
				words.add(match[1])
			}
		}
	}
	return words
}

func TestReadmeFlags(t *testing.T) {
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	new(Options).addFlags(flags)
	names := set{}
	flags.VisitAll(func(flag *pflag.Flag) { names.add("--" + flag.Name) })
	names.want(t, "flags", documented(t, "Flags", 0, 0))
}

func TestReadmeEnvironment(t *testing.T) {
	names := set{}
	err := new(Options).readEnvironment(func(name string) (string, bool) {
		names.add(name)
		return "", false
	})
	if err != nil {
		t.Fatal(err)
	}
	names.want(t, "variables", documented(t, "Environment", 0, 0))
}

// TestReadmeEvents compares the table of Events with the calls that make them. Warnings that are named
// by a constant have the reasons of conditions, which a test of module api compares.
func TestReadmeEvents(t *testing.T) {
	events := set{}
	for _, folder := range []string{"../machine", "../evacuation", "../rollout", "../../../clusterstatus"} {
		found := 0
		inspect(t, folder+"/*.go", func(node ast.Node) {
			call, ok := node.(*ast.CallExpr)
			if !ok || !isEvent(call) {
				return
			}
			found++
			arguments := call.Args[len(call.Args)-4:] // kind, reason, action, note
			switch reason := arguments[1].(type) {
			case *ast.BasicLit:
				events.add(literal(t, reason))
			case *ast.SelectorExpr: // a constant, whose name ends in its value
				name, isReason := strings.CutPrefix(reason.Sel.Name, "Reason")
				if isReason && name != "" && !isWarning(arguments[0]) {
					events.add(name)
				}
			}
		})
		if found == 0 {
			t.Errorf("no events found in %s: the test looked at nothing", folder)
		}
	}
	events.want(t, "events", documented(t, "Events", 1, 1))
}

func registering(registry prometheus.Registerer) (options clientmgr.Options) {
	options.Registerer = registry
	return options
}

func TestReadmeMetrics(t *testing.T) {
	registry := &registerer{names: set{}}
	supervisor := fake.NewClientBuilder().WithScheme(runtime.NewScheme()).Build()
	if _, err := clientmgr.NewKubevirtClientManager(supervisor, nil, registering(registry)); err != nil {
		t.Fatal(err)
	}
	configs := clusterstatus.NewReconciler(supervisor, nil, clusterstatus.Options{})
	if err := registry.Register(configs.Collector()); err != nil {
		t.Fatal(err)
	}
	if err := registry.Register(startup.New(supervisor, startup.Options{})); err != nil {
		t.Fatal(err)
	}
	host, err := placementhost.New(placementhost.Source{Dir: t.TempDir()}, placementhost.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := registry.Register(host.Collector()); err != nil {
		t.Fatal(err)
	}
	for _, each := range []prometheus.Collector{metrics.NewMachines(nil, nil), metrics.NewCensus(nil, nil, nil, nil),
		metrics.NewMoves(nil, nil, nil, nil), metrics.NewBites(nil), metrics.NewRollouts(nil, nil), metrics.NewShards("", 0, nil)} {
		if err := registry.Register(each); err != nil {
			t.Fatal(err)
		}
	}
	registry.names.want(t, "metrics", documented(t, "Metrics", 0, 0))
}

func TestReadmeDependencies(t *testing.T) {
	content, err := os.ReadFile(filepath.Join("..", "..", "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	_, direct, _ := strings.Cut(string(content), "require (")
	direct, _, _ = strings.Cut(direct, ")")
	want, got := set{}, set{}
	rows := documented(t, "Direct dependencies", 0, 0)
	for line := range strings.Lines(direct) {
		name, _, found := strings.Cut(strings.TrimSpace(line), " ")
		if !found {
			continue
		}
		want.add(name)
		for row := range rows {
			if prefix, group := strings.CutSuffix(row, "*"); row == name || group && strings.HasPrefix(name, prefix) {
				got.add(name)
			}
		}
	}
	want.want(t, "direct dependencies", got)
}

// registerer takes down the names of metrics.
type registerer struct {
	prometheus.Registerer
	names set
}

var metricName = regexp.MustCompile(`fqName: "([^"]+)"`)

func (r *registerer) Register(collector prometheus.Collector) error {
	descs := make(chan *prometheus.Desc)
	go func() {
		collector.Describe(descs)
		close(descs)
	}()
	for desc := range descs {
		match := metricName.FindStringSubmatch(desc.String())
		if match == nil {
			return fmt.Errorf("no name in %s", desc)
		}
		r.names.add(match[1])
	}
	return nil
}

// inspect walks the Go files that match a pattern, tests apart.
func inspect(t *testing.T, pattern string, visit func(ast.Node)) {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: no files (%v)", pattern, err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(node ast.Node) bool { visit(node); return true })
	}
}

// isEvent recognises x.event(kind, reason, action, note), with the object before them or without.
func isEvent(call *ast.CallExpr) bool {
	method, ok := call.Fun.(*ast.SelectorExpr)
	return ok && method.Sel.Name == "event" && (len(call.Args) == 4 || len(call.Args) == 5)
}

// isWarning recognises eventWarning and corev1.EventTypeWarning.
func isWarning(kind ast.Expr) bool {
	switch kind := kind.(type) {
	case *ast.Ident:
		return kind.Name == "eventWarning"
	case *ast.SelectorExpr:
		return kind.Sel.Name == "EventTypeWarning"
	}
	return false
}

func literal(t *testing.T, expression ast.Expr) string {
	t.Helper()
	value, err := strconv.Unquote(expression.(*ast.BasicLit).Value)
	if err != nil {
		t.Fatal(err)
	}
	return value
}

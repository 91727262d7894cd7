package workflows_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rhysd/actionlint"
)

// root is the repository's. It is a link, because go test keeps an old result unless a file changes
// that it saw being read inside this module.
var root = filepath.Join("testdata", "repository")

// workflows are the texts of all workflows, by the names of their files.
func workflows(t *testing.T) map[string][]byte {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(root, ".github", "workflows", "*"))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]byte{}
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		all[filepath.Base(path)] = content
	}
	if len(all) < 3 {
		t.Fatalf("%d workflows: the test looked at nothing", len(all))
	}
	return all
}

// parsed is a workflow that GitHub can read.
func parsed(t *testing.T, name string, content []byte) *actionlint.Workflow {
	t.Helper()
	workflow, problems := actionlint.Parse(content)
	if len(problems) > 0 {
		t.Fatalf("%s: %v", name, problems)
	}
	return workflow
}

// lint is what actionlint says about a workflow, as it stands in this repository.
func lint(t *testing.T, name string, content []byte) []*actionlint.Error {
	t.Helper()
	var said bytes.Buffer
	// The shell's own checker is no program that a clean machine has.
	linter, err := actionlint.NewLinter(&said, &actionlint.LinterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	project, err := actionlint.NewProject(root)
	if err != nil {
		t.Fatal(err)
	}
	problems, err := linter.Lint(filepath.Join(root, ".github", "workflows", name), content, project)
	if err != nil {
		t.Fatal(err)
	}
	return problems
}

func TestValid(t *testing.T) {
	for name, content := range workflows(t) {
		for _, problem := range lint(t, name, content) {
			t.Errorf("%s:%d:%d: %s", name, problem.Line, problem.Column, problem.Message)
		}
	}
}

// TestLintFinds: a checker that is called in the wrong way finds nothing for ever.
func TestLintFinds(t *testing.T) {
	content := workflows(t)["release.yml"]
	for name, tc := range map[string]struct{ reason, before, after, want string }{
		"expression": {
			reason: "a step's output that is not there is an empty text", before: "steps.image.outputs.digest",
			after: "steps.picture.outputs.digest", want: "picture",
		},
		"key":  {reason: "a mistyped key has no effect", before: "timeout-minutes", after: "timeout", want: "timeout"},
		"need": {reason: "a job that is not there never ends", before: "needs: test", after: "needs: tests", want: "tests"},
		"workflow": {
			reason: "a workflow that is not there cannot be called", before: "workflows/ci.yml", after: "workflows/no.yml",
			want: "no.yml",
		},
	} {
		t.Run(name, func(t *testing.T) {
			wrong := bytes.ReplaceAll(content, []byte(tc.before), []byte(tc.after))
			if bytes.Equal(wrong, content) {
				t.Fatalf("the workflow has no %q", tc.before)
			}
			found := func(e *actionlint.Error) bool { return strings.Contains(e.Message, tc.want) }
			if problems := lint(t, "release.yml", wrong); !slices.ContainsFunc(problems, found) {
				t.Errorf("%s, and nothing is said about %s: %v", tc.reason, tc.want, problems)
			}
		})
	}
}

// writes are the permissions to change something that jobs have, by workflow and job.
var writes = map[string][]string{
	"release.yml publish": {"attestations", "contents", "id-token", "packages"},
}

// TestLeastPermissions: a workflow says what it may, and none may write but the job that publishes.
func TestLeastPermissions(t *testing.T) {
	got := map[string][]string{}
	for name, content := range workflows(t) {
		workflow := parsed(t, name, content)
		if workflow.Permissions == nil {
			t.Errorf("%s has whatever permissions the repository gives", name)
			continue
		}
		add(got, name, workflow.Permissions)
		for id, job := range workflow.Jobs {
			add(got, name+" "+id, job.Permissions)
		}
	}
	if diff := cmp.Diff(writes, got); diff != "" {
		t.Errorf("permissions to write (-want +got):\n%s", diff)
	}
}

func add(all map[string][]string, key string, permissions *actionlint.Permissions) {
	if permissions == nil {
		return
	}
	if permissions.All != nil {
		all[key] = append(all[key], permissions.All.Value)
	}
	for scope, permission := range permissions.Scopes {
		if permission.Value.Value == "write" {
			all[key] = append(all[key], scope)
		}
	}
	slices.Sort(all[key])
}

// pinned is an action of others by its commit, with the version for people.
var pinned = regexp.MustCompile(`uses: [\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$`)

// TestPinned: a tag of an action can be moved to other code, a commit cannot. The same action has
// one commit everywhere.
func TestPinned(t *testing.T) {
	commits := map[string]string{}
	for name, content := range workflows(t) {
		for number, line := range strings.Split(string(content), "\n") {
			_, action, found := strings.Cut(line, "uses: ")
			if !found || strings.HasPrefix(action, "./") {
				continue
			}
			if !pinned.MatchString(line) {
				t.Errorf("%s:%d: %s is not pinned by its commit, with its version beside it", name, number+1, action)
				continue
			}
			path, commit, _ := strings.Cut(action, "@")
			if other := commits[path]; other != "" && other != commit {
				t.Errorf("%s:%d: %s is %s here and %s elsewhere", name, number+1, path, commit, other)
			}
			commits[path] = commit
		}
	}
	if len(commits) < 5 {
		t.Errorf("%d actions: the test looked at nothing", len(commits))
	}
}

// TestBounded: a job that hangs ends, runs of the same kind do not race, and no token lies in the
// clone where what is run could read it.
func TestBounded(t *testing.T) {
	for name, content := range workflows(t) {
		workflow := parsed(t, name, content)
		if workflow.Concurrency == nil {
			t.Errorf("%s says nothing about runs at the same time", name)
		}
		for id, job := range workflow.Jobs {
			if job.WorkflowCall == nil && job.TimeoutMinutes == nil {
				t.Errorf("%s: job %s may take six hours", name, id)
			}
			for _, step := range job.Steps {
				action, is := step.Exec.(*actionlint.ExecAction)
				if !is || !strings.HasPrefix(action.Uses.Value, "actions/checkout@") {
					continue
				}
				if input := action.Inputs["persist-credentials"]; input == nil || input.Value.Value != "false" {
					t.Errorf("%s: job %s leaves its token in the clone", name, id)
				}
			}
		}
	}
}

// call finds make and its targets in a script. What comes after a target sets variables.
var call = regexp.MustCompile(`\bmake ([a-z-]+)`)

// TestTargetsAreThere: workflows call targets of the Makefile, and scripts in .ci, that there are.
func TestTargetsAreThere(t *testing.T) {
	targets := targets(t)
	called := map[string]bool{}
	for name, content := range workflows(t) {
		for id, job := range parsed(t, name, content).Jobs {
			for _, step := range job.Steps {
				run, is := step.Exec.(*actionlint.ExecRun)
				if !is {
					continue
				}
				for _, match := range call.FindAllStringSubmatch(run.Run.Value, -1) {
					called[match[1]] = true
					if !slices.Contains(targets, match[1]) {
						t.Errorf("%s: job %s calls make %s, which is no target", name, id, match[1])
					}
				}
				if script, _, _ := strings.Cut(run.Run.Value, " "); strings.HasPrefix(script, ".ci/") {
					called[script] = true
					if info, err := os.Stat(filepath.Join(root, script)); err != nil || info.Mode()&0o111 == 0 {
						t.Errorf("%s: job %s runs %s, which is no program: %v", name, id, script, err)
					}
				}
			}
		}
	}
	for _, want := range []string{".ci/run", "verify", "released", "test-long", "fuzz", "release", "image"} {
		if !called[want] {
			t.Errorf("no workflow calls %s", want)
		}
	}
}

// targets are those of the Makefile that can be called.
func targets(t *testing.T) []string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, match := range regexp.MustCompile(`(?m)^\.PHONY: ([a-z-]+)$`).FindAllStringSubmatch(string(content), -1) {
		if !regexp.MustCompile(fmt.Sprintf(`(?m)^%s:`, match[1])).Match(content) {
			t.Errorf("the Makefile has no rule for %s", match[1])
		}
		all = append(all, match[1])
	}
	return all
}

// TestHistoryIsThere: the upgrade test builds a former version, and a release asks for former tags.
// GitHub's clones have one commit unless they are told otherwise.
func TestHistoryIsThere(t *testing.T) {
	for _, needs := range [][2]string{{"ci.yml", "test"}, {"release.yml", "publish"}} {
		job := parsed(t, needs[0], workflows(t)[needs[0]]).Jobs[needs[1]]
		deep := func(step *actionlint.Step) bool {
			action, is := step.Exec.(*actionlint.ExecAction)
			return is && action.Inputs["fetch-depth"] != nil && action.Inputs["fetch-depth"].Value.Value == "0"
		}
		if job == nil || !slices.ContainsFunc(job.Steps, deep) {
			t.Errorf("%s: job %s has no history", needs[0], needs[1])
		}
	}
}

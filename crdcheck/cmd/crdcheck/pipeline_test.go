package main

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"
)

const released = `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: boats.harbour.example}
spec:
  group: harbour.example
  scope: Namespaced
  names: {plural: boats, kind: Boat}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          bow: &crew {type: object, properties: {mast: {type: string}, sail: {type: string}}}
          stern: *crew
`

// workflow is what the README shows to people with a pipeline.
type workflow struct {
	Jobs map[string]struct {
		Steps []struct {
			Uses, Run string
			With      map[string]any
		}
	}
}

// TestPipelineOfReadme runs the commands of the workflow in a repository whose branch breaks a
// definition of its base, and in one that breaks nothing.
func TestPipelineOfReadme(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(readme), "```yaml\non: pull_request")
	text, _, found := strings.Cut(rest, "```")
	var w workflow
	if err := yaml.Unmarshal([]byte("on: pull_request"+text), &w); err != nil || !found {
		t.Fatalf("the README has no workflow: %v", err)
	}
	var commands []string
	uploaded := ""
	for _, step := range w.Jobs["crdcheck"].Steps {
		if step.Run != "" {
			commands = append(commands, step.Run)
		}
		if strings.HasPrefix(step.Uses, "github/codeql-action/upload-sarif@") {
			uploaded, _ = step.With["sarif_file"].(string)
		}
	}
	if len(commands) != 2 || commands[0] != "go install github.com/vitistack/kubevirt-multicluster/crdcheck/cmd/crdcheck@latest" {
		t.Fatalf("want the installation and the comparison: %q", commands)
	}
	for name, tc := range map[string]struct {
		reason, proposed string
		code             int
		want             []string
	}{
		"breaks": {
			reason:   "one change below two fields is one result, and the step fails",
			proposed: strings.Replace(released, "mast: {type: string}, ", "", 1), code: findings, want: []string{"field-removed"},
		},
		"breaks nothing": {
			reason:   "a text for people is no change: there is a report to upload, without results",
			proposed: strings.Replace(released, "type: string", "type: string, description: tall", 1), code: clean,
		},
	} {
		t.Run(name, func(t *testing.T) {
			folder := pullRequest(t, tc.proposed)
			if code := shell(t, folder, commands[1]); code != tc.code {
				t.Errorf("%s: exit code %d, want %d", tc.reason, code, tc.code)
			}
			if diff := cmp.Diff(tc.want, results(t, filepath.Join(folder, uploaded))); diff != "" {
				t.Errorf("%s: -want +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// pullRequest returns a clone whose branch proposes another definition than origin/main has.
func pullRequest(t *testing.T, proposed string) string {
	t.Helper()
	folder := t.TempDir()
	for _, step := range []struct{ content, commands string }{
		{released, "git init -q -b main . && git add . && git commit -q -m released && git clone -q . clone"},
		{proposed, "git checkout -q -b proposal && git commit -q -a -m proposed"},
	} {
		file := filepath.Join(folder, "config", "crd", "boats.yaml")
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(step.content), 0o600); err != nil {
			t.Fatal(err)
		}
		if code := shell(t, folder, step.commands); code != 0 {
			t.Fatalf("%s: exit code %d", step.commands, code)
		}
		if step.content == released {
			folder = filepath.Join(folder, "clone")
		}
	}
	return folder
}

// shell runs commands as a pipeline does, and returns their exit code.
func shell(t *testing.T, folder, commands string) int {
	t.Helper()
	command := exec.CommandContext(t.Context(), "sh", "-e", "-c", commands)
	command.Dir = folder
	command.Env = append(
		os.Environ(), "GITHUB_BASE_REF=main", "HOME="+folder, "GIT_CONFIG_NOSYSTEM=1", "GIT_AUTHOR_NAME=x",
		"GIT_AUTHOR_EMAIL=x@example.com", "GIT_COMMITTER_NAME=x", "GIT_COMMITTER_EMAIL=x@example.com",
	)
	output, err := command.CombinedOutput()
	var ended *exec.ExitError
	if err != nil && !errors.As(err, &ended) {
		t.Fatal(err)
	}
	if len(output) > 0 {
		t.Logf("%s", output)
	}
	return command.ProcessState.ExitCode()
}

// results are the rules of a SARIF file's results; nil where it has none, and a failure where it has
// no list of them: a viewer takes that for a run that did not end.
func results(t *testing.T, file string) []string {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var report struct {
		Runs []struct {
			Tool    struct{ Driver struct{ Version string } }
			Results *[]struct{ RuleID string }
		}
	}
	if err := json.Unmarshal(content, &report); err != nil {
		t.Fatal(err)
	}
	if len(report.Runs) != 1 || report.Runs[0].Results == nil || report.Runs[0].Tool.Driver.Version == "" {
		t.Fatalf("no run with a version and results:\n%s", content)
	}
	var rules []string
	for _, r := range *report.Runs[0].Results {
		rules = append(rules, r.RuleID)
	}
	return rules
}

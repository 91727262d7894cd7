package documents_test

import (
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"
)

const runbooks = "deploy/docs/runbooks"

// TestRunbooks: each alert leads to a page of its own, which says in this order what it means, what it
// does to people, how to look, and what to do; and each page is an alert's.
func TestRunbooks(t *testing.T) {
	var rules struct {
		Spec struct {
			Groups []struct {
				Rules []struct {
					Alert       string
					Annotations map[string]string
				}
			}
		}
	}
	if err := yaml.Unmarshal([]byte(read(t, "deploy/monitoring/rules.yaml")), &rules); err != nil {
		t.Fatal(err)
	}
	var alerts []string
	for _, group := range rules.Spec.Groups {
		for _, rule := range group.Rules {
			alerts = append(alerts, rule.Alert)
			page := runbooks + "/" + rule.Alert + ".md"
			if url := rule.Annotations["runbook_url"]; !strings.HasSuffix(url, "/blob/main/"+page) {
				t.Errorf("runbook_url of %s is %q, which does not lead to %s", rule.Alert, url, page)
			}
			var headings []string
			for _, heading := range regexp.MustCompile(`(?m)^##? (.*)$`).FindAllStringSubmatch(read(t, page), -1) {
				headings = append(headings, heading[1])
			}
			want := []string{rule.Alert, "Meaning", "Impact", "Diagnosis", "Mitigation"}
			if diff := cmp.Diff(want, headings); diff != "" {
				t.Errorf("%s: -want +got:\n%s", page, diff)
			}
		}
	}
	entries, err := fs.ReadDir(repository(), runbooks)
	if err != nil {
		t.Fatal(err)
	}
	var pages []string
	for _, entry := range entries {
		pages = append(pages, strings.TrimSuffix(entry.Name(), ".md"))
	}
	slices.Sort(alerts)
	if diff := cmp.Diff(alerts, pages); diff != "" {
		t.Errorf("alerts and pages: -want +got:\n%s", diff)
	}
}

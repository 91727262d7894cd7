package release

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/vitistack/kubevirt-multicluster/deploy/internal/plan"
)

// notes are what people read about the release, as Markdown.
func (r *release) notes(ctx context.Context) ([]byte, error) {
	changes, err := r.changes()
	if err != nil {
		return nil, err
	}
	var text strings.Builder
	released := r.plan.Released()
	title := "Modules"
	if r.publishesOperator() {
		title = "Operator " + r.operator.Version
	}
	fmt.Fprintf(&text, "# %s\n\nOf commit %s, %s.\n\n## Changes\n\n%s\n", title, r.plan.Commit.Hash,
		r.plan.Commit.Time.Format("2006-01-02"), changes)
	tellBreaks(&text, released)
	fmt.Fprint(&text, "\n## Modules\n\nIn the order of their tags.\n\n| tag | before | why |\n|---|---|---|\n")
	for _, module := range released {
		fmt.Fprintf(&text, "| `%s` | %s | %s |\n", module.Tag(), module.Last, module.Why())
	}
	if err := r.tellCommits(ctx, &text, released); err != nil {
		return nil, err
	}
	if r.publishesOperator() {
		fmt.Fprintf(&text, "\n## Check\n\n```\nsha256sum --check --ignore-missing SHA256SUMS\n```\n\n"+
			"What this version was tested with, and how to upgrade: [support](%s).\n",
			"https://github.com/vitistack/kubevirt-multicluster/blob/operator/"+r.operator.Version+"/deploy/docs/support.md")
	}
	return []byte(text.String()), nil
}

// changes is the first section of CHANGELOG.md, which has to be about the operator's version where
// that is released.
func (r *release) changes() (string, error) {
	content, err := os.ReadFile(filepath.Join(r.source, "CHANGELOG.md"))
	if err != nil {
		return "", err
	}
	_, section, _ := strings.Cut(string(content), "\n## ")
	section, _, _ = strings.Cut(section, "\n## ")
	heading, body, _ := strings.Cut(section, "\n")
	body = strings.TrimSpace(body)
	if body == "" {
		return "", fmt.Errorf("the first section of CHANGELOG.md, %q, says nothing", heading)
	}
	if r.publishesOperator() && !hasWord(heading, r.operator.Version) {
		return "", fmt.Errorf("the first section of CHANGELOG.md is %q, and not about the operator's version %s",
			heading, r.operator.Version)
	}
	return body, nil
}

// hasWord says whether a version stands in a heading such as "Unreleased (v0.1.0)".
func hasWord(heading, version string) bool {
	for _, word := range strings.FieldsFunc(heading, func(r rune) bool { return strings.ContainsRune(" ()[],", r) }) {
		if word == version {
			return true
		}
	}
	return false
}

func tellBreaks(text *strings.Builder, modules []plan.Module) {
	told := false
	for _, module := range modules {
		for _, change := range module.API.Breaks {
			if !told {
				fmt.Fprint(text, "\n## What programs have to change\n\n")
				told = true
			}
			fmt.Fprintf(text, "- %s: `%s`\n", module.Folder, strings.ReplaceAll(change, "`", "'"))
		}
	}
}

// tellCommits lists what changed each module since its last tag. A first release has no list: it
// would be the whole history.
func (r *release) tellCommits(ctx context.Context, text *strings.Builder, modules []plan.Module) error {
	told := false
	for _, module := range modules {
		if module.Last == "" || len(module.Files) == 0 {
			continue
		}
		arguments := append([]string{"log", "--no-merges", "--format=%s (%h)",
			module.Folder + "/" + module.Last + ".." + r.plan.Commit.Hash, "--"}, module.Files...)
		subjects, err := plan.Repository(r.Clone).Lines(ctx, arguments...)
		if err != nil {
			return err
		}
		if !told {
			fmt.Fprint(text, "\n## Commits\n")
			told = true
		}
		fmt.Fprintf(text, "\n### %s\n\n", module.Folder)
		for _, subject := range subjects {
			fmt.Fprintf(text, "- %s\n", subject)
		}
	}
	return nil
}

package documents_test

import (
	"io/fs"
	"regexp"
	"strings"
	"testing"
)

var (
	recipeExample = regexp.MustCompile("Example: `([^`]+)`")
	recipeStep    = regexp.MustCompile("(?m)^[0-9]+\\. `([^`]+)`")
)

// TestRecipes walks each recipe of CONTRIBUTING.md: its files are there, and its example is in each of them.
func TestRecipes(t *testing.T) {
	_, recipes, found := strings.Cut(read(t, "CONTRIBUTING.md"), "\n## Recipes\n")
	if !found {
		t.Fatal("CONTRIBUTING.md has no recipes")
	}
	recipes, _, _ = strings.Cut(recipes, "\n## ")
	all := strings.Split(recipes, "\n### ")[1:]
	if len(all) != 5 {
		t.Errorf("CONTRIBUTING.md has %d recipes, want 5", len(all))
	}
	for _, recipe := range all {
		title, _, _ := strings.Cut(recipe, "\n")
		t.Run(title, func(t *testing.T) { walk(t, recipe) })
	}
}

func walk(t *testing.T, recipe string) {
	example := recipeExample.FindStringSubmatch(recipe)
	steps := recipeStep.FindAllStringSubmatch(recipe, -1)
	if example == nil || len(steps) < 3 || !strings.Contains(recipe, "\nCommands: ") {
		t.Fatalf("the recipe has %d files; it needs an example, at least three files and its commands", len(steps))
	}
	for _, step := range steps {
		names, err := fs.Glob(repository(), step[1])
		if err != nil || len(names) == 0 {
			t.Errorf("there is no file %s (%v)", step[1], err)
			continue
		}
		var text strings.Builder
		for _, name := range names {
			text.WriteString(read(t, name))
		}
		if !strings.Contains(plain(text.String()), plain(example[1])) {
			t.Errorf("the example %s is not in %s", example[1], step[1])
		}
	}
}

// plain makes the ways to write a name alike: eviction-strategy, EvictionStrategy, EVICTION_STRATEGY.
func plain(text string) string {
	return strings.NewReplacer("-", "", "_", "").Replace(strings.ToLower(text))
}

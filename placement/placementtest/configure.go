package placementtest

import (
	"encoding/json"
	"testing"

	"github.com/vitistack/kubevirt-multicluster/placement"
)

// documents are configurations that hardly any strategy takes, and that none may stumble over.
var documents = []string{"", "{}", `{"no such field":true}`, "[]", "null", `"text"`, "-1e999", "{", "\x00"}

// configuration holds that a strategy's schema can be read, and that having a configuration checked
// changes no answer.
func configuration(t *testing.T, strategy placement.Strategy) {
	configurer, is := strategy.(placement.Configurer)
	if !is {
		return
	}
	if schema := configurer.ConfigSchema(); len(schema) > 0 {
		var object map[string]any
		if err := json.Unmarshal(schema, &object); err != nil {
			t.Errorf("ConfigSchema() is no JSON object: %v", err)
		}
	}
	validator, is := strategy.(placement.ConfigValidator)
	if !is {
		return
	}
	before := ask(t.Context(), strategy, manyCandidates(1))
	for _, document := range documents {
		first, again := validator.ValidateConfig(bytesOf(document)), validator.ValidateConfig(bytesOf(document))
		if text(first) != text(again) {
			t.Errorf("ValidateConfig(%q) says %q, and then %q", document, text(first), text(again))
		}
		if after := ask(t.Context(), strategy, manyCandidates(1)); after != before {
			t.Errorf("ValidateConfig(%q) changed an answer:\n%v\n%v", document, before, after)
		}
	}
}

// RunConfigs holds that ValidateConfig says of each configuration what Configure says of it, so
// that a host refuses it before it is in use. fresh returns a strategy that nothing has configured;
// configs are JSON by names, good ones and bad. Each runs as a subtest.
func RunConfigs(t *testing.T, fresh func() placement.ConfigValidator, configs map[string]string) {
	t.Helper()
	for name, config := range configs {
		t.Run(name, func(t *testing.T) {
			checked, used := fresh().ValidateConfig(bytesOf(config)), fresh().Configure(bytesOf(config))
			if text(checked) != text(used) {
				t.Errorf("ValidateConfig says %q, Configure %q", text(checked), text(used))
			}
		})
	}
}

// bytesOf is how a host hands over a configuration: nil where there is none.
func bytesOf(document string) []byte {
	if document == "" {
		return nil
	}
	return []byte(document)
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

package plugin

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/vitistack/kubevirt-multicluster/placement"
	placementv1 "github.com/vitistack/kubevirt-multicluster/placement/proto/placement/v1"
)

// maxSentence is room for what the host says around a plugin's text.
const maxSentence = 512

// parrot is a plugin that answers each call with the same bytes, or with an error.
type parrot struct {
	wire []byte
	err  error
}

func (p parrot) reply(message proto.Message) error {
	if p.err != nil {
		return p.err
	}
	if err := proto.Unmarshal(p.wire, message); err != nil {
		return status.Errorf(codes.Internal, "grpc: failed to unmarshal the received message: %v", err)
	}
	return nil
}

// Info implements placementv1.StrategyServiceClient.
func (p parrot) Info(
	context.Context, *placementv1.InfoRequest, ...grpc.CallOption,
) (*placementv1.InfoResponse, error) {
	reply := &placementv1.InfoResponse{}
	return reply, p.reply(reply)
}

// Configure implements placementv1.StrategyServiceClient.
func (p parrot) Configure(
	context.Context, *placementv1.ConfigureRequest, ...grpc.CallOption,
) (*placementv1.ConfigureResponse, error) {
	reply := &placementv1.ConfigureResponse{}
	return reply, p.reply(reply)
}

// ValidateConfig implements placementv1.StrategyServiceClient.
func (p parrot) ValidateConfig(
	context.Context, *placementv1.ValidateConfigRequest, ...grpc.CallOption,
) (*placementv1.ValidateConfigResponse, error) {
	reply := &placementv1.ValidateConfigResponse{}
	return reply, p.reply(reply)
}

// Decide implements placementv1.StrategyServiceClient.
func (p parrot) Decide(
	context.Context, *placementv1.DecideRequest, ...grpc.CallOption,
) (*placementv1.DecideResponse, error) {
	reply := &placementv1.DecideResponse{}
	return reply, p.reply(reply)
}

// seeds are texts that a plugin may send to do harm.
var seeds = []string{"", "a", "west", "west ", "Because", "a\x1b[2Jb\r\nc", "a\u202eb\u200b", strings.Repeat("é", 3000), "9 lives"}

func addWire(f *testing.F, messages ...proto.Message) {
	f.Helper()
	for _, message := range messages {
		wire, err := proto.Marshal(message)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(wire)
		f.Add(append(wire, wire...))
		f.Add(wire[:len(wire)/2])
	}
}

// FuzzDecide has a plugin answer the host's question with arbitrary bytes: a decision names a
// candidate, and every text that reaches a Machine is short and can be shown.
func FuzzDecide(f *testing.F) {
	for _, text := range seeds {
		addWire(f,
			&placementv1.DecideResponse{Answer: &placementv1.DecideResponse_Place{
				Place: &placementv1.Place{Config: "b", Reason: text},
			}},
			&placementv1.DecideResponse{Answer: &placementv1.DecideResponse_Place{Place: &placementv1.Place{Config: text}}},
			&placementv1.DecideResponse{Answer: &placementv1.DecideResponse_NoOpinion{
				NoOpinion: &placementv1.NoOpinion{Reason: text},
			}},
			&placementv1.DecideResponse{Answer: &placementv1.DecideResponse_Hold{
				Hold: &placementv1.Hold{Reason: text, Message: text, RetryAfterMs: new(int64(1 << 62))},
			}},
			&placementv1.DecideResponse{Answer: &placementv1.DecideResponse_Refusal{
				Refusal: &placementv1.Refusal{Reason: text, Message: text},
			}},
		)
	}
	request := everything()
	request.Machine.Reference, request.Default = placement.Reference{}, ""
	f.Fuzz(func(t *testing.T, wire []byte) {
		for _, answer := range []parrot{{wire: wire}, {err: status.Error(codes.Unknown, string(wire))}} {
			decision, trace, err := chainOf(answer).Place(t.Context(), placement.Given(request))
			if _, found := request.Candidate(decision.Config); decision.Config != "" && (!found || err != nil) {
				t.Errorf("a decision for %q, %v", decision.Config, err)
			}
			if (decision.Config == "") == (err == nil) {
				t.Errorf("neither a decision nor an error, or both: %+v, %v", decision, err)
			}
			checkText(t, decision.Reason)
			for _, step := range trace {
				checkText(t, step.Config)
				checkText(t, step.Reason)
				checkText(t, step.Message)
			}
			checkVerdict(t, err)
		}
	})
}

// chainOf is the host's chain of one plugin that is ready.
func chainOf(answer parrot) placement.Chain {
	options := Options{Entries: []Entry{{Name: "parrot"}}}.withDefaults()
	k := newKeeper(options.Entries[0], options, 1)
	running := newInstance()
	running.StrategyServiceClient, running.needs = answer, placement.Needs{Presence: false}
	k.set(Ready, "", running)
	return placement.Chain{{Strategy: remote{k}}}
}

func checkVerdict(t *testing.T, err error) {
	t.Helper()
	if err == nil {
		return
	}
	checkText(t, err.Error())
	reason, retry := "", time.Duration(0)
	if refusal, ok := placement.AsRefusal(err); ok {
		reason = refusal.Reason
	} else if hold, ok := placement.AsHold(err); ok {
		reason, retry = hold.Reason, hold.RetryAfter
	}
	if len(reason) > maxTextBytes || !reasonPattern.MatchString(reason) || retry < 0 || retry > maxRetryAfter {
		t.Errorf("neither a refusal nor a hold that a condition can carry: %q after %v: %v", reason, retry, err)
	}
}

// checkText holds for each text of a plugin that people see.
func checkText(t *testing.T, text string) {
	t.Helper()
	if len(text) > maxTextBytes+maxSentence || !utf8.ValidString(text) {
		t.Errorf("%d bytes: %q", len(text), text)
	}
	if strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
		t.Errorf("characters that are not shown: %q", text)
	}
}

// FuzzIntroduce has a plugin say what it is with arbitrary bytes: one that has another name, or
// needs what this host does not know, is not asked anything.
func FuzzIntroduce(f *testing.F) {
	for _, text := range seeds {
		addWire(f,
			&placementv1.InfoResponse{Name: text, Version: "1"},
			&placementv1.InfoResponse{Name: "parrot", Version: text, ConfigSchema: []byte(text)},
		)
	}
	for _, need := range []placementv1.Need{0, 1, 2, 3, 4, 5, -1} {
		addWire(f, &placementv1.InfoResponse{
			Name: "parrot", Needs: []placementv1.Need{1, need}, Unread: []placementv1.Fact{placementv1.Fact(need)},
		})
	}
	f.Fuzz(func(t *testing.T, wire []byte) {
		i := newInstance()
		i.StrategyServiceClient = parrot{wire: wire}
		err := i.introduce(t.Context(), Entry{Name: "parrot"})
		checkText(t, i.version)
		var said placementv1.InfoResponse
		whole := proto.Unmarshal(wire, &said) == nil
		known := !slices.ContainsFunc(said.GetNeeds(), func(n placementv1.Need) bool { return n < 1 || n > 4 })
		if accepts := whole && said.GetName() == "parrot" && known; accepts != (err == nil) {
			t.Errorf("%+v: %v", &said, err)
		}
		if err != nil {
			checkText(t, reasonOf(err))
		}
		if err == nil && i.needs.Presence != slices.Contains(said.GetNeeds(), placementv1.Need_NEED_PRESENCE) {
			t.Errorf("needs %+v of %+v", i.needs, &said)
		}
	})
}

// FuzzConfigure has a plugin answer to its configuration with arbitrary bytes: it is in use only
// where the answer has no violation, and few violations are told, in short.
func FuzzConfigure(f *testing.F) {
	for _, text := range seeds {
		violation := &placementv1.Violation{Field: text, Message: text}
		addWire(f,
			&placementv1.ConfigureResponse{Violations: []*placementv1.Violation{violation}},
			&placementv1.ConfigureResponse{Violations: slices.Repeat([]*placementv1.Violation{violation}, 25)},
		)
	}
	f.Fuzz(func(t *testing.T, wire []byte) {
		i := newInstance()
		i.StrategyServiceClient = parrot{wire: wire}
		err := i.configure(t.Context(), Entry{Name: "parrot"}, 1)
		var said placementv1.ConfigureResponse
		whole := proto.Unmarshal(wire, &said) == nil
		if accepts := whole && len(said.GetViolations()) == 0; accepts != (err == nil) {
			t.Errorf("%d violations: %v", len(said.GetViolations()), err)
		}
		violations, told := errors.AsType[placement.Violations](err)
		if told != (whole && err != nil) || len(violations) > maxViolations+1 {
			t.Errorf("%d violations told of %d", len(violations), len(said.GetViolations()))
		}
		for _, v := range violations {
			checkText(t, v.Field)
			checkText(t, v.Message)
		}
		if err != nil && !told {
			checkText(t, reasonOf(err))
		}
	})
}

// FuzzValidateConfig holds arbitrary configurations against the schemas of strategies: what is
// accepted is JSON, and what is not is told in short.
func FuzzValidateConfig(f *testing.F) {
	schemas := []string{
		`{"type": "object", "additionalProperties": false, "properties": {"reserve": {"type": "integer", "minimum": 0}}}`,
		`{"type": "object", "properties": {"keys": {"type": "array", "items": {"type": "string", "minLength": 1}, "uniqueItems": true}}}`,
		`{"dependentRequired": {"maxSkew": ["labelKey"]}, "properties": {"maxSkew": {"enum": [1, 2]}}}`,
	}
	for _, config := range []string{
		"", "{}", "null", "[]", "7", `{"reserve":-1}`, `{"reserve":1e400}`, `{"keys":["a","a"]}`, `{"keys":[""]}`, `{"maxSkew":1}`,
		`{"\u001b":1}`, `{"` + strings.Repeat("é", 2000) + `":1}`, `{"keys":["` + strings.Repeat("\x7f", 1500) + `",1]}`, "{", "{}{}",
	} {
		f.Add([]byte(config))
	}
	f.Fuzz(func(t *testing.T, config []byte) {
		for _, schema := range schemas {
			err := validateConfig([]byte(schema), config)
			if err == nil && len(config) > 0 && !json.Valid(config) {
				t.Errorf("%q is accepted and is not JSON", config)
			}
			if violations, told := errors.AsType[placement.Violations](err); told {
				checkText(t, violations.Error())
			} else if err != nil && json.Valid(config) && !strings.HasPrefix(err.Error(), "its configuration: ") {
				t.Errorf("JSON that is not held against the schema: %v", err)
			}
		}
	})
}

package plugin

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"

	"github.com/vitistack/kubevirt-multicluster/placement"
	placementv1 "github.com/vitistack/kubevirt-multicluster/placement/proto/placement/v1"
)

// everything is a request in which no field is zero, so that a field which the codec forgets shows.
func everything() placement.Request {
	return placement.Request{
		Machine: placement.Machine{
			Namespace: "ns", Name: "n", UID: "u",
			Labels: map[string]string{"a": "1"}, Annotations: map[string]string{"b": "2"},
			Reference:    placement.Reference{Field: "west", Annotation: "east"},
			InstanceType: "medium",
			Requests:     placement.Resources{MilliCPU: new(int64(0)), MemoryBytes: new(int64(1 << 40))},
		},
		Candidates: []placement.Candidate{
			{
				Name: "a", Labels: map[string]string{"zone": "z"}, Reachable: true,
				VM: placement.VM{Presence: placement.Present, Owner: placement.Ours, UID: "vm"},
				Capacity: placement.Capacity{
					Free:     placement.Resources{MilliCPU: new(int64(-1)), MemoryBytes: new(int64(7))},
					Machines: new(int64(0)),
				},
				Ready: placement.Ready{Verdict: placement.ReadyYes, Score: 71, Reason: "room"},
			},
			{
				Name: "b", VM: placement.VM{Presence: placement.Unreachable, Cause: "time-out"},
				Ready: placement.Ready{Verdict: placement.ReadyUnknown, Reason: "Silent"},
			},
			{
				Name: "c", VM: placement.VM{Presence: placement.Absent},
				Ready: placement.Ready{Verdict: placement.ReadyNo, Reason: "NoRoom"},
			},
			{Name: "d", VM: placement.VM{Presence: placement.Present, Owner: placement.Foreign, UID: "x"}},
			{Name: "e", VM: placement.VM{Presence: placement.Present, Owner: placement.Unlabelled, UID: "y"}},
			{Name: "f"},
		},
		Default: "east", ConfigNamespace: "kubevirt-configs",
	}
}

func TestRequestRoundTrip(t *testing.T) {
	bare := everything()
	for i := range bare.Candidates {
		bare.Candidates[i].VM, bare.Candidates[i].Capacity = placement.VM{}, placement.Capacity{}
		bare.Candidates[i].Ready = placement.Ready{}
	}
	cases := map[string]struct {
		reason string
		needs  placement.Needs
		want   placement.Request
	}{
		"all facts are needed": {
			reason: "no fact is lost on the wire, and zero stays apart from unknown",
			needs:  placement.Needs{Presence: true, Capacity: true, Ready: true},
			want:   everything(),
		},
		"no facts are needed": {reason: "facts that a strategy does not need are not sent", want: bare},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			wire, err := proto.Marshal(encodeRequest(everything(), tc.needs))
			if err != nil {
				t.Fatal(err)
			}
			var decoded placementv1.DecideRequest
			if err := proto.Unmarshal(wire, &decoded); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, decodeRequest(&decoded)); diff != "" {
				t.Errorf("\n%s\n-want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestAnswerRoundTrip(t *testing.T) {
	cases := map[string]struct {
		reason   string
		decision placement.Decision
		err      error
	}{
		"decision": {
			reason:   "a decision comes back as it was sent",
			decision: placement.Decision{Config: "west", Reason: "likes it"},
		},
		"no opinion": {reason: "no opinion keeps its reason", decision: placement.Decision{Reason: "unset"}},
		"hold": {
			reason: "a hold comes back with its time",
			err:    placement.Hold{Reason: "Later", Message: "later", RetryAfter: 1500 * time.Millisecond},
		},
		"hold without a time": {
			reason: "a hold without a time leaves the time to the host",
			err:    placement.Hold{Reason: "Later", Message: "later"},
		},
		"refusal": {
			reason: "a refusal comes back as it was sent",
			err:    placement.Refusal{Reason: "Never", Message: "never"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			reply, err := encodeAnswer(tc.decision, tc.err)
			if err != nil {
				t.Fatal(err)
			}
			decision, err := decodeAnswer(reply)
			if diff := cmp.Diff(tc.decision, decision); diff != "" {
				t.Errorf("\n%s\n-want, +got:\n%s", tc.reason, diff)
			}
			if diff := cmp.Diff(tc.err, err); diff != "" {
				t.Errorf("\n%s\n-want error, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestDecodeWhatIsForeign(t *testing.T) {
	hold := func(ms int64) *placementv1.DecideResponse {
		return &placementv1.DecideResponse{Answer: &placementv1.DecideResponse_Hold{
			Hold: &placementv1.Hold{Reason: "9 lives", Message: "m", RetryAfterMs: &ms},
		}}
	}
	cases := map[string]struct {
		reason string
		reply  *placementv1.DecideResponse
		want   error
	}{
		"no reply": {reason: "a missing reply is no answer", want: errNoAnswer},
		"answer of an unknown kind": {
			reason: "an answer of a later minor version arrives empty, which is no answer",
			reply:  &placementv1.DecideResponse{},
			want:   errNoAnswer,
		},
		"decision without a cluster": {
			reason: "a decision that names no cluster is no answer",
			reply:  &placementv1.DecideResponse{Answer: &placementv1.DecideResponse_Place{Place: &placementv1.Place{}}},
			want:   errNoAnswer,
		},
		"hold with a negative time": {
			reason: "a negative time is left to the host",
			reply:  hold(-5),
			want:   placement.Hold{Reason: "Held", Message: "m"},
		},
		"hold for centuries": {
			reason: "a time without measure is cut to an hour",
			reply:  hold(1 << 62),
			want:   placement.Hold{Reason: "Held", Message: "m", RetryAfter: time.Hour},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			decision, err := decodeAnswer(tc.reply)
			if decision != (placement.Decision{}) || !errors.Is(err, tc.want) {
				t.Errorf("\n%s\ndecodeAnswer(): want %v, got %v, %v", tc.reason, tc.want, decision, err)
			}
		})
	}
	if vm := decodeVM(&placementv1.VirtualMachine{Presence: 99, Owner: 99}); vm != (placement.VM{}) {
		t.Errorf("a presence of tomorrow must be read as knowing nothing, got %+v", vm)
	}
	if ready := decodeReady(&placementv1.Ready{Verdict: 99, Score: 9}); ready.Verdict != placement.ReadyUnknown {
		t.Errorf("a verdict of tomorrow must not pass for yes, got %+v", ready)
	}
	if _, err := decodeNeeds([]placementv1.Need{99}, nil); err == nil {
		t.Error("a need of tomorrow cannot be met")
	}
	if _, err := decodeNeeds([]placementv1.Need{placementv1.Need_NEED_UNSPECIFIED}, []placementv1.Fact{99}); err == nil {
		t.Error("a need that is none cannot be met")
	}
}

// TestNeedsRoundTrip: every need reaches the host.
func TestNeedsRoundTrip(t *testing.T) {
	for _, needs := range []placement.Needs{
		{}, {Presence: true}, {Capacity: true}, {Machines: true}, {Ready: true}, {NoLabels: true},
	} {
		got, err := decodeNeeds(encodeNeeds(needs), encodeUnread(needs))
		if err != nil || got != needs {
			t.Errorf("%+v became %+v, %v", needs, got, err)
		}
	}
}

// TestOlderPlugin: a plugin that does not know of readiness gets the same bytes as before.
func TestOlderPlugin(t *testing.T) {
	for _, needs := range []placement.Needs{{}, {Presence: true, Capacity: true}, {Machines: true}} {
		before := everything()
		for i := range before.Candidates {
			before.Candidates[i].Ready = placement.Ready{}
		}
		deterministic := proto.MarshalOptions{Deterministic: true}
		with, err := deterministic.Marshal(encodeRequest(everything(), needs))
		if err != nil {
			t.Fatal(err)
		}
		without, err := deterministic.Marshal(encodeRequest(before, needs))
		if err != nil || !bytes.Equal(with, without) {
			t.Errorf("%+v: readiness is sent to who does not ask for it (%v)", needs, err)
		}
	}
}

package plugin

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/vitistack/kubevirt-multicluster/placement"
	placementv1 "github.com/vitistack/kubevirt-multicluster/placement/proto/placement/v1"
)

const (
	maxTextBytes  = 1024 // of a reason or message that a plugin gives; conditions hold little more
	maxRetryAfter = time.Hour
)

// errNoAnswer is a reply that is none of the four answers.
var errNoAnswer = errors.New("the reply holds no answer")

// reasonPattern is what metav1.Condition takes as a reason.
var reasonPattern = regexp.MustCompile(`^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$`)

// encodeRequest leaves out what the strategy does not need: such facts must not change its answer,
// and most of the time of a call goes into messages.
func encodeRequest(req placement.Request, needs placement.Needs) *placementv1.DecideRequest {
	candidates := make([]*placementv1.Candidate, len(req.Candidates))
	for i, c := range req.Candidates {
		candidates[i] = &placementv1.Candidate{Name: c.Name, Reachable: c.Reachable}
		if !needs.NoLabels {
			candidates[i].Labels = encodeMap(c.Labels)
		}
		if needs.Presence {
			candidates[i].Vm = encodeVM(c.VM)
		}
		if needs.Capacity || needs.Machines {
			candidates[i].Capacity = &placementv1.Capacity{Machines: c.Capacity.Machines}
		}
		if needs.Capacity {
			candidates[i].Capacity.Free = encodeResources(c.Capacity.Free)
		}
		if needs.Ready {
			candidates[i].Ready = encodeReady(c.Ready)
		}
	}
	m := req.Machine
	return &placementv1.DecideRequest{
		Machine: &placementv1.Machine{
			Namespace: m.Namespace, Name: m.Name, Uid: m.UID,
			Labels: encodeMap(m.Labels), Annotations: encodeMap(m.Annotations),
			Reference:    &placementv1.Reference{Field: m.Reference.Field, Annotation: m.Reference.Annotation},
			InstanceType: m.InstanceType, Requests: encodeResources(m.Requests),
		},
		Candidates: candidates, DefaultConfig: req.Default, ConfigNamespace: req.ConfigNamespace,
	}
}

func decodeRequest(req *placementv1.DecideRequest) placement.Request {
	var candidates []placement.Candidate
	for _, c := range req.GetCandidates() {
		capacity := c.GetCapacity()
		candidate := placement.Candidate{
			Name: c.GetName(), Labels: decodeMap(c.GetLabels()), Reachable: c.GetReachable(), VM: decodeVM(c.GetVm()),
			Capacity: placement.Capacity{Free: decodeResources(capacity.GetFree())}, Ready: decodeReady(c.GetReady()),
		}
		if capacity != nil {
			candidate.Capacity.Machines = capacity.Machines
		}
		candidates = append(candidates, candidate)
	}
	m := req.GetMachine()
	return placement.Request{
		Machine: placement.Machine{
			Namespace: m.GetNamespace(), Name: m.GetName(), UID: m.GetUid(),
			Labels: decodeMap(m.GetLabels()), Annotations: decodeMap(m.GetAnnotations()),
			Reference: placement.Reference{
				Field: m.GetReference().GetField(), Annotation: m.GetReference().GetAnnotation(),
			},
			InstanceType: m.GetInstanceType(), Requests: decodeResources(m.GetRequests()),
		},
		Candidates: candidates, Default: req.GetDefaultConfig(), ConfigNamespace: req.GetConfigNamespace(),
	}
}

func encodeMap(m map[string]string) []*placementv1.Pair {
	pairs := make([]*placementv1.Pair, 0, len(m))
	for key, value := range m {
		pairs = append(pairs, &placementv1.Pair{Key: key, Value: value})
	}
	return pairs
}

func decodeMap(pairs []*placementv1.Pair) map[string]string {
	if len(pairs) == 0 {
		return nil
	}
	m := make(map[string]string, len(pairs))
	for _, pair := range pairs {
		m[pair.GetKey()] = pair.GetValue()
	}
	return m
}

func encodeResources(r placement.Resources) *placementv1.Resources {
	return &placementv1.Resources{MilliCpu: r.MilliCPU, MemoryBytes: r.MemoryBytes}
}

func decodeResources(r *placementv1.Resources) placement.Resources {
	if r == nil {
		return placement.Resources{}
	}
	return placement.Resources{MilliCPU: r.MilliCpu, MemoryBytes: r.MemoryBytes}
}

var (
	presences = map[placement.Presence]placementv1.Presence{
		placement.NotAsked:    placementv1.Presence_PRESENCE_NOT_ASKED,
		placement.Absent:      placementv1.Presence_PRESENCE_ABSENT,
		placement.Present:     placementv1.Presence_PRESENCE_PRESENT,
		placement.Unreachable: placementv1.Presence_PRESENCE_UNREACHABLE,
	}
	owners = map[placement.Owner]placementv1.Owner{
		placement.OwnerUnknown: placementv1.Owner_OWNER_UNSPECIFIED,
		placement.Ours:         placementv1.Owner_OWNER_OURS,
		placement.Unlabelled:   placementv1.Owner_OWNER_UNLABELLED,
		placement.Foreign:      placementv1.Owner_OWNER_FOREIGN,
	}
)

var readyVerdicts = map[placement.ReadyVerdict]placementv1.ReadyVerdict{
	placement.ReadyNotAsked: placementv1.ReadyVerdict_READY_VERDICT_UNSPECIFIED,
	placement.ReadyYes:      placementv1.ReadyVerdict_READY_VERDICT_YES,
	placement.ReadyNo:       placementv1.ReadyVerdict_READY_VERDICT_NO,
	placement.ReadyUnknown:  placementv1.ReadyVerdict_READY_VERDICT_UNKNOWN,
}

func encodeReady(ready placement.Ready) *placementv1.Ready {
	return &placementv1.Ready{Verdict: readyVerdicts[ready.Verdict], Score: ready.Score, Reason: ready.Reason}
}

// decodeReady reads a verdict that it does not know as unknown: one of a later version must not
// pass for yes.
func decodeReady(ready *placementv1.Ready) placement.Ready {
	if ready == nil {
		return placement.Ready{}
	}
	decoded := placement.Ready{Verdict: placement.ReadyUnknown, Score: ready.GetScore(), Reason: ready.GetReason()}
	for verdict, wire := range readyVerdicts {
		if wire == ready.GetVerdict() {
			decoded.Verdict = verdict
		}
	}
	return decoded
}

func encodeVM(vm placement.VM) *placementv1.VirtualMachine {
	return &placementv1.VirtualMachine{
		Presence: presences[vm.Presence], Owner: owners[vm.Owner], Uid: vm.UID, Cause: vm.Cause,
	}
}

// decodeVM reads what it does not know as knowing nothing: a value of a later version must not pass
// for Absent.
func decodeVM(vm *placementv1.VirtualMachine) placement.VM {
	decoded := placement.VM{UID: vm.GetUid(), Cause: vm.GetCause()}
	for presence, wire := range presences {
		if wire == vm.GetPresence() {
			decoded.Presence = presence
		}
	}
	for owner, wire := range owners {
		if wire == vm.GetOwner() {
			decoded.Owner = owner
		}
	}
	return decoded
}

// encodeAnswer turns a strategy's answer into a reply. Its error is the strategy's failure.
func encodeAnswer(decision placement.Decision, err error) (*placementv1.DecideResponse, error) {
	if refusal, ok := placement.AsRefusal(err); ok {
		answer := &placementv1.Refusal{Reason: refusal.Reason, Message: refusal.Error()}
		return &placementv1.DecideResponse{Answer: &placementv1.DecideResponse_Refusal{Refusal: answer}}, nil
	}
	if hold, ok := placement.AsHold(err); ok {
		answer := &placementv1.Hold{Reason: hold.Reason, Message: hold.Error()}
		if hold.RetryAfter > 0 {
			answer.RetryAfterMs = new(hold.RetryAfter.Milliseconds())
		}
		return &placementv1.DecideResponse{Answer: &placementv1.DecideResponse_Hold{Hold: answer}}, nil
	}
	if err != nil {
		return nil, err
	}
	if decision.Config == "" {
		answer := &placementv1.NoOpinion{Reason: decision.Reason}
		return &placementv1.DecideResponse{Answer: &placementv1.DecideResponse_NoOpinion{NoOpinion: answer}}, nil
	}
	answer := &placementv1.Place{Config: decision.Config, Reason: decision.Reason}
	return &placementv1.DecideResponse{Answer: &placementv1.DecideResponse_Place{Place: answer}}, nil
}

// decodeAnswer turns a reply into an answer. A plugin is not trusted to keep texts short or reasons
// well-formed.
func decodeAnswer(reply *placementv1.DecideResponse) (placement.Decision, error) {
	switch {
	case reply.GetPlace().GetConfig() != "":
		place := reply.GetPlace()
		return placement.Decision{Config: clip(place.GetConfig()), Reason: clip(place.GetReason())}, nil
	case reply.GetNoOpinion() != nil:
		return placement.Decision{Reason: clip(reply.GetNoOpinion().GetReason())}, nil
	case reply.GetHold() != nil:
		hold := reply.GetHold()
		retry := min(max(hold.GetRetryAfterMs(), 0), maxRetryAfter.Milliseconds())
		return placement.Decision{}, placement.Hold{
			Reason: reasonOr(hold.GetReason(), "Held"), Message: clip(hold.GetMessage()),
			RetryAfter: time.Duration(retry) * time.Millisecond,
		}
	case reply.GetRefusal() != nil:
		refusal := reply.GetRefusal()
		return placement.Decision{}, placement.Refusal{
			Reason: reasonOr(refusal.GetReason(), "Refused"), Message: clip(refusal.GetMessage()),
		}
	}
	return placement.Decision{}, errNoAnswer
}

func encodeNeeds(needs placement.Needs) []placementv1.Need {
	var wire []placementv1.Need
	if needs.Presence {
		wire = append(wire, placementv1.Need_NEED_PRESENCE)
	}
	if needs.Capacity {
		wire = append(wire, placementv1.Need_NEED_CAPACITY)
	}
	if needs.Machines {
		wire = append(wire, placementv1.Need_NEED_MACHINES)
	}
	if needs.Ready {
		wire = append(wire, placementv1.Need_NEED_READY)
	}
	return wire
}

func encodeUnread(needs placement.Needs) []placementv1.Fact {
	if needs.NoLabels {
		return []placementv1.Fact{placementv1.Fact_FACT_LABELS}
	}
	return nil
}

// decodeNeeds fails on a need that this host cannot meet: the plugin would decide without it. What
// is unread and unknown is only sent for nothing.
func decodeNeeds(wire []placementv1.Need, unread []placementv1.Fact) (placement.Needs, error) {
	needs := placement.Needs{NoLabels: slices.Contains(unread, placementv1.Fact_FACT_LABELS)}
	for _, need := range wire {
		switch need {
		case placementv1.Need_NEED_PRESENCE:
			needs.Presence = true
		case placementv1.Need_NEED_CAPACITY:
			needs.Capacity = true
		case placementv1.Need_NEED_MACHINES:
			needs.Machines = true
		case placementv1.Need_NEED_READY:
			needs.Ready = true
		default:
			return needs, fmt.Errorf("the plugin needs %v, which this host does not know", need)
		}
	}
	return needs, nil
}

func reasonOr(reason, fallback string) string {
	if len(reason) <= maxTextBytes && reasonPattern.MatchString(reason) {
		return reason
	}
	return fallback
}

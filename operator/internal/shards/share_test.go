package shards_test

import (
	"fmt"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/shards"
)

func TestShardsAreAlike(t *testing.T) {
	const clusters = 1000
	for _, count := range []int{2, 3, 8, 64} {
		of := make([]int, count)
		for i := range clusters {
			of[shards.Of(fmt.Sprintf("cluster-%04d", i), count)]++
		}
		for shard, has := range of {
			if even := clusters / count; has < even/3 || has > even*2+1 {
				t.Errorf("shard %d of %d has %d of %d clusters", shard, count, has, clusters)
			}
		}
	}
}

// holding is the share of whoever holds a shard, -1 for none.
func holding(shard, count int) *shards.Share {
	return shards.NewShare(count, func() (int, bool) { return shard, shard >= 0 })
}

// ofOne and ofZero are KubevirtConfigs of shard 1 and 0, of two.
const ofOne, ofZero = "cluster-north", "cluster-south"

func ledger(config string) vitistackv1alpha1.Ledger {
	return vitistackv1alpha1.Ledger{Config: config, ClusterUID: "uid-" + config, Namespace: "team-a", VMName: "vm-web",
		VMUID: "vm-uid", Nonce: "nonce-" + config}
}

func annotated(pairs ...string) *vitistackv1alpha1.Machine {
	machine := &vitistackv1alpha1.Machine{ObjectMeta: metav1.ObjectMeta{Annotations: map[string]string{}}}
	for i := 0; i < len(pairs); i += 2 {
		machine.Annotations[pairs[i]] = pairs[i+1]
	}
	return machine
}

func TestOwns(t *testing.T) {
	const count = 2
	if shards.Of(ofOne, count) != 1 || shards.Of(ofZero, count) != 0 {
		t.Fatal("the names are to be of different shards")
	}
	asking, lost := annotated(), annotated(vitistackv1alpha1.AnnotationKubevirtConfig, ofZero)
	asking.Spec.KubevirtConfigRef = &vitistackv1alpha1.KubevirtConfigReference{Name: ofOne}
	lost.Status.KubevirtConfigRef = &vitistackv1alpha1.KubevirtConfigReferenceStatus{Name: ofOne}
	for name, tc := range map[string]struct {
		reason  string
		machine *vitistackv1alpha1.Machine
		want    int // the shard
	}{
		"nothing": {reason: "what belongs to no cluster is the first shard's", machine: annotated(), want: 0},
		"gone":    {reason: "the first shard says of moves that their Machine is gone", machine: nil, want: 0},
		"field":   {reason: "a Machine that names its cluster is placed by whoever is connected to that", machine: asking, want: 1},
		"record": {
			reason: "the record counts more than what is asked for",
			machine: annotated(vitistackv1alpha1.AnnotationPlacement, ledger(ofOne).String(),
				vitistackv1alpha1.AnnotationKubevirtConfig, ofZero),
			want: 1,
		},
		"lost record": {reason: "where the record is lost, the status knows", machine: lost, want: 1},
		"broken record": {
			reason: "a record that cannot be read names nothing",
			machine: annotated(vitistackv1alpha1.AnnotationPlacement, "?",
				vitistackv1alpha1.AnnotationKubevirtConfig, ofOne),
			want: 1,
		},
	} {
		t.Run(name, func(t *testing.T) {
			for shard := range count {
				if got := holding(shard, count).Owns(tc.machine); got != (shard == tc.want) {
					t.Errorf("%s: shard %d owns it: %t", tc.reason, shard, got)
				}
			}
			if holding(-1, count).Owns(tc.machine) {
				t.Error("a process that holds no shard owns it")
			}
			if !(*shards.Share)(nil).Owns(tc.machine) {
				t.Error("without shards it is not owned")
			}
		})
	}
}

// TestMovesStayWithTheirSource: from its beginning to its end a move is one shard's, whatever the
// ledger says in between.
func TestMovesStayWithTheirSource(t *testing.T) {
	to := ledger(ofZero)
	to.Move = "move-uid"
	record := vitistackv1alpha1.MoveRecord{ID: to.Move, Name: "move", Mode: vitistackv1alpha1.MoveModeCold,
		From: ledger(ofOne), To: ledger(ofZero), Stage: vitistackv1alpha1.MoveCommitted, Was: "Always"}
	machine := annotated(vitistackv1alpha1.AnnotationPlacement, to.String(),
		vitistackv1alpha1.AnnotationMove, record.String())
	if _, moving, err := vitistackv1alpha1.MoveRecordOf(machine); !moving || err != nil {
		t.Fatalf("the record is not one: %v", err)
	}
	if !holding(1, 2).Owns(machine) || holding(0, 2).Owns(machine) {
		t.Error("the shard of the cluster that the Machine comes from does not own it alone")
	}
	moved := annotated(vitistackv1alpha1.AnnotationPlacement, ledger(ofZero).String())
	if !holding(0, 2).Owns(moved) || holding(1, 2).Owns(moved) {
		t.Error("the shard of the cluster that the Machine is in does not own it alone")
	}
}

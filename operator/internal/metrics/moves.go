package metrics

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

var (
	movesDesc = prometheus.NewDesc("operator_moves",
		"MachineMoves by phase, as the process that leads sees them.", []string{"phase"}, nil)
	stillDesc = prometheus.NewDesc("operator_moves_standing_still",
		"MachineMoves that do not go on: Stalled, because a person must act, or Slow, in one step for longer than it may take.",
		[]string{"why"}, nil)
	evacuationsDesc = prometheus.NewDesc("operator_evacuations",
		"Evacuations by cluster and phase, as the process that leads sees them.", []string{labelConfig, "phase"}, nil)
)

// movePhases and evacuationPhases are those that are counted.
var (
	movePhases = []vitistackv1alpha1.MovePhase{
		vitistackv1alpha1.MovePhasePending, vitistackv1alpha1.MovePhaseStopping, vitistackv1alpha1.MovePhaseCopying,
		vitistackv1alpha1.MovePhaseStarting, vitistackv1alpha1.MovePhaseCleaning, vitistackv1alpha1.MovePhaseAborting,
		vitistackv1alpha1.MovePhaseSucceeded, vitistackv1alpha1.MovePhaseFailed,
	}
	evacuationPhases = []vitistackv1alpha1.EvacuationPhase{
		vitistackv1alpha1.EvacuationMoving, vitistackv1alpha1.EvacuationPaused, vitistackv1alpha1.EvacuationSucceeded,
		vitistackv1alpha1.EvacuationIncomplete,
	}
)

// Why a move stands still.
const (
	whyStalled = "Stalled"
	whySlow    = "Slow"
)

// tidyTime is how long a step may take that has no time-out.
const tidyTime = 30 * time.Minute

// Moves counts MachineMoves and Evacuations when it is asked, in the cache, and times moves. As with
// Census, the process that leads counts. Its methods are safe for concurrent use. A nil *Moves takes
// nothing down.
type Moves struct {
	cache    client.Reader
	elected  <-chan struct{}
	known    Known
	now      func() time.Time
	duration *prometheus.HistogramVec

	mu     sync.Mutex
	locked map[types.UID]progress // of moves that copy
}

// progress is when the last byte of a move was seen to come.
type progress struct {
	copied int64
	since  time.Time
}

var _ prometheus.Collector = (*Moves)(nil)

// NewMoves counts what a cache has once elected is closed; nil as cache counts nothing. now is the
// time.
func NewMoves(cache client.Reader, elected <-chan struct{}, known Known, now func() time.Time) *Moves {
	m := &Moves{cache: cache, elected: elected, known: known, now: now, locked: map[types.UID]progress{},
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "operator_move_duration_seconds",
			Help:    "Time from the first step of a move until it was over.",
			Buckets: []float64{15, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 43200},
		}, []string{"outcome"})}
	for _, phase := range movePhases {
		if phase.Over() {
			m.duration.WithLabelValues(string(phase))
		}
	}
	return m
}

// Ended takes down that a move which had begun is over, in the phase Succeeded or Failed. The clusters
// have no series of their own: there would be one for each two of them.
func (m *Moves) Ended(_, _ string, phase vitistackv1alpha1.MovePhase, took time.Duration) {
	if m != nil && phase.Over() {
		m.duration.WithLabelValues(string(phase)).Observe(max(0, took.Seconds()))
	}
}

// Describe implements prometheus.Collector.
func (m *Moves) Describe(to chan<- *prometheus.Desc) {
	to <- movesDesc
	to <- stillDesc
	to <- evacuationsDesc
	m.duration.Describe(to)
}

// Collect implements prometheus.Collector.
func (m *Moves) Collect(to chan<- prometheus.Metric) {
	m.duration.Collect(to)
	if m.cache == nil {
		return
	}
	select {
	case <-m.elected:
	default:
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), listTimeout)
	defer cancel()
	moves, evacuations := &vitistackv1alpha1.MachineMoveList{}, &vitistackv1alpha1.EvacuationList{}
	if m.cache.List(ctx, moves, client.UnsafeDisableDeepCopy) == nil {
		m.count(moves.Items, to)
	}
	if m.cache.List(ctx, evacuations, client.UnsafeDisableDeepCopy) == nil {
		m.countEvacuations(evacuations.Items, to)
	}
}

func (m *Moves) count(moves []vitistackv1alpha1.MachineMove, to chan<- prometheus.Metric) {
	phases, still := map[vitistackv1alpha1.MovePhase]float64{}, map[string]float64{}
	m.mu.Lock()
	defer m.mu.Unlock()
	copying := map[types.UID]progress{}
	for i := range moves {
		move := &moves[i]
		phase := move.Status.Phase
		if phase == "" {
			phase = vitistackv1alpha1.MovePhasePending
		}
		phases[phase]++
		if phase == vitistackv1alpha1.MovePhaseCopying {
			copying[move.UID] = m.progress(move)
		}
		if why := standsStill(move, copying[move.UID], m.now()); why != "" {
			still[why]++
		}
	}
	m.locked = copying
	for _, phase := range movePhases {
		to <- prometheus.MustNewConstMetric(movesDesc, prometheus.GaugeValue, phases[phase], string(phase))
	}
	for _, why := range []string{whyStalled, whySlow} {
		to <- prometheus.MustNewConstMetric(stillDesc, prometheus.GaugeValue, still[why], why)
	}
}

// progress is that of a move that copies. The lock is held.
func (m *Moves) progress(move *vitistackv1alpha1.MachineMove) progress {
	former, seen := m.locked[move.UID]
	if seen && former.copied == move.Status.Copied {
		return former
	}
	return progress{copied: move.Status.Copied, since: m.now()}
}

// standsStill says why a move does not go on, "" where it does or is over. Before it gives a move up
// for a time-out the operator needs both clusters; so a move may be slow for as long as one is
// silent.
func standsStill(move *vitistackv1alpha1.MachineMove, copied progress, now time.Time) string {
	phase := move.Status.Phase
	if phase.Over() {
		return ""
	}
	if meta.IsStatusConditionTrue(move.Status.Conditions, vitistackv1alpha1.ConditionStalled) {
		return whyStalled
	}
	at := slices.IndexFunc(move.Status.Steps, func(step vitistackv1alpha1.MoveStep) bool { return step.Phase == phase })
	if at < 0 || phase == vitistackv1alpha1.MovePhasePending { // which waits for others
		return ""
	}
	since, bound := move.Status.Steps[at].StartedAt.Time, move.Spec.Timeouts
	limit := tidyTime
	switch phase {
	case vitistackv1alpha1.MovePhaseStopping:
		limit = or(bound.Stop, 5*time.Minute)
	case vitistackv1alpha1.MovePhaseCopying:
		limit = or(bound.Export, 5*time.Minute) + or(bound.Copy, 15*time.Minute)
		since = copied.since
	case vitistackv1alpha1.MovePhaseStarting:
		limit = or(bound.Start, 10*time.Minute)
	}
	if now.Sub(since) > limit {
		return whySlow
	}
	return ""
}

func or(bound *metav1.Duration, otherwise time.Duration) time.Duration {
	if bound == nil {
		return otherwise
	}
	return bound.Duration
}

func (m *Moves) countEvacuations(evacuations []vitistackv1alpha1.Evacuation, to chan<- prometheus.Metric) {
	counts := map[[2]string]float64{}
	for i := range evacuations {
		config, phase := evacuations[i].Spec.Config, evacuations[i].Status.Phase
		if !slices.Contains(evacuationPhases, phase) {
			continue // nobody has looked at it
		}
		if !m.known(config) {
			config = ""
		}
		for _, each := range evacuationPhases {
			counts[[2]string{config, string(each)}] += 0
		}
		counts[[2]string{config, string(phase)}]++
	}
	for key, count := range counts {
		to <- prometheus.MustNewConstMetric(evacuationsDesc, prometheus.GaugeValue, count, key[0], key[1])
	}
}

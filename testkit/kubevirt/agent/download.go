package agent

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	cdiv1 "kubevirt.io/containerized-data-importer-api/pkg/apis/core/v1beta1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/vitistack/kubevirt-multicluster/testkit/kubevirt/contents"
	"github.com/vitistack/kubevirt-multicluster/testkit/kubevirt/exports"
	"github.com/vitistack/kubevirt-multicluster/testkit/kubevirt/imports"
)

const (
	// mountAfter is how often an importer looks for a Secret or ConfigMap that it is to mount.
	mountAfter = time.Second
	// After its first failure an importer is started again after restartAfter, then twice as long each
	// time, restartAtMost at most. A kubelet begins with ten seconds and ends with five minutes.
	restartAfter  = 500 * time.Millisecond
	restartAtMost = 8 * time.Second
)

// downloads are the importer Pods of the disks that are really got from somewhere. They are no
// objects here: nobody but CDI looks at them.
type downloads struct {
	running  context.Context // while the agent runs
	live     client.Reader   // for what is in Secrets and ConfigMaps
	contents *contents.Store
	services *exports.Names
	names    *exports.Names
	room     *imports.Room
	pass     func(context.Context) error
	changes  chan event.GenericEvent // DataVolumes whose download has got on

	mu   sync.Mutex
	jobs map[types.NamespacedName]*download
}

// download is one importer Pod.
type download struct {
	volume types.UID
	cancel context.CancelFunc
	done   chan struct{}

	mu      sync.Mutex
	now     downloadState
	attempt *imports.Attempt // nil before the first
}

// downloadState is what CDI sees of an importer Pod.
type downloadState struct {
	step     downloadStep
	failure  *imports.Failure // the last one; nil while it runs
	restarts int32
}

// downloadStep says how far a download is.
type downloadStep int

const (
	mounting downloadStep = iota // it waits for what it mounts
	transferring
	restarting // it has failed, and is to be started again
	failed     // it is not tried again
	filled
)

func (d *downloads) of(volume *cdiv1.DataVolume) *download {
	d.mu.Lock()
	defer d.mu.Unlock()
	if job := d.jobs[keyOf(volume)]; job != nil && job.volume == volume.UID {
		return job
	}
	return nil
}

// real says whether a disk comes from a host that there is. All others are played.
func (d *downloads) real(volume *cdiv1.DataVolume) bool {
	if volume.Spec.Source == nil || volume.Spec.Source.HTTP == nil {
		return false
	}
	address, err := url.Parse(volume.Spec.Source.HTTP.URL)
	if err != nil {
		return false
	}
	host := address.Hostname()
	return d.services.Find(host) != "" || d.names.Find(host) != "" || d.of(volume) != nil
}

// start returns the download of a DataVolume, which it starts if there is none.
func (d *downloads) start(volume *cdiv1.DataVolume, claim *corev1.PersistentVolumeClaim) *download {
	if job := d.of(volume); job != nil {
		return job
	}
	d.stop(keyOf(volume))
	ctx, cancel := context.WithCancel(d.running)
	job := &download{volume: volume.UID, cancel: cancel, done: make(chan struct{})}
	job.now.restarts = volume.Status.RestartCount
	d.mu.Lock()
	d.jobs[keyOf(volume)] = job
	d.mu.Unlock()
	volume, claim = volume.DeepCopy(), claim.DeepCopy()
	go func() {
		defer close(job.done)
		d.run(ctx, job, volume, claim)
	}()
	return job
}

// stop ends the download of a DataVolume, if there is one.
func (d *downloads) stop(volume types.NamespacedName) {
	d.mu.Lock()
	job := d.jobs[volume]
	delete(d.jobs, volume)
	d.mu.Unlock()
	if job != nil {
		job.cancel()
		<-job.done
	}
}

// stopAll ends all downloads.
func (d *downloads) stopAll() {
	d.mu.Lock()
	var all []types.NamespacedName
	for volume := range d.jobs {
		all = append(all, volume)
	}
	d.mu.Unlock()
	for _, volume := range all {
		d.stop(volume)
	}
}

// run tries until the disk is there, or it makes no sense any more.
func (d *downloads) run(
	ctx context.Context, job *download, volume *cdiv1.DataVolume, claim *corev1.PersistentVolumeClaim,
) {
	change := func(change func(*downloadState)) {
		job.change(change)
		wake(ctx, d.changes, keyOf(volume))
	}
	delay := restartAfter
	for {
		source, err := d.mount(ctx, volume)
		if err != nil {
			if !sleep(ctx, mountAfter) {
				return
			}
			continue
		}
		attempt := imports.NewAttempt(imports.Options{
			Dial: exports.Dialer(d.services, d.names), Capacity: contents.Capacity(claim), Room: d.room,
			Pass: d.pass, SizeHeader: exports.SizeHeader,
		})
		job.begin(attempt)
		change(func(state *downloadState) { state.step, state.failure = transferring, nil })
		failure := d.fill(ctx, attempt, source, claim.UID)
		switch {
		case ctx.Err() != nil:
			return
		case failure == nil:
			change(func(state *downloadState) { state.step = filled })
			return
		case failure.Final():
			change(func(state *downloadState) { state.step, state.failure = failed, failure })
			return
		}
		change(func(state *downloadState) { state.step, state.failure = restarting, failure })
		if !sleep(ctx, delay) {
			return
		}
		delay = min(2*delay, restartAtMost)
		job.change(func(state *downloadState) { state.restarts++ })
	}
}

// fill lets one attempt write a new disk for the claim.
func (d *downloads) fill(
	ctx context.Context, attempt *imports.Attempt, source imports.Source, claim types.UID,
) *imports.Failure {
	draft, err := d.contents.Draft(claim)
	if err != nil {
		return &imports.Failure{Reason: imports.Failed, Message: err.Error()}
	}
	defer draft.Drop()
	if failure := attempt.Run(ctx, source, draft); failure != nil {
		return failure
	}
	if _, err := draft.Keep(); err != nil {
		return &imports.Failure{Reason: imports.Failed, Message: err.Error()}
	}
	return nil
}

// errMount is why an importer Pod does not start.
var errMount = errors.New("cannot mount")

// mount reads what an importer Pod mounts.
func (d *downloads) mount(ctx context.Context, volume *cdiv1.DataVolume) (imports.Source, error) {
	http := volume.Spec.Source.HTTP
	source := imports.Source{URL: http.URL, Checksum: http.Checksum, Headers: slices.Clone(http.ExtraHeaders)}
	if http.CertConfigMap != "" {
		authorities := &corev1.ConfigMap{}
		if err := d.get(ctx, volume, http.CertConfigMap, authorities); err != nil {
			return source, err
		}
		for _, authority := range authorities.Data {
			source.Authorities = append(source.Authorities, []byte(authority))
		}
	}
	for _, name := range http.SecretExtraHeaders {
		secret := &corev1.Secret{}
		if err := d.get(ctx, volume, name, secret); err != nil {
			return source, err
		}
		for _, header := range secret.Data {
			source.Headers = append(source.Headers, string(header))
		}
	}
	return source, nil
}

func (d *downloads) get(ctx context.Context, volume *cdiv1.DataVolume, name string, into client.Object) error {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	if err := d.pass(ctx); err != nil {
		return err
	}
	err := d.live.Get(ctx, client.ObjectKey{Namespace: volume.Namespace, Name: name}, into)
	if apierrors.IsNotFound(err) {
		return fmt.Errorf("%w %s", errMount, name)
	}
	return err
}

func (j *download) change(change func(*downloadState)) {
	j.mu.Lock()
	defer j.mu.Unlock()
	change(&j.now)
}

func (j *download) begin(attempt *imports.Attempt) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.attempt = attempt
}

// state returns how far the download is, and the percentage where that is known.
func (j *download) state() (state downloadState, percent float64, known bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.attempt != nil {
		percent, known = j.attempt.Percent()
	}
	return j.now, percent, known
}

// sleep says whether the time went by before ctx ended.
func sleep(ctx context.Context, delay time.Duration) bool {
	select {
	case <-time.After(delay):
		return true
	case <-ctx.Done():
		return false
	}
}

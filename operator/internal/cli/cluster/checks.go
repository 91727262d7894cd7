package cluster

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
	cdiv1beta1 "kubevirt.io/containerized-data-importer-api/pkg/apis/core/v1beta1"

	"github.com/vitistack/kubevirt-multicluster/clusterstatus/compatibility"
	"github.com/vitistack/kubevirt-multicluster/clusterstatus/kubevirt"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/cli/reach"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
)

const (
	// checkTimeout is for one check: a cluster that hangs must not hold up the whole list for ever.
	checkTimeout = 15 * time.Second
	// slow is the median answer from which on people notice.
	slow = 500 * time.Millisecond
	// skewed is how far the clocks may be apart before new tokens and certificates are refused.
	skewed = time.Minute
	// pings is how often the server is asked for the median.
	pings = 5
	// defaultClass marks the storage class of disks that name none.
	defaultClass = "storageclass.kubernetes.io/is-default-class"
	// defaultVirtClass marks KubeVirt's own default, which goes before.
	defaultVirtClass = "storageclass.kubevirt.io/is-default-virt-class"
)

// subject is a cluster to look at.
type subject struct {
	name     string
	remote   *reach.Cluster
	whose    string // rights
	needed   []right
	forMoves []right // nil where it is asked as a person
	identity string  // that it should have, "" where that is not known
}

// look asks everything. Where the cluster does not answer at all the rest is not asked.
func (s *subject) look(ctx context.Context) []result {
	first := s.within(ctx, s.answer)
	all := []result{first}
	if first.verdict == bad {
		return all
	}
	for _, check := range []func(context.Context) result{
		s.latency, s.clock, s.rights, s.kubevirt, s.cdi, s.storage, s.multus, s.definitions, s.moves,
	} {
		all = append(all, s.within(ctx, check))
	}
	return all
}

func (s *subject) within(ctx context.Context, check func(context.Context) result) result {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	return check(ctx)
}

// answer asks who the cluster is.
func (s *subject) answer(ctx context.Context) result {
	r := result{what: "API server"}
	uid, err := s.remote.Identity(ctx)
	if err != nil {
		return r.no("%v", err)
	}
	if s.identity != "" && s.identity != uid {
		return r.no("another cluster answers: %s, not %s", uid, s.identity)
	}
	version, err := s.remote.Version()
	if err != nil {
		return r.unclear("%v", err)
	}
	return r.yes("%s, Kubernetes %s, identity %s", s.remote.Config.Host, version, uid)
}

func (r result) yes(format string, args ...any) result     { return r.with(good, format, args...) }
func (r result) warn(format string, args ...any) result    { return r.with(warning, format, args...) }
func (r result) no(format string, args ...any) result      { return r.with(bad, format, args...) }
func (r result) unclear(format string, args ...any) result { return r.with(unknown, format, args...) }

func (r result) with(v verdict, format string, args ...any) result {
	r.verdict, r.text = v, strings.ReplaceAll(fmt.Sprintf(format, args...), "\n", "; ")
	return r
}

// latency is the median of a few answers.
func (s *subject) latency(ctx context.Context) result {
	r := result{what: "answer in"}
	times := make([]time.Duration, 0, pings)
	for range pings {
		began := time.Now()
		if _, err := s.remote.Identity(ctx); err != nil {
			return r.unclear("%v", err)
		}
		times = append(times, time.Since(began))
	}
	slices.Sort(times)
	median := times[len(times)/2]
	if median > slow {
		return r.warn("%s: statuses will come late", median.Round(time.Millisecond))
	}
	return r.yes("%s", median.Round(time.Millisecond/10))
}

// clock compares the server's clock with this computer's.
func (s *subject) clock(ctx context.Context) result {
	r := result{what: "clock"}
	address := strings.TrimSuffix(s.remote.Config.Host, "/") + "/version"
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return r.unclear("%v", err)
	}
	before := time.Now()
	response, err := s.remote.HTTP.Do(request)
	if err != nil {
		return r.unclear("%v", err)
	}
	defer response.Body.Close()
	there, err := http.ParseTime(response.Header.Get("Date"))
	if err != nil {
		return r.unclear("the server does not tell the time")
	}
	// The header has whole seconds, and stands for the middle of the call.
	skew := there.Add(time.Second / 2).Sub(before.Add(time.Since(before) / 2))
	if skew.Abs() > skewed {
		return r.no("the server's clock is %s away from this computer's: tokens and certificates are refused",
			skew.Round(time.Second))
	}
	return r.yes("within %s of this computer's", max(time.Second, skew.Abs().Round(time.Second)))
}

func (s *subject) rights(ctx context.Context) result {
	r := result{what: s.whose + " rights"}
	missing, err := lacking(ctx, s.remote, s.needed)
	switch {
	case err != nil:
		return r.unclear("%v", err)
	case len(missing) > 0:
		return r.no("%d of %d are missing: %s", len(missing), len(s.needed), strings.Join(missing, ", "))
	}
	return r.yes("all %d", len(s.needed))
}

func (s *subject) kubevirt(ctx context.Context) result {
	r := result{what: "KubeVirt"}
	seen, err := kubevirt.Look(ctx, s.remote)
	switch {
	case err != nil:
		return r.unclear("%s", seen.Message)
	case !seen.Ready:
		return r.no("%s", seen.Message)
	}
	return r.yes("%s", seen.Version)
}

// cdi looks for the kind of disks.
func (s *subject) cdi(context.Context) result {
	r := result{what: "CDI"}
	served, err := s.served(cdiv1beta1.SchemeGroupVersion.WithKind("DataVolume"))
	switch {
	case err != nil:
		return r.unclear("%v", err)
	case !served:
		return r.no("DataVolumes are not served: install CDI, without it no disk is made")
	}
	return r.yes("DataVolumes are served")
}

// served says whether the cluster knows a kind.
func (s *subject) served(kind schema.GroupVersionKind) (bool, error) {
	_, err := s.remote.RESTMapper().RESTMapping(kind.GroupKind(), kind.Version)
	if meta.IsNoMatchError(err) {
		return false, nil
	}
	return err == nil, err
}

func (s *subject) storage(ctx context.Context) result {
	r := result{what: "storage classes"}
	classes := &storagev1.StorageClassList{}
	if err := s.remote.List(ctx, classes); err != nil {
		return r.unclear("%v", err)
	}
	var names []string
	chosen := ""
	for _, class := range classes.Items {
		names = append(names, class.Name)
		if class.Annotations[defaultVirtClass] == "true" || chosen == "" && class.Annotations[defaultClass] == "true" {
			chosen = class.Name
		}
	}
	slices.Sort(names)
	switch {
	case len(names) == 0:
		return r.no("there is none: no disk can be made")
	case chosen == "":
		return r.warn("%s, and none is the default: disks must name one", strings.Join(names, ", "))
	}
	return r.yes("%s; %s is the default", strings.Join(names, ", "), chosen)
}

// multus looks for the kind that attaches Machines to VLANs.
func (s *subject) multus(context.Context) result {
	r := result{what: "Multus"}
	served, err := s.served(desired.NetworkAttachmentDefinitionKind)
	switch {
	case err != nil:
		return r.unclear("%v", err)
	case !served:
		return r.warn("NetworkAttachmentDefinitions are not served: Machines can be on the pod network alone")
	}
	return r.yes("NetworkAttachmentDefinitions are served")
}

func (s *subject) definitions(ctx context.Context) result {
	r := result{what: "definitions"}
	checker, err := compatibility.New()
	if err != nil {
		return r.unclear("%v", err)
	}
	answer := checker.Check(ctx, s.name, s.remote)
	switch {
	case !answer.Answered:
		return r.unclear("%s", answer.Message)
	case !answer.Compatible:
		return r.no("%s", answer.Message)
	}
	return r.yes("%s", answer.Message)
}

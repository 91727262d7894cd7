package valid_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/go-multierror"
	clientset "k8s.io/apiextensions-apiserver/pkg/client/clientset/clientset"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/vitistack/kubevirt-multicluster/crdcheck"
	"github.com/vitistack/kubevirt-multicluster/crdcheck/internal/valid"
	"github.com/vitistack/kubevirt-multicluster/testkit/controlplane"
)

// TestOracle creates each spoilt definition on a real API server, by dry run, and compares what it
// says.
func TestOracle(t *testing.T) {
	plane := controlplane.New(t, controlplane.Options{Name: "definitions"})
	config, err := plane.ConfigFor(controlplane.Admin)
	if err != nil {
		t.Fatal(err)
	}
	definitions := clientset.NewForConfigOrDie(config).ApiextensionsV1().CustomResourceDefinitions()
	for label, tc := range cases() {
		t.Run(label, func(t *testing.T) {
			crd := widgets(t)
			tc.spoil(&crd.Spec)
			_, err := definitions.Create(t.Context(), &crd, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
			if err != nil && !apierrors.IsInvalid(err) {
				t.Fatal(err)
			}
			if diff := cmp.Diff(serverReasons(err), ourReasons(valid.Definition(t.Context(), &crd))); diff != "" {
				t.Errorf("%s: -server +ours:\n%s", tc.reason, diff)
			}
		})
	}
}

func serverReasons(err error) []string {
	var status apierrors.APIStatus
	if !errors.As(err, &status) {
		return nil
	}
	var all []string
	for _, cause := range status.Status().Details.Causes {
		all = append(all, cause.Field+": "+cause.Message)
	}
	slices.Sort(all)
	return all
}

func ourReasons(err error) []string {
	var many *multierror.Error
	if !errors.As(err, &many) {
		return nil
	}
	var all []string
	for _, one := range many.Errors {
		var reason *field.Error
		if errors.As(one, &reason) {
			all = append(all, reason.Field+": "+reason.ErrorBody())
		}
	}
	slices.Sort(all)
	return all
}

// TestRealDefinitions: a definition that clusters have is never called refused.
func TestRealDefinitions(t *testing.T) {
	cache, err := controlplane.CacheDir()
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(filepath.Join(cache, "kubevirt-v1.8.4", "crds.yaml"))
	if err != nil {
		t.Fatalf("%v: run `make tools`", err)
	}
	defer file.Close()
	crds, err := crdcheck.Load(file)
	if err != nil || len(crds) < 20 {
		t.Fatalf("%d definitions: %v", len(crds), err)
	}
	for i := range crds {
		if err := valid.Definition(t.Context(), &crds[i]); err != nil {
			t.Error(err)
		}
	}
}

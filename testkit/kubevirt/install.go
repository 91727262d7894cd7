package kubevirt

import (
	"context"
	"fmt"
	"time"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	kubevirtv1 "kubevirt.io/api/core/v1"
	cdiv1 "kubevirt.io/containerized-data-importer-api/pkg/apis/core/v1beta1"
)

// launchedAnnotation says when virt-api was started.
const launchedAnnotation = "kubevirt.testkit/launched"

// install creates the custom resource definitions and KubeVirt's namespace. What exists stays.
func (s *Stack) install(ctx context.Context) error {
	definitions, err := readDefinitions(s.options.Binaries.Definitions)
	if err != nil {
		return err
	}
	if err := createDefinitions(ctx, s.cluster.Config(), definitions); err != nil {
		return err
	}
	s.served = definitions
	return s.create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: Namespace}})
}

// configure waits until the kinds are served, and creates what KubeVirt's programs read. What
// exists stays.
func (s *Stack) configure(ctx context.Context) error {
	if err := waitServed(ctx, s.cluster.Config(), s.served); err != nil {
		return err
	}
	if err := s.create(ctx, configuration(s.identity)...); err != nil {
		return err
	}
	if s.external.Load() {
		if err := s.SetExternalLinks(ctx, true); err != nil {
			return err
		}
	}
	return s.writeStatus(ctx)
}

// connect lets the API server call virt-api. It is done when virt-api answers, and again whenever
// it was started: the API server looks at an APIService when that changes, and seldom otherwise.
func (s *Stack) connect(ctx context.Context) error {
	e := endpoint{port: s.ports.api.Number, ca: s.identity.ca.Cert}
	webhooks, err := e.webhooks(s.options.Binaries.Webhooks)
	if err != nil {
		return err
	}
	if err := s.create(ctx, append(webhooks, e.service())...); err != nil {
		return err
	}
	for _, service := range e.apiServices() {
		service.SetAnnotations(map[string]string{launchedAnnotation: time.Now().Format(time.RFC3339Nano)})
		//nolint:staticcheck // Apply takes no typed object, and there is no apply configuration of an APIService here
		if err := s.client.Patch(ctx, service, client.Apply, client.FieldOwner("testkit"),
			client.ForceOwnership); err != nil {
			return fmt.Errorf("applying APIService %s: %w", service.GetName(), err)
		}
	}
	return nil
}

// create creates objects in the order given.
func (s *Stack) create(ctx context.Context, objects ...client.Object) error {
	for _, object := range objects {
		if err := s.client.Create(ctx, object); err != nil && !apierrors.IsAlreadyExists(err) {
			return fmt.Errorf("creating %T %s: %w", object, object.GetName(), err)
		}
	}
	return nil
}

// writeStatus writes what the operators of KubeVirt and CDI would report.
func (s *Stack) writeStatus(ctx context.Context) error {
	kubevirt := kubeVirt()
	if err := s.client.Get(ctx, client.ObjectKeyFromObject(kubevirt), kubevirt); err != nil {
		return err
	}
	if err := s.patchStatus(ctx, kubevirt, func() {
		kubevirt.Status = deployed(kubevirt.Generation, metav1.Now())
	}); err != nil {
		return err
	}
	profile := storageProfile()
	return s.patchStatus(ctx, profile, func() { profile.Status = profiled() })
}

func (s *Stack) patchStatus(ctx context.Context, object client.Object, change func()) error {
	before := object.DeepCopyObject().(client.Object)
	change()
	if err := s.client.Status().Patch(ctx, object, client.MergeFrom(before)); err != nil {
		return fmt.Errorf("status of %T %s: %w", object, object.GetName(), err)
	}
	return nil
}

// scheme knows the kinds that are installed by their Go types.
func scheme() (*runtime.Scheme, error) {
	s := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		corev1.AddToScheme, storagev1.AddToScheme, networkingv1.AddToScheme, admissionv1.AddToScheme,
		kubevirtv1.AddToScheme, cdiv1.AddToScheme,
	} {
		if err := add(s); err != nil {
			return nil, err
		}
	}
	return s, nil
}

package kubevirt

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"
	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	kubevirtv1 "kubevirt.io/api/core/v1"
	cdiv1 "kubevirt.io/containerized-data-importer-api/pkg/apis/core/v1beta1"
)

// install creates everything that is stored in the cluster. What exists stays.
func (s *Stack) install(ctx context.Context) error {
	definitions, err := readDefinitions(s.options.Binaries.Definitions)
	if err != nil {
		return err
	}
	group, parallel := errgroup.WithContext(ctx)
	group.Go(func() error { return installDefinitions(parallel, s.cluster.Config(), definitions) })
	group.Go(func() error {
		return s.create(parallel, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: Namespace}})
	})
	if err := group.Wait(); err != nil {
		return err
	}
	if err := s.create(ctx, configuration(s.identity.ca.Cert)...); err != nil {
		return err
	}
	if err := s.writeStatus(ctx); err != nil {
		return err
	}
	if s.options.Mode == Light {
		return nil
	}
	return s.connect(ctx)
}

// connect lets the API server call virt-api.
func (s *Stack) connect(ctx context.Context) error {
	e := endpoint{port: s.ports.api, ca: s.identity.ca.Cert}
	webhooks, err := e.webhooks(s.options.Binaries.Webhooks)
	if err != nil {
		return err
	}
	if err := s.create(ctx, e.service()); err != nil {
		return err
	}
	return s.create(ctx, append(webhooks, e.apiServices()...)...)
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
	if err := s.patchStatus(ctx, kubevirt, func() { kubevirt.Status = deployed(kubevirt.Generation, metav1.Now()) }); err != nil {
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
		corev1.AddToScheme, storagev1.AddToScheme, admissionv1.AddToScheme, kubevirtv1.AddToScheme, cdiv1.AddToScheme,
	} {
		if err := add(s); err != nil {
			return nil, err
		}
	}
	return s, nil
}

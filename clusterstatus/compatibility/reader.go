package compatibility

import (
	"context"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/kubevirt-multicluster/crdcheck/observe"
)

// reader reads definitions through a client that asks the cluster itself.
type reader struct{ live client.Reader }

var _ observe.Reader = reader{}

// Revisions implements observe.Reader with one LIST of metadata, which the API server answers from
// its own cache.
func (r reader) Revisions(ctx context.Context) (map[string]string, error) {
	var list metav1.PartialObjectMetadataList
	list.SetGroupVersionKind(apiextensionsv1.SchemeGroupVersion.WithKind("CustomResourceDefinitionList"))
	if err := r.live.List(ctx, &list, &client.ListOptions{Raw: &metav1.ListOptions{ResourceVersion: "0"}}); err != nil {
		return nil, err
	}
	revisions := make(map[string]string, len(list.Items))
	for i := range list.Items {
		revisions[list.Items[i].Name] = observe.Revision(string(list.Items[i].UID), list.Items[i].ResourceVersion)
	}
	return revisions, nil
}

// Definition implements observe.Reader.
func (r reader) Definition(ctx context.Context, name string) (*apiextensionsv1.CustomResourceDefinition, error) {
	crd := &apiextensionsv1.CustomResourceDefinition{}
	err := r.live.Get(ctx, client.ObjectKey{Name: name}, crd)
	return crd, err
}

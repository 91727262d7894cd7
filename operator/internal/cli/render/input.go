package render

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/yaml"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/machine"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
)

// noUID stands for the UID of a Machine that does not exist yet.
const noUID = types.UID("00000000-0000-4000-8000-000000000000")

// input is a Machine and what it names.
type input struct {
	machine    *vitistackv1alpha1.Machine
	classes    []vitistackv1alpha1.MachineClass
	networks   []vitistackv1alpha1.NetworkNamespace
	secrets    []corev1.Secret
	configMaps []corev1.ConfigMap
}

// parse reads the documents of a file. A field that a kind does not have is an error, as is a kind
// that has no part in it.
func parse(content []byte) (*input, error) {
	in := &input{}
	documents := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(content)))
	for {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		if len(bytes.TrimSpace(document)) == 0 {
			continue
		}
		if err := in.take(document); err != nil {
			return nil, err
		}
	}
	if in.machine == nil {
		return nil, errNoMachine
	}
	in.machine.Namespace = cmp.Or(in.machine.Namespace, "default")
	in.machine.UID = cmp.Or(in.machine.UID, noUID)
	for i := range in.networks {
		in.networks[i].Namespace = cmp.Or(in.networks[i].Namespace, in.machine.Namespace)
	}
	return in, nil
}

// take reads one document.
func (in *input) take(document []byte) error {
	var head struct {
		APIVersion string `json:"apiVersion"`
		Kind       string `json:"kind"`
	}
	if err := yaml.Unmarshal(document, &head); err != nil {
		return err
	}
	own := vitistackv1alpha1.SchemeGroupVersion.String()
	switch {
	case head.APIVersion == own && head.Kind == "Machine":
		if in.machine != nil {
			return errors.New("there are two Machines in it: want one")
		}
		in.machine = &vitistackv1alpha1.Machine{}
		if err := yaml.UnmarshalStrict(document, in.machine); err != nil {
			return fmt.Errorf("machine: %w", err)
		}
		if in.machine.Name == "" {
			return errors.New("machine: metadata.name is empty")
		}
		return nil
	case head.APIVersion == own && head.Kind == "MachineClass":
		return read(document, head.Kind, &in.classes)
	case head.APIVersion == own && head.Kind == "NetworkNamespace":
		return read(document, head.Kind, &in.networks)
	case head.APIVersion == "v1" && head.Kind == "Secret":
		return read(document, head.Kind, &in.secrets)
	case head.APIVersion == "v1" && head.Kind == "ConfigMap":
		return read(document, head.Kind, &in.configMaps)
	}
	return fmt.Errorf("kind %q of %q has no part in a VirtualMachine", head.Kind, head.APIVersion)
}

func read[T any](document []byte, kind string, into *[]T) error {
	var one T
	if err := yaml.UnmarshalStrict(document, &one); err != nil {
		return fmt.Errorf("%s: %w", kind, err)
	}
	*into = append(*into, one)
	return nil
}

// objects are what the operator would make in the remote cluster, in its steps. The Secret with the
// cloud-init data is left out: people print this, and send it around.
func (in *input) objects(settings machine.Settings) ([]*unstructured.Unstructured, error) {
	options := settings.Desired
	options.SupervisorUID = cmp.Or(options.SupervisorUID, string(noUID))
	vmName, err := desired.VMName(settings.VMNamePrefix, in.machine.Name)
	if err != nil {
		return nil, err
	}
	record, err := desired.Attach(desired.AttachInput{
		Machine: in.machine, NetworkNamespaces: in.networks, Options: options,
	})
	if err != nil {
		return nil, err
	}
	init, err := in.cloudInit(vmName, record, options)
	if err != nil {
		return nil, err
	}
	class, err := in.class(options)
	if err != nil {
		return nil, err
	}
	vm, err := desired.VirtualMachine(desired.Input{
		Machine: in.machine, Class: class, Network: record, CloudInit: init, Options: options,
		Ledger: vitistackv1alpha1.Ledger{Namespace: in.machine.Namespace, VMName: vmName},
	})
	if err != nil {
		return nil, err
	}
	vm.SetGroupVersionKind(kubevirtv1.VirtualMachineGroupVersionKind)
	made, err := runtime.DefaultUnstructuredConverter.ToUnstructured(vm)
	if err != nil {
		return nil, err
	}
	unstructured.RemoveNestedField(made, "status")
	unstructured.RemoveNestedField(made, "metadata", "creationTimestamp")
	unstructured.RemoveNestedField(made, "metadata", "annotations", vitistackv1alpha1.AnnotationPlacementNonce)
	all := []*unstructured.Unstructured{{Object: made}}
	for _, attachment := range record.Attachments {
		definition, err := desired.NetworkAttachmentDefinition(in.machine.Namespace, attachment, options)
		if err != nil {
			return nil, err
		}
		if definition != nil {
			all = append(all, definition)
		}
	}
	return all, nil
}

// class is the MachineClass that the Machine asks for, or the default one of the file; nil means
// the built-in sizes.
func (in *input) class(options desired.Options) (*vitistackv1alpha1.MachineClass, error) {
	name, err := desired.ClassName(in.machine)
	if err != nil {
		return nil, err
	}
	if name == "" {
		return desired.DefaultClass(in.classes, options), nil
	}
	for i := range in.classes {
		if in.classes[i].Name == name {
			return &in.classes[i], nil
		}
	}
	return nil, nil //nolint:nilnil // no class is what package desired calls nil
}

// cloudInit is the cloud-init of the Machine, nil for none.
func (in *input) cloudInit(
	vmName string, record vitistackv1alpha1.NetworkRecord, options desired.Options,
) (*desired.CloudInit, error) {
	sources, err := desired.CloudInitSources(in.machine)
	if err != nil {
		return nil, err
	}
	for _, source := range []*desired.Source{&sources.UserData, &sources.NetworkData} {
		if source.Name == "" {
			continue
		}
		if err := in.fill(source); err != nil {
			return nil, err
		}
	}
	init, err := desired.NewCloudInit(desired.CloudInitInput{
		Machine: in.machine, VMName: vmName, Sources: sources, Network: record, NetworkNamespaces: in.networks,
		Options: options,
	})
	if waits, is := errors.AsType[*desired.Wait](err); is {
		return nil, fmt.Errorf("its cloud-init has addresses that another operator gives, which no file knows: %w", waits)
	}
	return init, err
}

// fill puts the text of a Secret or ConfigMap of the file into a source.
func (in *input) fill(source *desired.Source) error {
	for i := range in.secrets {
		secret := &in.secrets[i]
		if source.Kind != desired.SourceSecret || secret.Name != source.Name {
			continue
		}
		if text, there := secret.StringData[source.Key]; there {
			source.Data = []byte(text)
			return nil
		}
		if data, there := secret.Data[source.Key]; there {
			source.Data = data
			return nil
		}
	}
	for i := range in.configMaps {
		config := &in.configMaps[i]
		if source.Kind != desired.SourceConfigMap || config.Name != source.Name {
			continue
		}
		if text, there := config.Data[source.Key]; there {
			source.Data = []byte(text)
			return nil
		}
		if data, there := config.BinaryData[source.Key]; there {
			source.Data = data
			return nil
		}
	}
	return fmt.Errorf("%w: add it to the file", source.Missing())
}

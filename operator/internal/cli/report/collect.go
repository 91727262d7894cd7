package report

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/cli/reach"
)

const (
	// page is how many objects one answer of a server has.
	page = 500
	// maxObjects bounds one kind: what is wrong with the first thousands is wrong with the rest.
	maxObjects = 20_000
	// clusterTimeout is for all of one cluster.
	clusterTimeout = 2 * time.Minute
	// logLines are taken of the end of each log.
	logLines = int64(20_000)
)

// collection is what a person wants packed.
type collection struct {
	supervisor *reach.Supervisor
	bundle     *bundle
	namespace  string // "" means all
	remotes    bool
	since      time.Duration
	progress   io.Writer
}

// all packs everything. Its error is one of writing the bundle: what cannot be read is noted.
func (c *collection) all(ctx context.Context) error {
	err := c.cluster(ctx, "supervisor", c.supervisor.Cluster, supervisorSources(c.supervisor.Namespace, c.namespace))
	if err != nil {
		return err
	}
	if err := c.programs(ctx); err != nil || !c.remotes {
		return err
	}
	uid, err := c.supervisor.Identity(ctx)
	if err != nil {
		c.bundle.miss("remote clusters", err)
		return nil
	}
	configs, err := c.supervisor.Configs(ctx)
	if err != nil {
		c.bundle.miss("remote clusters", err)
		return nil
	}
	for i := range configs {
		if err := c.remote(ctx, &configs[i], uid); err != nil {
			return err
		}
	}
	return nil
}

// remote packs one remote cluster, by the operator's kubeconfig for it.
func (c *collection) remote(ctx context.Context, config *vitistackv1alpha1.KubevirtConfig, uid string) error {
	remote, err := c.supervisor.Remote(ctx, config)
	if err != nil {
		c.bundle.miss("cluster "+config.Name, err)
		return nil
	}
	return c.cluster(ctx, path.Join("remotes", config.Name), remote, remoteSources(uid, c.namespace))
}

// cluster packs the version and the objects of one cluster. One that does not answer costs one
// question.
func (c *collection) cluster(ctx context.Context, folder string, of *reach.Cluster, sources []source) error {
	fmt.Fprintf(c.progress, "%s …\n", folder)
	ctx, cancel := context.WithTimeout(ctx, clusterTimeout)
	defer cancel()
	version, err := of.Version()
	if err != nil {
		c.bundle.miss(folder, err)
		return nil
	}
	identity, err := of.Identity(ctx)
	if err != nil {
		c.bundle.miss(folder, err)
	}
	text := fmt.Sprintf("Kubernetes: %s\nidentity: %s\n", version, identity)
	if err := c.bundle.add(path.Join(folder, "version.yaml"), []byte(text)); err != nil {
		return err
	}
	for _, each := range sources {
		content, err := list(ctx, of, each)
		if err != nil {
			c.bundle.miss(folder+": "+each.String(), err)
		}
		if len(content) == 0 {
			continue
		}
		if err := c.bundle.add(path.Join(folder, each.file), content); err != nil {
			return err
		}
	}
	return nil
}

// list returns the objects of a kind as a stream of YAML, without their secrets. With an error it
// returns those that were read before.
func list(ctx context.Context, from client.Reader, s source) ([]byte, error) {
	var out bytes.Buffer
	objects := &unstructured.UnstructuredList{}
	for count, begin := 0, true; begin || objects.GetContinue() != ""; begin = false {
		next := objects.GetContinue()
		objects = &unstructured.UnstructuredList{}
		objects.SetGroupVersionKind(s.kind.GroupVersion().WithKind(s.kind.Kind + "List"))
		options := []client.ListOption{
			client.InNamespace(s.namespace), client.MatchingLabels(s.labels), client.Limit(page), client.Continue(next),
		}
		if len(s.fields) > 0 {
			options = append(options, client.MatchingFields(s.fields))
		}
		if err := from.List(ctx, objects, options...); err != nil {
			return out.Bytes(), err
		}
		for i := range objects.Items {
			text, err := yaml.Marshal(Redact(objects.Items[i].Object))
			if err != nil {
				return out.Bytes(), err
			}
			out.WriteString("---\n")
			out.Write(text)
		}
		if count += len(objects.Items); count >= maxObjects {
			return out.Bytes(), fmt.Errorf("the first %d were packed", count)
		}
	}
	return out.Bytes(), nil
}

// programs packs the logs and metrics of the operator's Pods.
func (c *collection) programs(ctx context.Context) error {
	pods := &corev1.PodList{}
	err := c.supervisor.List(ctx, pods, client.InNamespace(operatorNamespace))
	if err == nil && len(pods.Items) == 0 {
		err = errors.New("no Pod runs in namespace " + operatorNamespace)
	}
	if err != nil {
		c.bundle.miss("logs and metrics of the operator", err)
		return nil
	}
	clientset, err := kubernetes.NewForConfigAndClient(c.supervisor.Config, c.supervisor.HTTP)
	if err != nil {
		return err
	}
	for i := range pods.Items {
		if err := c.pod(ctx, clientset, &pods.Items[i]); err != nil {
			return err
		}
	}
	return nil
}

// pod packs the logs of a Pod's containers, those from before a restart too, and its metrics.
func (c *collection) pod(ctx context.Context, clientset kubernetes.Interface, pod *corev1.Pod) error {
	lines, seconds := logLines, int64(c.since.Seconds())
	for _, container := range pod.Spec.Containers {
		for _, former := range []bool{false, true} {
			name := fmt.Sprintf("supervisor/logs/%s-%s.log", pod.Name, container.Name)
			if former {
				name = fmt.Sprintf("supervisor/logs/%s-%s-before.log", pod.Name, container.Name)
			}
			content, err := clientset.CoreV1().Pods(pod.Namespace).GetLogs(pod.Name, &corev1.PodLogOptions{
				Container: container.Name, Previous: former, TailLines: &lines, SinceSeconds: &seconds, Timestamps: true,
			}).DoRaw(ctx)
			if err != nil {
				if !former { // most Pods were never restarted
					c.bundle.miss(name, err)
				}
				continue
			}
			if err := c.bundle.add(name, []byte(Text(string(content)))); err != nil {
				return err
			}
		}
		for _, port := range container.Ports {
			if port.Name != "metrics" {
				continue
			}
			name := fmt.Sprintf("supervisor/metrics/%s.txt", pod.Name)
			content, err := clientset.CoreV1().Pods(pod.Namespace).ProxyGet("http", pod.Name,
				fmt.Sprint(port.ContainerPort), "metrics", nil).DoRaw(ctx)
			if err != nil {
				c.bundle.miss(name, err)
				continue
			}
			if err := c.bundle.add(name, []byte(Text(string(content)))); err != nil {
				return err
			}
		}
	}
	return nil
}

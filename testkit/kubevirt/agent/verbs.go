package agent

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/util/retry"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// virtHandler is the name of the Pod by which virt-api finds virt-handler, and the Pod's label.
const virtHandler = "virt-handler"

// Verbs say how virt-api reaches virt-handler. All is needed.
type Verbs struct {
	// Namespace is KubeVirt's.
	Namespace string
	// Address is where virt-api asks, and Certificate what it is met with.
	Address     string
	Certificate tls.Certificate
	// Authority signed virt-api's certificate; PEM.
	Authority []byte
}

// verbs plays the server of virt-handler that virt-api hands a guest's verbs to: pause and unpause.
type verbs struct {
	Verbs
	node   string
	client client.Client
	live   client.Reader
	gate   *gate
}

// Start serves until ctx ends.
func (v *verbs) Start(ctx context.Context) error {
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(v.Authority) {
		return errors.New("the authority of virt-api is no certificate")
	}
	listener, err := tls.Listen("tcp", v.Address, &tls.Config{
		Certificates: []tls.Certificate{v.Certificate}, MinVersion: tls.VersionTLS12,
		ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert,
	})
	if err != nil {
		return fmt.Errorf("serving as virt-handler: %w", err)
	}
	paths := http.NewServeMux()
	for verb, frozen := range map[string]bool{"pause": true, "unpause": false} {
		paths.HandleFunc("PUT /v1/namespaces/{namespace}/virtualmachineinstances/{name}/"+verb, v.answer(frozen))
	}
	server := &http.Server{Handler: paths, ReadHeaderTimeout: answerTimeout}
	end := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer end()
	go v.stayAnnounced(ctx)
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving as virt-handler: %w", err)
	}
	return nil
}

// stayAnnounced keeps the Pod there until ctx ends: a restored cluster may lack it.
func (v *verbs) stayAnnounced(ctx context.Context) {
	for delay := time.Duration(0); ; {
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait.Jitter(delay, 0.1)):
		}
		delay = heartbeat
		if err := v.announce(ctx); err != nil {
			delay = retryAtMost
		}
	}
}

// announce makes the Pod by which virt-api finds this server.
func (v *verbs) announce(ctx context.Context) error {
	host, _, err := net.SplitHostPort(v.Address)
	if err != nil {
		return err
	}
	if err := v.gate.pass(ctx); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: virtHandler, Namespace: v.Namespace,
			Labels: map[string]string{kubevirtv1.AppLabel: virtHandler}},
		Spec: corev1.PodSpec{NodeName: v.node, Containers: []corev1.Container{
			{Name: virtHandler, Image: "registry.example/kubevirt/virt-handler"},
		}},
	}
	there := &corev1.Pod{}
	if err := v.client.Get(ctx, keyOf(pod), there); err == nil && there.Status.PodIP == host {
		return nil
	}
	if err := v.client.Create(ctx, pod); err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("creating the Pod of virt-handler: %w", err)
	}
	return retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		live := &corev1.Pod{}
		if err := v.live.Get(ctx, keyOf(pod), live); err != nil {
			return err
		}
		ready := live.DeepCopy()
		ready.Status.Phase, ready.Status.PodIP = corev1.PodRunning, host
		ready.Status.PodIPs = []corev1.PodIP{{IP: host}}
		return patchStatus(ctx, v.client, live, ready)
	})
}

// isHandler says whether a Pod is the agent's own.
func isHandler(pod *corev1.Pod) bool { return pod.Labels[kubevirtv1.AppLabel] == virtHandler }

// answer pauses a guest or lets it go on. virt-handler answers when that is done.
func (v *verbs) answer(frozen bool) http.HandlerFunc {
	return func(response http.ResponseWriter, request *http.Request) {
		ctx, cancel := context.WithTimeout(request.Context(), answerTimeout)
		defer cancel()
		key := types.NamespacedName{Namespace: request.PathValue("namespace"), Name: request.PathValue("name")}
		err := v.gate.pass(ctx)
		if err == nil {
			err = v.freeze(ctx, key, frozen)
		}
		if err != nil {
			http.Error(response, err.Error(), http.StatusInternalServerError)
			return
		}
		response.WriteHeader(http.StatusAccepted)
	}
}

// freeze says of an instance that it is paused, or no longer. The rest of the agent writes to it too.
func (v *verbs) freeze(ctx context.Context, key types.NamespacedName, frozen bool) error {
	again := func(err error) bool { return apierrors.IsConflict(err) && ctx.Err() == nil }
	backoff := retry.DefaultBackoff
	backoff.Steps, backoff.Cap = 20, time.Second
	return retry.OnError(backoff, again, func() error {
		vmi := &kubevirtv1.VirtualMachineInstance{}
		if err := v.live.Get(ctx, key, vmi); err != nil {
			return err
		}
		next := vmi.DeepCopy()
		if frozen {
			setCondition(next, kubevirtv1.VirtualMachineInstancePaused, corev1.ConditionTrue, "PausedByUser",
				"VMI was paused by user")
		} else {
			removeCondition(next, kubevirtv1.VirtualMachineInstancePaused)
		}
		stamp(next)
		return patch(ctx, v.client, vmi, next)
	})
}

package controlplane

import (
	"net"
	"path/filepath"
	"strconv"

	"github.com/vitistack/kubevirt-multicluster/testkit/internal/process"
)

const (
	loopback = "127.0.0.1"
	// internalName is the server name by which a cluster's own programs ask for the certificate that
	// is never rotated.
	internalName = "localhost"
	serviceCIDR  = "10.96.0.0/16"
)

// etcd's name, cluster and peer address stay at their defaults: a restored snapshot has them too.
// It has no peers, so no port for them.
func (c *Cluster) etcd() process.Spec {
	return c.spec("etcd",
		"--data-dir="+c.etcdData(),
		"--listen-client-urls="+c.etcdURL(),
		"--advertise-client-urls="+c.etcdURL(),
		"--listen-peer-urls=http://"+net.JoinHostPort(loopback, "0"),
		"--unsafe-no-fsync",
		"--log-level=warn",
	)
}

func (c *Cluster) etcdURL() string {
	return "http://" + net.JoinHostPort(loopback, strconv.Itoa(c.ports.etcd.Number))
}

func (c *Cluster) apiServer() process.Spec {
	f := c.files
	args := []string{
		"--etcd-servers=" + c.etcdURL(),
		"--bind-address=" + loopback,
		"--endpoint-reconciler-type=none", // loopback is not for an Endpoints object, and nothing here uses one
		"--secure-port=" + strconv.Itoa(c.options.Port),
		"--service-cluster-ip-range=" + serviceCIDR,
		"--authorization-mode=RBAC",
		"--allow-privileged=true",
		"--client-ca-file=" + f.ClientCA,
		"--tls-cert-file=" + f.ServingCert,
		"--tls-private-key-file=" + f.ServingKey,
		"--tls-sni-cert-key=" + f.internalCert + "," + f.internalKey + ":" + internalName,
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file=" + f.serviceAccountKey,
		"--service-account-signing-key-file=" + f.serviceAccountKey,
		"--requestheader-client-ca-file=" + f.FrontProxyCA,
		"--requestheader-allowed-names=front-proxy-client",
		"--requestheader-username-headers=X-Remote-User",
		"--requestheader-group-headers=X-Remote-Group",
		"--requestheader-extra-headers-prefix=X-Remote-Extra-",
		"--proxy-client-cert-file=" + f.FrontProxyCert,
		"--proxy-client-key-file=" + f.FrontProxyKey,
		"--profiling=false",
	}
	if c.options.AuditLog != "" {
		args = append(args, "--audit-policy-file="+f.auditPolicy, "--audit-log-path="+c.options.AuditLog)
	}
	return c.spec("kube-apiserver", args...)
}

// controllers are those that an installation needs: namespaces, rights and tokens, and Deployments
// down to their Pods, which nothing here schedules.
const controllers = "namespace-controller,garbage-collector-controller,serviceaccount-controller," +
	"clusterrole-aggregation-controller,serviceaccount-token-controller,root-ca-certificate-publisher-controller," +
	"deployment-controller,replicaset-controller"

func (c *Cluster) controllerManager() process.Spec {
	return c.spec("kube-controller-manager",
		"--kubeconfig="+c.adminKubeconfigFile(),
		"--controllers="+controllers,
		"--service-account-private-key-file="+c.files.serviceAccountKey,
		"--root-ca-file="+c.files.ServingCA,
		"--leader-elect=false",
		"--secure-port=0",
		"--kube-api-qps=200",
		"--kube-api-burst=400",
		"--profiling=false",
	)
}

func (c *Cluster) spec(program string, args ...string) process.Spec {
	return process.Spec{
		Name: c.options.Name + "'s " + program,
		Path: c.options.Binaries[program],
		Args: args,
		Log:  filepath.Join(c.LogDir(), program+".log"),
	}
}

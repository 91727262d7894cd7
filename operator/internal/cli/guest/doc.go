// Package guest has the commands of kubectl machine that lead into a guest: console, vnc and ssh.
//
// They find the virtual machine by the record of its Machine, make sure that it is that very object
// in that very cluster, and leave the rest to virtctl, KubeVirt's own client. The kubeconfig is the
// caller's, or the one of the KubevirtConfig where the caller may read it; what is missing is said
// before virtctl is started.
package guest

package kubeconfig

import clientcmdv1 "k8s.io/client-go/tools/clientcmd/api/v1"

func refuseCluster(cluster clientcmdv1.Cluster, options Options) error {
	switch {
	case cluster.CertificateAuthority != "":
		return refuse("clusters[].cluster.certificate-authority", "files are not read; use certificate-authority-data")
	case cluster.InsecureSkipTLSVerify && !options.AllowInsecure:
		return refuse("clusters[].cluster.insecure-skip-tls-verify", "the server must be verified")
	case cluster.InsecureSkipTLSVerify && len(cluster.CertificateAuthorityData) > 0:
		return refuse("clusters[].cluster.insecure-skip-tls-verify", "contradicts certificate-authority-data")
	case cluster.ProxyURL != "" && !options.AllowProxy:
		return refuse("clusters[].cluster.proxy-url", "proxies are not allowed here")
	}
	return nil
}

func refuseUser(user clientcmdv1.AuthInfo) error {
	switch {
	case user.Exec != nil:
		return refuse("users[].user.exec", "programs are not run")
	case user.AuthProvider != nil:
		return refuse("users[].user.auth-provider", "plugins are not run")
	case user.ClientCertificate != "":
		return refuse("users[].user.client-certificate", "files are not read; use client-certificate-data")
	case user.ClientKey != "":
		return refuse("users[].user.client-key", "files are not read; use client-key-data")
	case user.TokenFile != "":
		return refuse("users[].user.tokenFile", "files are not read; use token")
	case user.Impersonate != "":
		return refuse("users[].user.as", "impersonation is not allowed")
	case user.ImpersonateUID != "":
		return refuse("users[].user.as-uid", "impersonation is not allowed")
	case len(user.ImpersonateGroups) > 0:
		return refuse("users[].user.as-groups", "impersonation is not allowed")
	case len(user.ImpersonateUserExtra) > 0:
		return refuse("users[].user.as-user-extra", "impersonation is not allowed")
	}
	return nil
}

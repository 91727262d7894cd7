package kubeconfig

import (
	"strings"

	clientcmdv1 "k8s.io/client-go/tools/clientcmd/api/v1"
)

const fieldToken = "users[].user.token"

func (t *Target) setCredential(user clientcmdv1.AuthInfo) error {
	token := strings.TrimSpace(user.Token)
	switch {
	case strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }):
		return refuse(fieldToken, "has characters that no token has")
	case encodedToken(token):
		return refuse(fieldToken, "is base64 encoded, as in a Secret's data")
	case token != "" && user.Username != "":
		return refuse(fieldToken, "contradicts username")
	case user.Username == "" && user.Password != "":
		return refuse("users[].user.password", "is set without username")
	case token == "" && user.Username == "" && len(t.Certificate) == 0:
		return refuse("users[].user", "has no credential")
	}
	t.Token, t.Username, t.Password = NewSecret(token), user.Username, NewSecret(user.Password)
	t.tokenUntil = endOf(token)
	return nil
}

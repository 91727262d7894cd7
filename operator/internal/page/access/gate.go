package access

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apiserver/pkg/authentication/authenticator"
	"k8s.io/apiserver/pkg/authentication/authenticatorfactory"
	"k8s.io/apiserver/pkg/authentication/request/headerrequest"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/authorization/authorizer"
	"k8s.io/apiserver/pkg/authorization/authorizerfactory"
	"k8s.io/apiserver/pkg/server/dynamiccertificates"
	authenticationv1 "k8s.io/client-go/kubernetes/typed/authentication/v1"
	authorizationv1 "k8s.io/client-go/kubernetes/typed/authorization/v1"
	"k8s.io/client-go/rest"
)

const (
	// keepNo is how long it counts that somebody may not list something: people try again once they
	// were given a right.
	keepNo = 10 * time.Second
	// answer bounds one question to the supervisor.
	answer = 10 * time.Second
	// maxToken is far more than a token has, in bytes.
	maxToken = 16 << 10
	// maxReviews is the number of tokens of strangers that are asked for at once.
	maxReviews = 8
)

var (
	// ErrNobody means no credential, or none that the supervisor knows.
	ErrNobody = errors.New("no credential that the supervisor cluster knows")
	// ErrNoAnswer means that the supervisor gave no verdict, so that nothing is shown.
	ErrNoAnswer = errors.New("the supervisor cluster gives no verdict")
)

// Options say who is believed. The zero value believes the supervisor's tokens.
type Options struct {
	// Audiences are those of which a token must have one. Default: the API server's own.
	Audiences []string
	// ProxyCA is a PEM file with the authority of front proxies, which say in headers who somebody is:
	// X-Remote-User, X-Remote-Uid, X-Remote-Group, X-Remote-Extra-. "" means that there is none. It is
	// read again when it changes.
	ProxyCA string
	// ProxyNames are the common names that the certificate of a front proxy may have. Without any,
	// none counts.
	ProxyNames []string
	// Keep is how long a verdict counts. Default a minute.
	Keep time.Duration
	// ConfigsNamespace is the namespace of the KubevirtConfigs, "" where they have none.
	ConfigsNamespace string
}

// Gate asks the supervisor. It is safe for concurrent use.
type Gate struct {
	options   Options
	requests  authenticator.Request
	authority authorizer.Authorizer
	proxyCA   *dynamiccertificates.DynamicFileCAContent // nil without a front proxy
	reviews   chan struct{}
}

// New returns a Gate that asks through httpClient. It reads ProxyCA, and fails where that is no
// authority.
func New(config *rest.Config, httpClient *http.Client, options Options) (*Gate, error) {
	tokens, err := authenticationv1.NewForConfigAndClient(limited(config, 10), httpClient)
	if err != nil {
		return nil, err
	}
	rights, err := authorizationv1.NewForConfigAndClient(limited(config, 100), httpClient)
	if err != nil {
		return nil, err
	}
	if options.Keep == 0 {
		options.Keep = time.Minute
	}
	again := &wait.Backoff{Duration: 200 * time.Millisecond, Factor: 2, Steps: 2}
	g := &Gate{options: options, reviews: make(chan struct{}, maxReviews)}
	authentication := authenticatorfactory.DelegatingAuthenticatorConfig{
		TokenAccessReviewClient: tokens, TokenAccessReviewTimeout: answer, WebhookRetryBackoff: again,
		CacheTTL: options.Keep, APIAudiences: options.Audiences,
	}
	if options.ProxyCA != "" {
		if len(options.ProxyNames) == 0 {
			return nil, errors.New("a front proxy needs the names that its certificate may have")
		}
		if g.proxyCA, err = dynamiccertificates.NewDynamicCAContentFromFile("page", options.ProxyCA); err != nil {
			return nil, fmt.Errorf("authority of front proxies: %w", err)
		}
		authentication.RequestHeaderConfig = frontProxy(g.proxyCA, options.ProxyNames)
	}
	if g.requests, _, err = authentication.New(); err != nil {
		return nil, err
	}
	g.authority, err = authorizerfactory.DelegatingAuthorizerConfig{
		SubjectAccessReviewClient: rights, AllowCacheTTL: options.Keep,
		DenyCacheTTL: min(keepNo, options.Keep), WebhookRetryBackoff: again,
	}.New()
	return g, err
}

// limited asks at most so many times a second, and twice as often for a second: whoever knocks at
// the page does not knock at the supervisor.
func limited(config *rest.Config, perSecond int) *rest.Config {
	own := rest.CopyConfig(config)
	own.QPS, own.Burst = float32(perSecond), 2*perSecond
	return own
}

// frontProxy are the headers of Kubernetes' own front proxies.
func frontProxy(
	ca dynamiccertificates.CAContentProvider, names []string,
) *authenticatorfactory.RequestHeaderConfig {
	return &authenticatorfactory.RequestHeaderConfig{
		UsernameHeaders:     headerrequest.StaticStringSlice{"X-Remote-User"},
		UIDHeaders:          headerrequest.StaticStringSlice{"X-Remote-Uid"},
		GroupHeaders:        headerrequest.StaticStringSlice{"X-Remote-Group"},
		ExtraHeaderPrefixes: headerrequest.StaticStringSlice{"X-Remote-Extra-"},
		CAContentProvider:   ca, AllowedClientNames: headerrequest.StaticStringSlice(names),
	}
}

// Run reads the authority of front proxies again when it changes, until ctx ends.
func (g *Gate) Run(ctx context.Context) {
	if g.proxyCA != nil {
		g.proxyCA.Run(ctx, 1)
	}
	<-ctx.Done()
}

// AsksForCertificates reports whether a client may have to show a certificate.
func (g *Gate) AsksForCertificates() bool { return g.proxyCA != nil }

// Who returns who made a request, by its own credential. It asks the supervisor, unless it did a
// moment ago. The errors are ErrNobody and ErrNoAnswer.
func (g *Gate) Who(request *http.Request) (user.Info, error) {
	token := request.Header.Get("Authorization")
	if len(token) > maxToken {
		return nil, ErrNobody
	}
	if token != "" {
		select {
		case g.reviews <- struct{}{}:
			defer func() { <-g.reviews }()
		case <-request.Context().Done():
			return nil, ErrNoAnswer
		}
	}
	return g.ask(request)
}

// WhoHas returns who a token belongs to that somebody came with, as Who.
func (g *Gate) WhoHas(ctx context.Context, token string) (user.Info, error) {
	request, err := requestWith(ctx, token)
	if err != nil {
		return nil, err
	}
	return g.Who(request)
}

// WhoStillHas is WhoHas for a token that was let in before. It does not wait for strangers.
func (g *Gate) WhoStillHas(ctx context.Context, token string) (user.Info, error) {
	request, err := requestWith(ctx, token)
	if err != nil {
		return nil, err
	}
	return g.ask(request)
}

func requestWith(ctx context.Context, token string) (*http.Request, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "/", http.NoBody)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	return request, nil
}

func (g *Gate) ask(request *http.Request) (user.Info, error) {
	ctx := request.Context()
	if len(g.options.Audiences) > 0 {
		ctx = authenticator.WithAudiences(ctx, g.options.Audiences)
	}
	// The authenticator takes the token out of the request that it is given.
	response, found, err := g.requests.AuthenticateRequest(request.Clone(ctx))
	switch {
	case found:
		return response.User, nil
	case noVerdict(err):
		return nil, fmt.Errorf("%w: %w", ErrNoAnswer, err)
	}
	return nil, ErrNobody
}

// noVerdict tells an error of asking from what a supervisor says of a token, or a certificate that
// is no front proxy's.
func noVerdict(err error) bool {
	var all utilerrors.Aggregate
	if errors.As(err, &all) {
		return slices.ContainsFunc(all.Errors(), noVerdict)
	}
	var status apierrors.APIStatus
	var call *url.Error
	return errors.As(err, &status) || errors.As(err, &call) || errors.Is(err, context.DeadlineExceeded) ||
		errors.Is(err, context.Canceled)
}

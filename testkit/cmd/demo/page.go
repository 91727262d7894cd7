package main

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"io"
	"net"
	"net/http"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/vitistack/kubevirt-multicluster/api/rbac"
	"github.com/vitistack/kubevirt-multicluster/testkit/internal/command"
	"github.com/vitistack/kubevirt-multicluster/testkit/internal/manifest"
)

//go:embed viewer.yaml
var viewerYAML []byte

// page is where the operator serves the Fleet page, and a token that opens it.
type page struct{ address, token string }

// openPage gives the operator the rights of the Fleet page, and somebody those to see it.
func (d *demo) openPage(ctx context.Context) (err error) {
	supervisor := d.fleet.Supervisor.Client()
	for _, stream := range [][]byte{rbac.Page, viewerYAML} {
		if err := manifest.Apply(ctx, supervisor, stream); err != nil {
			return fmt.Errorf("the Fleet page: %w", err)
		}
	}
	viewer := &corev1.ServiceAccount{}
	viewer.Namespace, viewer.Name = "default", "viewer"
	request := &authenticationv1.TokenRequest{}
	if err := supervisor.SubResource("token").Create(ctx, viewer, request); err != nil {
		return fmt.Errorf("a token for the Fleet page: %w", err)
	}
	d.page.token = request.Status.Token
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	d.page.address = listener.Addr().String() // nobody else takes it within the next second
	return listener.Close()
}

// check asks for what the page shows, as a program that has the token.
func (p page) check(ctx context.Context) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+p.address+"/fleet.json", nil)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+p.token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("the Fleet page: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	shown, err := io.ReadAll(response.Body)
	if err != nil {
		return fmt.Errorf("the Fleet page: %w", err)
	}
	if response.StatusCode != http.StatusOK || !bytes.Contains(shown, []byte("cluster-east")) {
		return fmt.Errorf("%w: the Fleet page answers %s without cluster-east", command.ErrNotAsItShould, response.Status)
	}
	return nil
}

package exports

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/vitistack/kubevirt-multicluster/testkit/controlplane"
	"github.com/vitistack/kubevirt-multicluster/testkit/internal/process"
)

// readyTimeout is for one answer to whether a server is ready.
const readyTimeout = 2 * time.Second

// Spec says which server to start.
type Spec struct {
	// Name stands in errors.
	Name string
	// Program is the path of virt-exportserver.
	Program string
	// Dir is the server's folder, which is made, and goes with the server.
	Dir string
	// Log is the file that its output is appended to.
	Log string
	// Env is its environment, KEY=value, but for its address.
	Env []string
	// Files are what it is to find in its folder, by relative path.
	Files map[string][]byte
	// Host is the name that it has a certificate for, from Authority.
	Host      string
	Authority *x509.CertPool
}

// Server is a process of virt-exportserver.
type Server struct {
	spec    Spec
	port    *controlplane.Port
	process *process.Process
	client  *http.Client
}

// StartServer starts a server. Ready says when it serves.
func StartServer(spec Spec) (_ *Server, err error) {
	s := &Server{spec: spec}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Stop())
		}
	}()
	if err := s.WriteFiles(spec.Files); err != nil {
		return nil, err
	}
	if s.port, err = controlplane.ReservePort(0); err != nil {
		return nil, err
	}
	s.client = &http.Client{Timeout: readyTimeout, Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, s.Address())
		},
		TLSClientConfig: &tls.Config{RootCAs: spec.Authority, MinVersion: tls.VersionTLS12},
	}}
	s.process, err = process.Start(process.Spec{
		Name: spec.Name, Path: spec.Program, Log: spec.Log,
		Env: append([]string{"PATH=" + os.Getenv("PATH"), "LISTEN_ADDR=" + s.Address()}, spec.Env...),
	})
	return s, err
}

// WriteFiles puts files into the server's folder in place of those that were there.
func (s *Server) WriteFiles(files map[string][]byte) error {
	for name, content := range files {
		file := filepath.Join(s.spec.Dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			return err
		}
		if err := os.WriteFile(file+".next", content, 0o600); err != nil {
			return err
		}
		if err := os.Rename(file+".next", file); err != nil {
			return err
		}
	}
	return nil
}

// Address is where the server listens.
func (s *Server) Address() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port.Number)) }

// Host is the name that the server has a certificate for.
func (s *Server) Host() string { return s.spec.Host }

// PID is the server's process id.
func (s *Server) PID() int { return s.process.PID() }

// Done is closed when the process has ended, and Exited then says how.
func (s *Server) Done() <-chan struct{} { return s.process.Done() }

// Exited returns nil while the process runs, and then how it ended.
func (s *Server) Exited() error { return s.process.Exited() }

// Freeze stops the process from running; Thaw lets it go on.
func (s *Server) Freeze() error { return s.process.Freeze() }

// Thaw lets a frozen process go on.
func (s *Server) Thaw() error { return s.process.Thaw() }

// Ready returns nil if the server answers its readiness probe.
func (s *Server) Ready(ctx context.Context) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+s.spec.Host+"/exportready", nil)
	if err != nil {
		return err
	}
	response, err := s.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, response.Body)
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s is not ready: %s", s.spec.Name, response.Status)
	}
	return nil
}

// Stop ends the process at once and removes its folder. It can be called twice.
func (s *Server) Stop() error {
	var errs []error
	if s.process != nil {
		errs = append(errs, s.process.Kill())
	}
	return errors.Join(append(errs, s.port.Close(), os.RemoveAll(s.spec.Dir))...)
}

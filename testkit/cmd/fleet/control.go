package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
	"github.com/vitistack/kubevirt-multicluster/testkit/internal/process"
)

// record is what fleet.json holds: how to speak with the process that holds the fleet.
type record struct {
	PID    int    `json:"pid"`
	Socket string `json:"socket"`
}

// request is a command to the process that holds the fleet. An answer is a line of JSON, an error
// is a text.
type request struct {
	Action  string   `json:"action"`
	Cluster string   `json:"cluster,omitempty"`
	Args    []string `json:"args,omitempty"`
}

func readRecord(dir string) (record, error) {
	var r record
	content, err := os.ReadFile(filepath.Join(dir, fleet.RecordFile))
	if errors.Is(err, os.ErrNotExist) {
		return r, absent(dir)
	}
	if err != nil {
		return r, err
	}
	return r, json.Unmarshal(content, &r)
}

// absent says why there is no record in a folder.
func absent(dir string) error {
	owner, err := fleet.Owner(dir)
	switch {
	case err != nil:
		return err
	case owner != 0:
		return fmt.Errorf("the fleet in %s is still starting, or ending", dir)
	default:
		return fmt.Errorf("no fleet is running in %s", dir)
	}
}

// server takes commands for a fleet over a unix socket that only this user can reach.
type server struct {
	fleet   *fleet.Fleet
	http    http.Server
	janitor *process.Janitor
	life    context.Context // of the commands: they outlive the requests that they came by, and not the server
	end     context.CancelFunc
}

// serve starts a server, and writes fleet.json so that other processes find it.
func serve(f *fleet.Fleet) (*server, error) {
	// A socket's path has room for 107 bytes: the fleet's folder may be too deep.
	dir, janitor, err := process.TempDir("fleet-")
	if err != nil {
		return nil, err
	}
	s := &server{fleet: f, janitor: janitor}
	s.http.Handler = s
	s.life, s.end = context.WithCancel(context.Background())
	socket := filepath.Join(dir, "control.sock")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		return nil, errors.Join(err, janitor.Close())
	}
	go func() { _ = s.http.Serve(listener) }()
	content, err := json.Marshal(record{PID: os.Getpid(), Socket: socket})
	if err == nil {
		err = os.WriteFile(filepath.Join(f.Dir(), fleet.RecordFile), content, 0o600)
	}
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

// close ends the commands that are being carried out, too.
func (s *server) close() error {
	s.end()
	return errors.Join(s.http.Close(), s.janitor.Close())
}

// ServeHTTP carries out one command. It runs to its end even if the one who asked has gone.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var req request
	err := json.NewDecoder(r.Body).Decode(&req)
	var answer any
	if err == nil {
		answer, err = act(s.life, s.fleet, req)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusUnprocessableEntity)
		return
	}
	_ = json.NewEncoder(w).Encode(answer)
}

// ask sends a command to the fleet in dir and decodes the answer into answer, unless that is nil.
func ask(ctx context.Context, dir string, req request, answer any) error {
	record, err := readRecord(dir)
	if err != nil {
		return err
	}
	body, err := json.Marshal(req)
	if err != nil {
		return err
	}
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", record.Socket)
	}}
	defer transport.CloseIdleConnections()
	httpRequest, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://fleet/", bytes.NewReader(body))
	if err != nil {
		return err
	}
	response, err := transport.RoundTrip(httpRequest)
	if err != nil {
		return fmt.Errorf("no fleet answers in %s: %w", dir, err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return errors.New(strings.TrimSpace(string(content)))
	}
	if answer == nil {
		return nil
	}
	return json.Unmarshal(content, answer)
}

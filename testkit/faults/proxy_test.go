package faults_test

import (
	"net"
	"strings"
	"testing"

	"github.com/vitistack/kubevirt-multicluster/testkit/faults"
)

func TestStartRefusesBadOptions(t *testing.T) {
	taken := rawTarget(t, func(*net.TCPConn) {})
	cases := map[string]struct {
		reason string
		opts   faults.Options
		want   string
	}{
		"NoTarget": {"A proxy of nothing", faults.Options{}, `target "": want host:port`},
		"NoPort":   {"A target without port", faults.Options{Target: "localhost"}, `target "localhost": want host:port`},
		"NoFrontProxy": {"Users that could not be forwarded", faults.Options{Target: "a:1", ClientCA: "ca"},
			"need FrontProxyCert"},
		"NoCert": {"Nothing to terminate with", faults.Options{Target: "a:1", Terminate: true},
			"serving certificate: no file given"},
		"NoFile": {"A file that is not there",
			faults.Options{Target: "a:1", Terminate: true, ServingCert: "/nowhere", ServingKey: "/nowhere"}, "no such file"},
		"Taken": {"A port that somebody listens on", faults.Options{Target: "a:1", Listen: taken},
			"address already in use"},
		"BadListen": {"No address at all", faults.Options{Target: "a:1", Listen: "x"}, `listening on "x"`},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			p, err := faults.Start(tc.opts)
			if err == nil {
				closeProxy(t, p)
				t.Fatalf("%s: got no error", tc.reason)
			}
			if !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%s: got %q, want %q in it", tc.reason, err, tc.want)
			}
		})
	}
	p := rawProxy(t, taken)
	if err := p.Set(faults.Fault{Kind: faults.Stall}); err == nil || p.Fault().Kind != faults.Pass {
		t.Errorf("a stall without certificates: %v, and the fault is %v, want an error and pass", err, p.Fault())
	}
}

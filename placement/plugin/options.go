package plugin

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/go-logr/logr"
	"github.com/hashicorp/go-multierror"

	"github.com/vitistack/kubevirt-multicluster/placement"
)

// An Entry is one plugin of a host. Its JSON is that of the configuration file of package
// placementhost.
type Entry struct {
	// Name is the strategy's name; the plugin must say the same. Lower-case letters, digits and
	// '-'.
	Name string `json:"name"`
	// Path is the executable, relative to Options.Dir; "" means "placement-" and the name. Symbolic
	// links are followed but must not leave the directory.
	Path string `json:"path,omitempty"`
	// SHA256 is the executable's digest in hexadecimal, checked at every start. Package function
	// Digest computes it. A plugin without one is not started, unless Options.AllowUnpinned is set.
	SHA256 string `json:"sha256,omitempty"`
	// Args are the executable's arguments.
	Args []string `json:"args,omitempty"`
	// Socket is the absolute path of the unix socket of a side-car that serves the strategy, in
	// place of an executable. The host connects to the side-car, and neither starts nor ends it.
	Socket string `json:"socket,omitempty"`
	// PeerUID is the user who must listen on Socket; nil means the host's own.
	PeerUID *uint32 `json:"peerUID,omitempty"`
	// Config is the JSON document for the plugin's Configure; nil if it has none.
	Config json.RawMessage `json:"config,omitempty"`
	// OnError says what the plugin's failure means for a Machine; the default is to hold.
	OnError placement.ErrorPolicy `json:"onError,omitempty"`
	// Timeout bounds one question; 0 means Limits.Call.
	Timeout Duration `json:"timeout,omitempty"`
}

// A Duration is a time.Duration that is written in words, such as "500ms". A number alone is none.
type Duration time.Duration

// String is that of time.Duration.
func (d Duration) String() string { return time.Duration(d).String() }

// MarshalText is String.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what String gives, if it is more than nothing.
func (d *Duration) UnmarshalText(text []byte) error {
	read, err := time.ParseDuration(string(text))
	if err != nil || read <= 0 {
		return fmt.Errorf("timeout %q is no time above zero, such as 500ms", text)
	}
	*d = Duration(read)
	return nil
}

// configuration names the configuration of the entry: the same for the same document.
func (e Entry) configuration() string {
	digest := sha256.Sum256(e.Config)
	return hex.EncodeToString(digest[:])
}

// transport names what the strategy is served by.
func (e Entry) transport() string {
	if e.Socket != "" {
		return "socket"
	}
	return "executable"
}

// Options say what a [Host] runs. Dir and Entries are required; the zero value of the rest works.
type Options struct {
	// Dir is the plugin directory. It, each plugin in it and each folder above it must belong to root
	// or to the host's user, and must not be writable by group or others. A folder of root with the
	// sticky bit, such as /tmp, may be.
	Dir string
	// Entries are the plugins in the order of the chain.
	Entries []Entry
	// Logger gets the host's own lines and those of the plugins, with the plugin's name. The zero
	// value discards.
	Logger logr.Logger
	// Observer is told what happens; nil means that nothing is observed.
	Observer Observer
	// TempDir is where sockets live, in a folder of the host's own; "" means os.TempDir(). Keep it
	// short: the path of a socket has some 100 bytes.
	TempDir string
	// AllowUnpinned accepts entries without SHA256. For development.
	AllowUnpinned bool
	// Limits bound what a plugin may cost.
	Limits Limits
	// Clock is the time; nil means the real one. Deadlines of starts and calls are always real.
	Clock Clock
	// Jitter returns a random number in [0, 1); nil means math/rand.
	Jitter func() float64
}

// Limits bound what a plugin may cost. A zero field means its default.
type Limits struct {
	Start          time.Duration // from exec to configured; default 10 s
	Call           time.Duration // one question, waiting for a free slot included; default 2 s; see Entry.Timeout
	Drain          time.Duration // a plugin that is replaced may finish its answers; default 5 s
	ConcurrentCall int           // calls at a time; default 8
	BackoffMin     time.Duration // after the first crash; default 1 s
	BackoffMax     time.Duration // after many; default 2 min
	StableAfter    time.Duration // ready for so long forgets earlier crashes in the back-off; default 60 s
	Crashes        int           // so many within CrashWindow quarantine the plugin; default 5
	CrashWindow    time.Duration // also how long the first quarantine lasts; default 10 min
	LogLines       int           // lines a second that are passed on; default 100
	Recheck        time.Duration // how often the file of a quarantined plugin is looked at; default 5 s
}

// Clock tells the time.
type Clock interface {
	// Now is the time.
	Now() time.Time
	// After is time.After.
	After(d time.Duration) <-chan time.Time
}

type realClock struct{}

func (realClock) Now() time.Time                         { return time.Now() }
func (realClock) After(d time.Duration) <-chan time.Time { return time.After(d) }

// An Observer is told what happens, for metrics. Its methods are called concurrently, must return
// at once and must not call the host.
type Observer interface {
	// PluginState is called when a plugin changes its state. The last state of a plugin that an
	// Update leaves out is Stopped.
	PluginState(name string, state State)
	// PluginRestart is called when a plugin is started again; cause is "exited", "hung" or "start".
	PluginRestart(name, cause string)
	// PluginCall is called after each question; result is "answered", "failed", "timeout" or
	// "unavailable".
	PluginCall(name, result string, duration time.Duration)
}

type noObserver struct{}

func (noObserver) PluginState(string, State)                {}
func (noObserver) PluginRestart(string, string)             {}
func (noObserver) PluginCall(string, string, time.Duration) {}

func (o Options) withDefaults() Options {
	if o.Logger.GetSink() == nil {
		o.Logger = logr.Discard()
	}
	if o.Observer == nil {
		o.Observer = noObserver{}
	}
	if o.Clock == nil {
		o.Clock = realClock{}
	}
	if o.Jitter == nil {
		o.Jitter = rand.Float64
	}
	o.Limits = o.Limits.withDefaults()
	entries := make([]Entry, len(o.Entries))
	for i, entry := range o.Entries {
		if entry.Path == "" && entry.Socket == "" {
			entry.Path = "placement-" + entry.Name
		}
		entries[i] = entry
	}
	o.Entries = entries
	return o
}

func (l Limits) withDefaults() Limits {
	setDefault(&l.Start, 10*time.Second)
	setDefault(&l.Call, 2*time.Second)
	setDefault(&l.Drain, 5*time.Second)
	setDefault(&l.ConcurrentCall, 8)
	setDefault(&l.BackoffMin, time.Second)
	setDefault(&l.BackoffMax, 2*time.Minute)
	setDefault(&l.StableAfter, time.Minute)
	setDefault(&l.Crashes, 5)
	setDefault(&l.CrashWindow, 10*time.Minute)
	setDefault(&l.LogLines, 100)
	setDefault(&l.Recheck, 5*time.Second)
	return l
}

func setDefault[T int | time.Duration](field *T, value T) {
	if *field <= 0 {
		*field = value
	}
}

var namePattern = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`)

// Validate returns every fault for which the options can never work, each with the name of its
// field. It does no I/O: that an executable or a socket is missing is told by the plugin's state,
// because it may come later.
func (o Options) Validate() error {
	var problems *multierror.Error
	if o.Dir == "" {
		problems = multierror.Append(problems, errors.New("no plugin directory is given"))
	}
	seen, sockets := map[string]bool{}, map[string]string{}
	for i, entry := range o.Entries {
		switch {
		case !namePattern.MatchString(entry.Name):
			problems = multierror.Append(
				problems, fmt.Errorf("plugin %d: name %q must be lower-case letters, digits and '-'", i, entry.Name),
			)
		case seen[entry.Name]:
			problems = multierror.Append(
				problems, fmt.Errorf("plugin %q is listed twice: each name can be given once", entry.Name),
			)
		}
		seen[entry.Name] = true
		problems = multierror.Append(problems, entry.validate())
		if entry.Socket == "" {
			continue
		}
		socket := filepath.Clean(entry.Socket)
		if other, taken := sockets[socket]; taken {
			problems = multierror.Append(problems, fmt.Errorf(
				"plugin %q: socket %s is that of plugin %q: a side-car has one configuration", entry.Name, socket, other,
			))
		}
		sockets[socket] = entry.Name
	}
	return oneLine(problems)
}

// oneLine is an error with all of several, in one line as a log and a condition want it.
func oneLine(several *multierror.Error) error {
	if several.ErrorOrNil() == nil {
		return nil
	}
	several.ErrorFormat = func(errs []error) string {
		texts := make([]string, len(errs))
		for i, err := range errs {
			texts[i] = err.Error()
		}
		return strings.Join(texts, "; ")
	}
	return several
}

func (e Entry) validate() error {
	var problems *multierror.Error
	wrong := func(format string, args ...any) {
		problems = multierror.Append(problems, fmt.Errorf("plugin %q: "+format, append([]any{e.Name}, args...)...))
	}
	if _, err := decodeDigest(e.SHA256); err != nil && e.SHA256 != "" {
		wrong("%w", err)
	}
	if len(e.Config) > 0 && !json.Valid(e.Config) {
		wrong("its config is not JSON")
	}
	if e.Path != "" && !filepath.IsLocal(e.Path) {
		wrong("path %q is not one inside the plugin directory, relative to it", e.Path)
	}
	if e.Timeout < 0 {
		wrong("timeout %v is negative", e.Timeout)
	}
	switch {
	case e.Socket == "" && e.PeerUID != nil:
		wrong("peerUID is for plugins with a socket")
	case e.Socket != "" && e.Path+e.SHA256 != "" || e.Socket != "" && len(e.Args) > 0:
		wrong("path, sha256 and args are for plugins without a socket")
	case e.Socket != "" && !filepath.IsAbs(e.Socket):
		wrong("socket %q is not an absolute path", e.Socket)
	}
	return problems.ErrorOrNil()
}

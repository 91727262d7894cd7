package plugin

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"syscall"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	"github.com/vitistack/kubevirt-multicluster/placement"
)

// gcPercent keeps a plugin small: it holds nothing between questions, so that collecting often
// costs little.
const gcPercent = 25

// maxStack ends a strategy, or a schema, that calls itself without an end, before it has taken the
// memory that a plugin shares with its host.
const maxStack = 64 << 20

// Serve is the whole main function of a plugin that needs no logger: it serves the strategy until
// the host ends, and never returns. A strategy that is a placement.Configurer gets its
// configuration before the first question.
//
// Where the environment has [SocketKey] it is a side-car instead: it serves the strategy on that
// unix socket, until it gets SIGTERM or SIGINT.
func Serve(strategy placement.Strategy) {
	ServeFactory(func(*slog.Logger) (placement.Strategy, error) { return strategy, nil })
}

// ServeFactory is Serve for a strategy that wants a logger or may fail to start. Logs go to the
// host; standard output belongs to the handshake, so whatever the plugin prints there goes to
// standard error instead.
func ServeFactory(factory func(log *slog.Logger) (placement.Strategy, error)) {
	stdout, stderr := os.Stdout, os.Stderr
	if code, ends := byHand(os.Args, os.Getenv, stdout, stderr); ends {
		os.Exit(code)
	}
	os.Stdout = stderr
	log := slog.New(newLogHandler(stderr))
	slog.SetDefault(log)
	if os.Getenv(CookieKey) == CookieValue {
		go exitWithHost(os.Stdin)
	}
	strategy, err := factory(log)
	if err != nil {
		fatal(log, "starting the strategy", err)
	}
	debug.SetGCPercent(gcPercent)
	debug.SetMaxStack(maxStack)
	if socket := os.Getenv(SocketKey); socket != "" {
		serveUntilSignal(socket, strategy, log)
		return
	}
	os.Stdout = stdout // go-plugin prints the handshake here, then takes standard output away for good
	goplugin.Serve(
		serveConfig(strategy, log, hclog.New(&hclog.LoggerOptions{Output: stderr, JSONFormat: true, Level: hclog.Warn})),
	)
	os.Exit(0)
}

func serveUntilSignal(socket string, strategy placement.Strategy, log *slog.Logger) {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	err := ServeSocket(ctx, socket, strategy, log)
	stop()
	if err != nil {
		fatal(log, "serving the strategy", err)
	}
}

// byHand answers a person who calls the program: with --version its version, else what it is for.
// It reports whether the program ends with that, and with which exit code.
func byHand(args []string, env func(string) string, stdout, stderr io.Writer) (code int, ends bool) {
	name := filepath.Base(args[0])
	if len(args) == 2 && args[1] == "--version" {
		fmt.Fprintln(stdout, name, buildVersion(), runtime.Version())
		return 0, true
	}
	if env(CookieKey) == CookieValue || env(SocketKey) != "" {
		return 0, false
	}
	fmt.Fprintf(stderr, "%s: it is a placement plugin, which the operator starts from its --plugin-dir; as a side-car it "+
		"wants %s, the path of its socket\n", name, SocketKey)
	return 2, true
}

func fatal(log *slog.Logger, doing string, err error) {
	log.Error(doing, "error", err)
	os.Exit(1)
}

func serveConfig(strategy placement.Strategy, log *slog.Logger, logger hclog.Logger) *goplugin.ServeConfig {
	return &goplugin.ServeConfig{
		HandshakeConfig:  handshake,
		VersionedPlugins: versions(glue{server: newServer(strategy)}),
		Logger:           logger,
		GRPCServer: func(options []grpc.ServerOption) *grpc.Server {
			return grpc.NewServer(append(options, serverOptions(log)...)...)
		},
	}
}

// serverOptions are those of both transports.
func serverOptions(log *slog.Logger) []grpc.ServerOption {
	return []grpc.ServerOption{grpc.MaxRecvMsgSize(MaxMessageBytes), grpc.UnaryInterceptor(recoverPanics(log))}
}

// exitWithHost ends the process when the host's end of the life-line closes, which the kernel does
// however the host dies.
func exitWithHost(lifeline io.Reader) {
	_, _ = io.Copy(io.Discard, lifeline)
	os.Exit(0)
}

// buildVersion is the main module's version and, for a build from a checkout, its revision.
func buildVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" {
			return fmt.Sprintf("%s (%s)", info.Main.Version, setting.Value)
		}
	}
	return info.Main.Version
}

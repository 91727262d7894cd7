package chaos

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/vitistack/kubevirt-multicluster/testkit/internal/process"
)

// pluginKinds are what happens to the strategies.
func pluginKinds() []kind {
	return []kind{
		{name: "crash-plugin", weight: 3, do: signalPlugin(syscall.SIGKILL), draw: func(d *draft) Step {
			return Step{Params: map[string]string{"which": d.nth(3)}}
		}},
		{name: "hang-plugin", weight: 3, do: signalPlugin(syscall.SIGSTOP), draw: func(d *draft) Step {
			return Step{Params: map[string]string{"which": d.nth(3), "for": d.lasting(seconds(1), seconds(6))}}
		}},
		{name: "replace-plugin", weight: 2, do: replacePlugin, draw: func(d *draft) Step {
			return Step{Params: map[string]string{"name": of(d, "annotation", "search", "spread"),
				"pinned": of(d, "true", "false"), "for": d.lasting(seconds(2), seconds(12))}}
		}},
		{name: "liar", weight: 2, cost: time.Second, do: lie, draw: func(d *draft) Step {
			return Step{Params: map[string]string{"how": of(d, "lies", "lies", "garbage", "slow"),
				"onError": of(d, "hold", "skip", "refuse"), "for": d.lasting(seconds(2), seconds(10))}}
		}},
	}
}

// signalPlugin sends a signal to one of the operator's plugins. One that was stopped goes on after a
// time, if it is still there.
func signalPlugin(signal syscall.Signal) func(context.Context, *world, Step) error {
	return func(ctx context.Context, w *world, step Step) error {
		plugins, err := children(w.operator.process().PID())
		if err != nil {
			return err
		}
		if len(plugins) == 0 {
			return errors.New("the operator runs no plugin now")
		}
		pid := plugins[step.number("which")%len(plugins)]
		if err := syscall.Kill(pid, signal); err != nil {
			return err
		}
		if signal != syscall.SIGSTOP {
			return nil
		}
		return w.lasting(ctx, fmt.Sprint("hung plugin ", pid), step, func(context.Context) error {
			if err := syscall.Kill(pid, syscall.SIGCONT); err != nil && !errors.Is(err, syscall.ESRCH) {
				return err
			}
			return nil
		})
	}
}

// children are the processes whose parent a process is.
func children(parent int) ([]int, error) {
	paths, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return nil, err
	}
	var found []int
	for _, path := range paths {
		stat, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		pid, _, _ := strings.Cut(string(stat), " ")
		fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
		if len(fields) > 1 && fields[1] == strconv.Itoa(parent) {
			number, err := strconv.Atoi(pid)
			if err != nil {
				return nil, err
			}
			found = append(found, number)
		}
	}
	return found, nil
}

// copyPlugins makes a folder of plugins that may be changed.
func copyPlugins(from, to string) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		return fmt.Errorf("the placement plugins: run `make tools`: %w", err)
	}
	// Whatever the umask: what others can write is refused.
	return filepath.WalkDir(to, func(path string, entry os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		mode := os.FileMode(0o755)
		if entry.Name() == sums {
			mode = 0o644
		}
		return os.Chmod(path, mode)
	})
}

// sums is the file with the digests of the plugins.
const sums = "SHA256SUMS"

// replacePlugin puts another build of a plugin into its place, with its digest or without, and the
// former one back after a time.
func replacePlugin(ctx context.Context, w *world, step Step) error {
	name := "placement-" + step.Params["name"]
	content, err := os.ReadFile(filepath.Join(w.options.Plugins, name))
	if err != nil {
		return err
	}
	digests, err := os.ReadFile(filepath.Join(w.options.Plugins, sums))
	if err != nil {
		return err
	}
	err = w.lasting(ctx, "replaced plugin", step, func(context.Context) error {
		return errors.Join(replace(filepath.Join(w.plugins, name), content, 0o755),
			replace(filepath.Join(w.plugins, sums), digests, 0o644))
	})
	if err != nil {
		return err
	}
	// What comes after the end of a program is not read.
	other := append(content[:len(content):len(content)], "another build"...)
	if err := replace(filepath.Join(w.plugins, name), other, 0o755); err != nil || step.Params["pinned"] != "true" {
		return err
	}
	return replace(filepath.Join(w.plugins, sums), pin(digests, name, other), 0o644)
}

// replace puts a file into the place of another one at once: a program that runs cannot be written.
func replace(path string, content []byte, mode os.FileMode) error {
	next := path + ".next"
	if err := os.WriteFile(next, content, mode); err != nil {
		return err
	}
	return errors.Join(os.Chmod(next, mode), os.Rename(next, path))
}

// lie lets a side-car be asked before everybody else, and starts the operator anew, so that there is
// no configuration to stay with.
func lie(ctx context.Context, w *world, step Step) error {
	socket := filepath.Join(w.dir, w.next("s"))
	end, err := w.sideCar(step.Params["how"], socket)
	if err != nil {
		return err
	}
	err = w.lasting(ctx, "liar", step, func(context.Context) error {
		return errors.Join(replace(w.placement, []byte(chain), 0o600), end())
	})
	if err != nil {
		return errors.Join(err, end())
	}
	entry := fmt.Sprintf("- name: liar\n  socket: %s\n  onError: %s\n", socket, step.Params["onError"])
	if err := replace(w.placement, []byte(strings.Replace(chain, "\n", "\n"+entry, 1)), 0o600); err != nil {
		return err
	}
	return w.operator.kill(0)
}

// sideCar serves a strategy that is none.
func (w *world) sideCar(how, socket string) (end func() error, err error) {
	if how == "lies" {
		car, err := process.Start(process.Spec{Name: "liar", Path: w.options.Liar, Log: filepath.Join(w.dir, "liar.log"),
			Env: []string{"PLACEMENT_SOCKET=" + socket}})
		if err != nil {
			return nil, err
		}
		return car.Kill, nil
	}
	listener, err := net.Listen("unix", socket)
	if err != nil {
		return nil, err
	}
	go serveNonsense(listener, how == "slow")
	return listener.Close, nil
}

// serveNonsense takes connections until the listener is closed, and says nothing on them, or
// something that is no answer.
func serveNonsense(listener net.Listener, silent bool) {
	random := rand.New(rand.NewPCG(1, 1))
	var open []net.Conn
	for {
		connection, err := listener.Accept()
		if err != nil {
			break
		}
		open = append(open, connection)
		garbage := make([]byte, 1<<16)
		for i := range garbage {
			garbage[i] = byte(random.Uint32())
		}
		if !silent {
			_ = connection.SetWriteDeadline(time.Now().Add(time.Second))
			_, _ = connection.Write(garbage) // who hangs up is right
		}
	}
	for _, connection := range open {
		_ = connection.Close() // nothing was to be said
	}
}

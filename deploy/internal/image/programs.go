package image

import (
	"context"
	"debug/elf"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// Programs are what the image of one platform runs.
type Programs struct {
	// Operator is the path of the operator's binary.
	Operator string
	// Plugins is the folder of the placement plugins, each called placement-NAME. Other files in it
	// are left out.
	Plugins string
}

// machines are the architectures, as Go and ELF call them.
var machines = map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64}

// Compile builds the programs of an architecture from the repository whose root is given, into a
// folder that is made if it is absent.
func Compile(ctx context.Context, root, architecture, folder string) (Programs, error) {
	if _, known := machines[architecture]; !known {
		return Programs{}, fmt.Errorf("no image is made for architecture %q", architecture)
	}
	folder, err := filepath.Abs(folder)
	if err != nil {
		return Programs{}, err
	}
	programs := Programs{Operator: filepath.Join(folder, "operator"), Plugins: filepath.Join(folder, "plugins")}
	if err := os.MkdirAll(programs.Plugins, 0o755); err != nil {
		return Programs{}, err
	}
	for target, packages := range map[string]string{
		programs.Operator: "./operator",
		programs.Plugins + string(filepath.Separator): "./placement-plugins/cmd/...",
	} {
		build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w",
			"-o", target, packages)
		build.Dir = root
		build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+architecture, "GOWORK=")
		if output, err := build.CombinedOutput(); err != nil {
			return Programs{}, fmt.Errorf("building %s for %s: %w: %s", packages, architecture, err, output)
		}
	}
	return programs, nil
}

// check fails unless all programs run on the architecture and need no other file, and returns the
// paths of the plugins, sorted.
func (p Programs) check(architecture string) ([]string, error) {
	plugins, err := filepath.Glob(filepath.Join(p.Plugins, "placement-*"))
	if err != nil {
		return nil, err
	}
	if len(plugins) == 0 {
		return nil, fmt.Errorf("no plugins in %s: all Machines would wait", p.Plugins)
	}
	slices.Sort(plugins)
	for _, path := range append([]string{p.Operator}, plugins...) {
		if err := checkStatic(path, machines[architecture]); err != nil {
			return nil, err
		}
	}
	return plugins, nil
}

func checkStatic(path string, machine elf.Machine) error {
	file, err := elf.Open(path)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	defer func() { _ = file.Close() }()
	if file.Machine != machine {
		return fmt.Errorf("%s is for %s, not for %s", path, name(file.Machine), name(machine))
	}
	for _, segment := range file.Progs {
		if segment.Type == elf.PT_INTERP {
			return fmt.Errorf("%s is linked dynamically, and the image has no libraries", path)
		}
	}
	return nil
}

func name(machine elf.Machine) string {
	return strings.ToLower(strings.TrimPrefix(machine.String(), "EM_"))
}

// Command image builds the operator's image. It runs in the folder deploy of a clone.
package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/vitistack/kubevirt-multicluster/deploy/internal/image"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := command().ExecuteContext(ctx)
	stop()
	if err != nil {
		os.Exit(1)
	}
}

func command() *cobra.Command {
	var architectures []string
	var folder, version, push, released string
	root := &cobra.Command{
		Use: "image", Short: "build the operator's image, and push it where that is asked for",
		Args: cobra.NoArgs, SilenceUsage: true,
		RunE: func(command *cobra.Command, _ []string) error {
			options, err := ofCommit("..", version)
			if err != nil {
				return err
			}
			options.Programs = map[string]image.Programs{}
			for _, architecture := range architectures {
				output := filepath.Join(folder, "linux-"+architecture)
				programs, err := programsOf(command.Context(), released, architecture, output)
				if err != nil {
					return err
				}
				options.Programs[architecture] = programs
			}
			built, err := image.Build(options)
			if err != nil {
				return err
			}
			if err := built.Write(folder); err != nil {
				return err
			}
			digest, err := built.Digest()
			if err != nil {
				return err
			}
			said := filepath.Join(folder, "oci") + "@" + digest.String()
			if push != "" {
				if _, err := built.Push(command.Context(), push); err != nil {
					return err
				}
				said = push + "@" + digest.String()
			}
			fmt.Fprintln(command.OutOrStdout(), said)
			return nil
		},
	}
	flags := root.Flags()
	flags.StringSliceVar(&architectures, "arch", []string{"amd64", "arm64"}, "architectures")
	flags.StringVar(&folder, "output", "../dist/image",
		"folder for the programs, the OCI layout and the bills of materials")
	flags.StringVar(&released, "release", "", "folder of a release whose programs are taken (default: compile them)")
	flags.StringVar(&version, "version", "", "the operator's version (required)")
	flags.StringVar(&push, "push", "", "where to push the image: REGISTRY/NAME:TAG")
	if err := root.MarkFlagRequired("version"); err != nil {
		panic(err) // impossible: the flag is there
	}
	return root
}

// programsOf are those of a release's folder or, without one, of the commit.
func programsOf(ctx context.Context, released, architecture, output string) (image.Programs, error) {
	if released != "" {
		return image.Released(released, architecture, output)
	}
	return image.Compile(ctx, "..", architecture, output)
}

// ofCommit are the options that say from which commit an image is.
func ofCommit(root, version string) (image.Options, error) {
	log := exec.Command("git", "log", "-1", "--format=%H %ct")
	log.Dir = root
	output, err := log.Output()
	if err != nil {
		return image.Options{}, fmt.Errorf("asking git for the commit: %w", err)
	}
	revision, text, _ := strings.Cut(strings.TrimSpace(string(output)), " ")
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return image.Options{}, fmt.Errorf("the commit's time: %w", err)
	}
	return image.Options{Version: version, Revision: revision, Created: time.Unix(seconds, 0)}, nil
}

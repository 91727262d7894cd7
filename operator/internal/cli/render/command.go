package render

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/vitistack/kubevirt-multicluster/operator/internal/app"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/cli/exit"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/cli/reach"
)

// Command is kubectl machine render.
func Command() *cobra.Command {
	var options app.Options
	var way reach.Flags
	var file, against string
	cmd := &cobra.Command{
		Use:   "render -f FILE [--against CLUSTER]",
		Short: "Show the VirtualMachine that a Machine becomes, without any cluster",
		Long: "Show the VirtualMachine that a Machine becomes, and what it refers to. The file has the Machine, and\n" +
			"beside it, in documents of their own, the MachineClasses, NetworkNamespaces, Secrets and ConfigMaps that\n" +
			"it names. Give it the operator's environment. Names that have digits of the Machine's UID, and the MAC\n" +
			"addresses, are those of the UID in the file, or of zeros. With --against the definitions of that cluster\n" +
			"are read, and it is said what they would drop and refuse: it then ends with 1 where they would, and with\n" +
			"3 where parts of the object could not be looked at.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := options.CompleteSession(); err != nil {
				return err
			}
			content, err := contentOf(file, cmd.InOrStdin())
			if err != nil {
				return err
			}
			in, err := parse(content)
			if err != nil {
				return fmt.Errorf("%s: %w", file, err)
			}
			objects, err := in.objects(options.Machine)
			if err != nil {
				return fmt.Errorf("%w (only what is in the file counts)", err)
			}
			if against != "" {
				return judge(cmd.Context(), cmd.OutOrStdout(), &way, against, objects)
			}
			return write(cmd.OutOrStdout(), objects)
		},
	}
	cmd.Flags().StringVarP(&file, "filename", "f", "", "file with a Machine and what it names; - is standard input")
	cmd.Flags().StringVar(&against, "against", "", "KubevirtConfig of the cluster whose definitions shall judge it")
	way.Add(cmd.Flags())
	_ = cmd.MarkFlagRequired("filename")
	return cmd
}

func contentOf(file string, stdin io.Reader) ([]byte, error) {
	if file == "-" {
		return io.ReadAll(stdin)
	}
	return os.ReadFile(file)
}

// write prints the objects as one stream of YAML.
func write(out io.Writer, objects []*unstructured.Unstructured) error {
	for i, object := range objects {
		text, err := yaml.Marshal(object.Object)
		if err != nil {
			return err
		}
		if i > 0 {
			text = append([]byte("---\n"), text...)
		}
		if _, err := out.Write(text); err != nil {
			return err
		}
	}
	return nil
}

// judge asks a cluster for its definitions, and says what they make of the objects.
func judge(
	ctx context.Context, out io.Writer, way *reach.Flags, cluster string, objects []*unstructured.Unstructured,
) error {
	supervisor, err := way.Open(ctx)
	if err != nil {
		return err
	}
	config, err := supervisor.KubevirtConfig(ctx, cluster)
	if err != nil {
		return err
	}
	remote, err := supervisor.Remote(ctx, config)
	if err != nil {
		return err
	}
	code := exit.Fine
	for _, object := range objects {
		answer, err := admitted(ctx, remote, cluster, object)
		if err != nil {
			return fmt.Errorf("%s %s in %s: %w", object.GetKind(), object.GetName(), cluster, err)
		}
		answer.print(out)
		code = worse(code, answer.code())
	}
	return exit.Said(code)
}

// worse is what the program ends with after two answers: a no counts more than silence.
func worse(a, b int) int {
	for _, each := range []int{exit.Negative, exit.Partial} {
		if a == each || b == each {
			return each
		}
	}
	return exit.Fine
}

var errNoMachine = errors.New("there is no Machine in it")

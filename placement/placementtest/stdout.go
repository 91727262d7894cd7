package placementtest

import (
	"io"
	"os"
	"testing"

	"github.com/vitistack/kubevirt-multicluster/placement"
)

// keepsStdoutClean asks with standard output replaced by a pipe: in a plugin it belongs to the
// handshake.
func keepsStdoutClean(t *testing.T, strategy placement.Strategy, req placement.Request) {
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	written := make(chan []byte)
	go func() {
		all, _ := io.ReadAll(reader)
		written <- all
	}()
	stdout := os.Stdout
	os.Stdout = writer
	func() {
		defer func() { os.Stdout = stdout }() // also when the strategy panics
		ask(t.Context(), strategy, req)
	}()
	_ = writer.Close()
	if noise := <-written; len(noise) > 0 {
		t.Errorf("the strategy wrote to standard output: %q", noise)
	}
	_ = reader.Close()
}

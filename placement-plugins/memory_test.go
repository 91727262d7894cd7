package plugins_test

import (
	"bufio"
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vitistack/kubevirt-multicluster/placement"
)

// maxResident is how much memory a program may have resident under load, in bytes.
const maxResident = 20 << 20

// TestMemory asks the default chain about 500 clusters, from eight callers at once, and looks at
// what each program has resident.
func TestMemory(t *testing.T) {
	chain := execd(t)
	req := fleet(500)
	var asking sync.WaitGroup
	for range 8 {
		asking.Go(func() {
			for range 100 {
				if _, trace, err := chain.Place(t.Context(), placement.Given(req)); err != nil {
					t.Errorf("Place(): %v, %v", trace, err)
				}
			}
		})
	}
	asking.Wait()
	resident := residents(t)
	if len(resident) != len(strategies) {
		t.Fatalf("%d programs are found, want %d: %v", len(resident), len(strategies), resident)
	}
	for program, bytes := range resident {
		t.Logf("%s has %.1f MiB resident", program, float64(bytes)/(1<<20))
		if bytes > maxResident {
			t.Errorf("%s has %d bytes resident, want %d at most", program, bytes, maxResident)
		}
	}
}

// residents is what the programs that this process has started have resident, by name.
func residents(t *testing.T) map[string]int64 {
	t.Helper()
	threads, err := filepath.Glob("/proc/self/task/*/children")
	if err != nil {
		t.Fatal(err)
	}
	resident := map[string]int64{}
	for _, thread := range threads {
		children, _ := os.ReadFile(thread) // a thread that has ended has none
		for _, pid := range strings.Fields(string(children)) {
			status, err := os.ReadFile("/proc/" + pid + "/status")
			if err != nil {
				continue
			}
			name, kilobytes := field(status, "Name:"), strings.TrimSuffix(field(status, "VmRSS:"), " kB")
			count, err := strconv.ParseInt(kilobytes, 10, 64)
			if err != nil || !strings.HasPrefix(name, "placement-") {
				continue
			}
			resident[name+" "+pid] = count << 10
		}
	}
	return resident
}

func field(status []byte, name string) string {
	for lines := bufio.NewScanner(bytes.NewReader(status)); lines.Scan(); {
		if value, found := strings.CutPrefix(lines.Text(), name); found {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// BenchmarkStart starts the default chain, side by side, until each can be asked.
func BenchmarkStart(b *testing.B) {
	var took []time.Duration
	for b.Loop() {
		start := time.Now()
		host := newHost(b, strategies)
		if err := host.WaitReady(b.Context()); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(start))
		if err := host.Close(); err != nil {
			b.Fatal(err)
		}
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Milliseconds()), "p50-ms")
	b.ReportMetric(float64(took[len(took)-1].Milliseconds()), "max-ms")
}

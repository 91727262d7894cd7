package soak

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/vitistack/kubevirt-multicluster/testkit/bench/stage"
)

const (
	mebibyte = 1 << 20
	// probePatience is for the operator's metrics.
	probePatience = 10 * time.Second
)

// probe takes the sizes of the operator's process. Its error says why that has ended.
func probe(ctx context.Context, s *stage.Stage) (map[Series]float64, error) {
	ctx, cancel := context.WithTimeout(ctx, probePatience)
	defer cancel()
	pid, err := s.PID()
	if err != nil {
		return nil, err
	}
	sizes := map[Series]float64{}
	for series, metric := range map[Series]string{
		Heap: "go_gc_heap_live_bytes", Goroutines: "go_goroutines", Resident: "process_resident_memory_bytes",
	} {
		if sizes[series], err = s.Metric(ctx, metric); err != nil {
			return nil, err
		}
		if sizes[series] == 0 {
			return nil, fmt.Errorf("the operator has no metric %s", metric)
		}
	}
	sizes[Heap] /= mebibyte
	sizes[Resident] /= mebibyte
	sizes[Descriptors], sizes[Sockets], err = descriptors(filepath.Join("/proc", strconv.Itoa(pid), "fd"))
	return sizes, err
}

// descriptors counts what a process has open, by its folder of /proc.
func descriptors(folder string) (all, sockets float64, err error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return 0, 0, err
	}
	for _, entry := range entries {
		target, err := os.Readlink(filepath.Join(folder, entry.Name()))
		if err != nil {
			continue // closed meanwhile
		}
		all++
		if strings.HasPrefix(target, "socket:") {
			sockets++
		}
	}
	return all, sockets, nil
}

package imports

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync/atomic"
)

// headerSize is how much CDI reads of a disk to know its format.
const headerSize = 512

var gzipMagic = []byte{0x1f, 0x8b}

// Options say how a disk is imported. Dial, Room and Pass are needed.
type Options struct {
	// Dial connects to hosts.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Capacity is how many bytes the claim is said to hold.
	Capacity int64
	// Room is what there is room for.
	Room *Room
	// Pass returns when the cluster is not frozen, or with ctx's error.
	Pass func(ctx context.Context) error
	// SizeHeader is the header of an answer that says how big the disk is, where not all of it is
	// served.
	SizeHeader string
}

// Attempt is one run of the importer. Percent can be asked while it runs.
type Attempt struct {
	options Options
	total   atomic.Int64 // 0 where it is not known
	read    atomic.Int64
}

// NewAttempt returns an attempt to be run once.
func NewAttempt(options Options) *Attempt { return &Attempt{options: options} }

// Percent returns how much has come. CDI knows that of a disk alone whose size the server says.
func (a *Attempt) Percent() (percent float64, known bool) {
	total := a.total.Load()
	if total == 0 {
		return 0, false
	}
	return float64(a.read.Load()) * 100 / float64(total), true
}

// Run imports a disk, and returns nil if all of it was written.
func (a *Attempt) Run(ctx context.Context, source Source, to io.Writer) *Failure {
	client, done := source.client(a.options.Dial)
	defer done()
	sum, err := newChecksum(source.Checksum)
	if err != nil {
		return unconnected(err)
	}
	response, err := a.connect(ctx, source, client)
	if err != nil {
		return unconnected(err)
	}
	defer response.Body.Close()
	wire := a.counted(ctx, response.Body)
	if sum != nil {
		wire = io.TeeReader(wire, sum)
	}
	disk, err := unpacked(wire)
	if err != nil {
		return unprocessed(Failed, looking, err)
	}
	written := &writer{to: to, room: a.options.Room, capacity: a.options.Capacity}
	if _, err := io.Copy(written, disk); err != nil {
		return received(err)
	}
	if sum != nil {
		if failure := sum.differs(); failure != nil {
			return failure
		}
	}
	return a.fits(response, written.written)
}

// connect asks how big the disk is, which not every server says, and then for the disk.
func (a *Attempt) connect(ctx context.Context, source Source, client *http.Client) (*http.Response, error) {
	if head, err := source.ask(ctx, client, http.MethodHead); err == nil {
		head.Body.Close()
		if head.StatusCode == http.StatusOK {
			a.total.Store(max(head.ContentLength, 0))
		}
	}
	response, err := source.ask(ctx, client, http.MethodGet)
	if err != nil {
		return nil, fmt.Errorf("HTTP request errored: %w", err)
	}
	if response.StatusCode != http.StatusOK {
		response.Body.Close()
		return nil, fmt.Errorf("expected status code %d, got %d. Status: %s", http.StatusOK, response.StatusCode,
			response.Status)
	}
	if a.total.Load() == 0 {
		a.total.Store(max(response.ContentLength, 0))
	}
	return response, nil
}

// fits says whether the whole disk has room in the claim.
func (a *Attempt) fits(response *http.Response, written int64) *Failure {
	size, err := strconv.ParseInt(response.Header.Get(a.options.SizeHeader), 10, 64)
	if err != nil {
		size = written
	}
	if size <= a.options.Capacity {
		return nil
	}
	return unprocessed(Failed, converting, fmt.Errorf(
		"virtual image size %d is larger than the reported available storage %d. A larger PVC is required",
		size, a.options.Capacity))
}

// unpacked looks at how a disk begins and returns its bytes.
func unpacked(wire io.Reader) (io.Reader, error) {
	header, whole, err := peek(wire)
	if err != nil || !bytes.HasPrefix(header, gzipMagic) {
		return whole, err
	}
	unzipped, err := gzip.NewReader(whole)
	if err != nil {
		return nil, err
	}
	_, whole, err = peek(unzipped)
	return whole, err
}

// peek returns how a disk begins, and all of it.
func peek(from io.Reader) (header []byte, whole io.Reader, err error) {
	header = make([]byte, headerSize)
	if _, err := io.ReadFull(from, header); err != nil {
		return nil, nil, err
	}
	return header, io.MultiReader(bytes.NewReader(header), from), nil
}

// counted counts what is read.
func (a *Attempt) counted(ctx context.Context, from io.Reader) io.Reader {
	return readerFunc(func(p []byte) (int, error) {
		if err := a.options.Pass(ctx); err != nil {
			return 0, err
		}
		n, err := from.Read(p)
		a.read.Add(int64(n))
		return n, err
	})
}

type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

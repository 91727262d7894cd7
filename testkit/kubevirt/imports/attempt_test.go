package imports_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"

	"github.com/vitistack/kubevirt-multicluster/testkit/kubevirt/imports"
)

const sizeHeader = "Test-Size"

func TestAttempt(t *testing.T) {
	disk := make([]byte, 100_000)
	_, _ = rand.NewChaCha8([32]byte{}).Read(disk)
	sum := fmt.Sprintf("sha256:%x", sha256.Sum256(disk))
	packed := pack(t, disk)
	cases := map[string]struct {
		reason   string
		serve    http.HandlerFunc
		source   imports.Source
		capacity int64
		room     int64
		want     string // the failure; "" where the disk comes
	}{
		"raw": {
			reason: "a raw disk is written as it comes",
			serve:  serve(disk),
			source: imports.Source{Checksum: sum},
		},
		"packed": {
			reason: "what gzip packed is unpacked, whatever it is called",
			serve:  serve(packed),
			source: imports.Source{Checksum: fmt.Sprintf("sha256:%x", sha256.Sum256(packed))},
		},
		"headers": {
			reason: "headers are sent, one that is none is not",
			serve: func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get("Token") != "secret" || r.UserAgent() != "cdi-golang-importer" {
					w.WriteHeader(http.StatusUnauthorized)
					return
				}
				serve(disk)(w, r)
			},
			source: imports.Source{Headers: []string{"token: secret", "nothing"}},
		},
		"no answer to questions": {
			reason: "a server that answers downloads alone is enough",
			serve: func(w http.ResponseWriter, r *http.Request) {
				if r.Method != http.MethodGet {
					w.WriteHeader(http.StatusBadRequest)
					return
				}
				serve(disk)(w, r)
			},
		},
		"refused": {
			reason: "the status is told",
			serve:  func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) },
			want: "Error: Unable to connect to http data source: " +
				"expected status code 200, got 404. Status: 404 Not Found",
		},
		"bytes are missing": {
			reason: "a disk that is shorter than was said is none",
			serve:  short(disk, len(disk), 50_000),
			want: "ImagePullFailed: Unable to process data: Unable to transfer source data to scratch space: " +
				"failed to pull image: unexpected EOF",
		},
		"packed bytes are missing": {
			reason: "gzip notices where the length does not tell",
			serve:  serve(packed[:50_000]),
			want: "ImagePullFailed: Unable to process data: Unable to transfer source data to scratch space: " +
				"failed to pull image: unexpected EOF",
		},
		"nothing": {
			reason: "what is smaller than a header is no disk",
			serve:  serve(disk[:100]),
			want: "Error: Unable to process data: Unable to obtain information about data source: " +
				"could not process image header: unexpected EOF",
		},
		"other bytes": {
			reason: "they are noticed by the checksum, which is final",
			serve:  serve(bytes.Repeat([]byte("other"), 20_000)),
			source: imports.Source{Checksum: sum},
			want: "ChecksumError: Unable to process data: Unable to transfer source data to scratch space: " +
				"checksum validation failed: checksum mismatch: expected " + sum + ", calculated " +
				fmt.Sprintf("sha256:%x", sha256.Sum256(bytes.Repeat([]byte("other"), 20_000))),
		},
		"unknown checksum": {
			reason: "one that cannot be compared is refused",
			serve:  serve(disk),
			source: imports.Source{Checksum: "crc:0"},
			want:   `Error: Unable to connect to http data source: invalid checksum: "crc:0"`,
		},
		"small claim": {
			reason:   "the disk does not fit",
			serve:    serve(disk),
			capacity: 99_999,
			want:     "Error: " + imports.TooSmall,
		},
		"claim smaller than the disk is said to be": {
			reason: "what is left out of the disk counts",
			serve: func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set(sizeHeader, "1000001")
				serve(disk)(w, r)
			},
			want: "Error: " + imports.TooSmall,
		},
		"full": {
			reason: "there is no room",
			serve:  serve(packed),
			room:   60_000,
			want:   "Error: " + imports.TooSmall,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(tc.serve)
			defer server.Close()
			room := imports.NewRoom()
			if tc.room > 0 {
				room.Set(tc.room)
			}
			if tc.capacity == 0 {
				tc.capacity = 1_000_000
			}
			tc.source.URL = server.URL + "/disk.img"
			got := &bytes.Buffer{}
			failure := imports.NewAttempt(imports.Options{
				Dial: (&net.Dialer{}).DialContext, Capacity: tc.capacity, Room: room,
				Pass: func(context.Context) error { return nil }, SizeHeader: sizeHeader,
			}).Run(t.Context(), tc.source, got)
			if tc.want == "" && (failure != nil || !bytes.Equal(got.Bytes(), disk)) {
				t.Fatalf("%s: %d bytes came: %v", tc.reason, got.Len(), failure)
			}
			if tc.want != "" && (failure == nil || failure.Error() != tc.want) {
				t.Errorf("%s: the failure is %v, not %s", tc.reason, failure, tc.want)
			}
			if failure != nil && failure.Final() != (failure.Reason == imports.ChecksumDiffers) {
				t.Errorf("%s: final is %t", tc.reason, failure.Final())
			}
		})
	}
}

// TestPercent: of a disk whose size the server says, the importer knows how much has come.
func TestPercent(t *testing.T) {
	half := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "2000")
		if r.Method == http.MethodHead {
			return
		}
		_, _ = w.Write(make([]byte, 1000))
		_ = http.NewResponseController(w).Flush()
		<-half
		_, _ = w.Write(make([]byte, 1000))
	}))
	defer server.Close()
	attempt := imports.NewAttempt(imports.Options{
		Dial: (&net.Dialer{}).DialContext, Capacity: 2000, Room: imports.NewRoom(),
		Pass: func(context.Context) error { return nil },
	})
	reached := make(chan float64, 1)
	written := 0
	failure := attempt.Run(t.Context(), imports.Source{URL: server.URL}, writerFunc(func(p []byte) (int, error) {
		if written += len(p); written == 1000 {
			percent, _ := attempt.Percent()
			reached <- percent
			close(half)
		}
		return len(p), nil
	}))
	if failure != nil {
		t.Fatal(failure)
	}
	if got := <-reached; got != 50 {
		t.Errorf("half of the disk was %v percent", got)
	}
	if got, known := attempt.Percent(); got != 100 || !known {
		t.Errorf("the whole disk is %v percent, known: %t", got, known)
	}
}

type writerFunc func(p []byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func pack(t *testing.T, disk []byte) []byte {
	t.Helper()
	packed := &bytes.Buffer{}
	w := gzip.NewWriter(packed)
	if _, err := w.Write(disk); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return packed.Bytes()
}

func serve(content []byte) http.HandlerFunc { return short(content, len(content), len(content)) }

// short serves less than it says.
func short(content []byte, said, served int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", strconv.Itoa(said))
		if r.Method == http.MethodGet {
			_, _ = io.Copy(w, bytes.NewReader(content[:served]))
		}
	}
}

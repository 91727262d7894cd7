package exports

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"
)

// errBroken lets http.Server break the connection.
var errBroken = errors.New("the connection is to break here")

// body is a disk on its way, as a fault lets it through.
type body struct {
	io.ReadCloser
	ctx    context.Context
	fault  Fault
	offset int64
}

// damage lets a response end or break, or be slow or wrong, as its fault says.
func damage(response *http.Response, fault Fault) {
	if end := fault.EndAfter; end > 0 && response.ContentLength > end {
		response.ContentLength = end
		response.Header.Set("Content-Length", strconv.FormatInt(end, 10))
	}
	response.Body = &body{ReadCloser: response.Body, ctx: response.Request.Context(), fault: fault}
}

// Read reads no more at a time than a tenth of a second takes.
func (b *body) Read(p []byte) (int, error) {
	if end := b.fault.EndAfter; end > 0 {
		if b.offset >= end {
			return 0, io.EOF
		}
		p = p[:min(int64(len(p)), end-b.offset)]
	}
	if end := b.fault.BreakAfter; end > 0 {
		if b.offset >= end {
			return 0, errBroken
		}
		p = p[:min(int64(len(p)), end-b.offset)]
	}
	if rate := b.fault.BytesPerSecond; rate > 0 {
		p = p[:min(int64(len(p)), max(rate/10, 1))]
	}
	n, err := b.ReadCloser.Read(p)
	if b.fault.Corrupt {
		b.corrupt(p[:n])
	}
	b.offset += int64(n)
	if pause := b.fault.pause(n); pause > 0 {
		select {
		case <-time.After(pause):
		case <-b.ctx.Done():
			return n, b.ctx.Err()
		}
	}
	return n, err
}

// corrupt changes the 2048th byte of each 4096, which is beyond what a format begins with.
func (b *body) corrupt(p []byte) {
	for i := range p {
		if (b.offset+int64(i))%4096 == 2048 {
			p[i] ^= 0xff
		}
	}
}

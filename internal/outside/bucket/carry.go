package bucket

import (
	"context"
	"crypto/tls"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/virga-cloud/virga/internal/fault"
)

const (
	connecting = 20 * time.Second
	// stalled is how long nothing may move.
	stalled = time.Minute
	// tries is how often a connection that broke is made again before somebody else is to decide.
	tries = 5
)

// Carrier carries files by links, for hosts. It follows a link to nowhere else.
type Carrier struct{ http *http.Client }

// NewCarrier makes a carrier.
func NewCarrier() *Carrier {
	dialer := &net.Dialer{Timeout: connecting}
	return &Carrier{&http.Client{
		Transport: &http.Transport{
			DialContext: dialer.DialContext, TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12}, TLSHandshakeTimeout: connecting,
			ResponseHeaderTimeout: 5 * stalled, // of parts, too, which are looked at whole
			IdleConnTimeout:       stalled, DisableCompression: true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Get brings what a link opens into a file.
func (c *Carrier) Get(ctx context.Context, link, path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	var done int64
	err = again(ctx, func() (bool, error) {
		before := done
		err := c.get(ctx, link, f, &done)
		return done > before, err
	})
	return errors.Join(err, f.Close())
}

// get goes on where an earlier try ended.
func (c *Carrier) get(ctx context.Context, link string, f *os.File, done *int64) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, link, nil)
	if err != nil {
		return failed(err)
	}
	if *done > 0 {
		r.Header.Set("Range", fmt.Sprintf("bytes=%d-", *done))
	}
	answer, err := c.do(r)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	if *done > 0 && !strings.HasPrefix(answer.Header.Get("Content-Range"), fmt.Sprintf("bytes %d-", *done)) {
		*done = 0
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			return err
		}
		if err := f.Truncate(0); err != nil {
			return err
		}
	}
	n, err := io.Copy(f, answer.Body)
	*done += n
	if err == nil && answer.ContentLength >= 0 && n != answer.ContentLength {
		err = io.ErrUnexpectedEOF
	}
	return failed(err)
}

// Put sends a part of a file by a link, and gives the tag with which it was taken.
func (c *Carrier) Put(ctx context.Context, path string, offset, bytes int64, link string) (tag string, err error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }()
	err = again(ctx, func() (bool, error) {
		r, err := http.NewRequestWithContext(ctx, http.MethodPut, link, io.NewSectionReader(f, offset, bytes))
		if err != nil {
			return false, failed(err)
		}
		r.ContentLength = bytes
		if bytes == 0 {
			r.Body = http.NoBody
		}
		answer, err := c.do(r)
		if err != nil {
			return false, err
		}
		defer func() { _ = answer.Body.Close() }()
		if tag = strings.Trim(answer.Header.Get("Etag"), `"`); tag == "" {
			return false, fault.Conflictf("%s has taken a part and gives it no tag", r.URL.Host)
		}
		return false, nil
	})
	return tag, err
}

// do has a request answered well, and what moves goes on.
func (c *Carrier) do(r *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(r.Context())
	quiet := time.AfterFunc(stalled, func() { cancel(fault.Unavailablef("%s: nothing has moved for %s", r.URL.Host, stalled)) })
	moved := func() { quiet.Reset(stalled) }
	if r.Body != nil && r.Body != http.NoBody {
		r.Body = moving{r.Body, moved, func() { quiet.Stop() }, func() {}}
	}
	answer, err := c.http.Do(r.WithContext(ctx))
	over := func() { quiet.Stop(); cancel(nil) }
	if err != nil {
		if cause := context.Cause(ctx); cause != nil && r.Context().Err() == nil {
			err = cause
		}
		over()
		return nil, failed(err)
	}
	moved()
	answer.Body = moving{answer.Body, moved, func() {}, over}
	if answer.StatusCode == http.StatusOK || answer.StatusCode == http.StatusPartialContent {
		return answer, nil
	}
	var why struct{ Code string } // the rest may tell what was signed
	_ = xml.NewDecoder(io.LimitReader(answer.Body, 10000)).Decode(&why)
	_ = answer.Body.Close()
	switch {
	case answer.StatusCode >= 500, answer.StatusCode == http.StatusTooManyRequests, answer.StatusCode == http.StatusRequestTimeout:
		return nil, fault.Unavailablef("%s answers %s", r.URL.Host, answer.Status)
	case answer.StatusCode == http.StatusNotFound:
		return nil, fault.Conflictf("it is not in its store at %s, or not on its way there any more", r.URL.Host)
	}
	return nil, fault.Conflictf("%s answers %s %s", r.URL.Host, answer.Status, why.Code)
}

// moving tells whenever something moves, when all of it has, and when nobody reads any more.
type moving struct {
	io.ReadCloser
	moved, read, over func()
}

func (m moving) Read(p []byte) (int, error) {
	n, err := m.ReadCloser.Read(p)
	if n > 0 {
		m.moved()
	}
	if err != nil {
		m.read()
	}
	return n, err
}

func (m moving) Close() error {
	defer m.over()
	return m.ReadCloser.Close()
}

// again tries as long as it may help.
func again(ctx context.Context, try func() (on bool, err error)) (err error) {
	for left := tries; left > 0; left-- {
		var on bool
		if on, err = try(); err == nil || ctx.Err() != nil || !fault.Is(err, fault.Unavailable) {
			break
		}
		if on {
			left = tries
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// failed is what went wrong on the way, without the link.
func failed(err error) error {
	if err == nil {
		return nil
	}
	if known, ok := errors.AsType[*fault.Error](err); ok {
		return known
	}
	if errors.Is(err, syscall.ENOSPC) {
		return fault.New(fault.Full, "there is no room for it: %v", err)
	}
	if sent, ok := errors.AsType[*url.Error](err); ok {
		err = sent.Err
	}
	return fault.Unavailablef("a bucket is out of reach: %v", err)
}

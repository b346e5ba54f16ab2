package download

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/virga-cloud/virga/internal/fault"
)

const (
	connecting = 20 * time.Second
	// stalled is how long nothing may come.
	stalled   = time.Minute
	redirects = 5
	// tries is how often a connection that broke is made again before somebody else is to decide.
	tries = 5
)

// Client brings files.
type Client struct {
	allowed []netip.Prefix
	http    *http.Client
}

// New gives a client that asks addresses of the Internet, and those of some networks besides.
func New(allowed ...netip.Prefix) *Client {
	c := &Client{allowed: allowed}
	dialer := &net.Dialer{Timeout: connecting, ControlContext: c.control}
	c.http = &http.Client{
		Transport: &http.Transport{
			DialContext: dialer.DialContext, TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12}, TLSHandshakeTimeout: connecting,
			ResponseHeaderTimeout: stalled, MaxResponseHeaderBytes: 64 << 10, DisableKeepAlives: true, ForceAttemptHTTP2: true,
			DisableCompression: true, // a part of what was packed on the way is no part of the file
		},
		CheckRedirect: func(r *http.Request, via []*http.Request) error {
			if len(via) > redirects {
				return fault.Conflictf("it leads from one address to the next, more than %d times", redirects)
			}
			if via[0].URL.Scheme == "https" && r.URL.Scheme != "https" {
				return fault.Conflictf("it leads from https to %s", r.URL.Scheme)
			}
			return Check(r.URL.String())
		},
	}
	return c
}

// Check tells whether a URL may be asked at all.
func Check(text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" || u.Opaque != "" || u.Scheme != "https" && u.Scheme != "http" {
		return fault.Conflictf("%q is no URL like https://images.example.org/debian.qcow2", text)
	}
	return nil
}

// own are networks that are nobody's on the Internet, besides those that netip knows: carriers' and documentation's, benchmarks',
// and what reaches IPv4 through IPv6.
var own = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("198.18.0.0/15"), netip.MustParsePrefix("198.51.100.0/24"),
	netip.MustParsePrefix("203.0.113.0/24"), netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("64:ff9b::/96"), netip.MustParsePrefix("64:ff9b:1::/48"), netip.MustParsePrefix("2002::/16"),
	netip.MustParsePrefix("2001::/32"), netip.MustParsePrefix("2001:db8::/32"), netip.MustParsePrefix("fec0::/10"),
}

// control looks at every address that is about to be connected to, whatever name it had and however it was come by.
func (c *Client) control(_ context.Context, _, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	ip := at.Addr().Unmap().WithZone("")
	in := func(p netip.Prefix) bool { return p.Contains(ip) }
	if slices.ContainsFunc(c.allowed, in) {
		return nil
	}
	if !ip.IsGlobalUnicast() || ip.IsPrivate() || slices.ContainsFunc(own, in) {
		return fault.Conflictf("the address %s is not of the Internet: an administrator must allow it", ip)
	}
	return nil
}

// Fetch brings what is at a URL into a file, of this many bytes at most (0: any number), and goes on where an earlier try ended if it
// is still the same there. Progress is told now and then, with a total of 0 where that is not known; it may be nil. It fails with
// fault.Conflict where trying again is useless, and otherwise with fault.Unavailable.
func (c *Client) Fetch(ctx context.Context, from, path string, most int64, progress func(done, total int64)) error {
	if err := Check(from); err != nil {
		return err
	}
	var err error
	for range tries {
		before := size(path)
		if err = c.try(ctx, from, path, most, progress); err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if f, ok := errors.AsType[*fault.Error](err); ok && f.Kind != fault.Unavailable {
			return f
		}
		if size(path) <= before { // it does not get on
			break
		}
	}
	if _, ok := errors.AsType[*fault.Error](err); ok {
		return err
	}
	return fault.Unavailablef("%s does not answer as it should: %v", host(from), err)
}

func host(from string) string {
	u, err := url.Parse(from)
	if err != nil {
		return from
	}
	return u.Host
}

func size(path string) int64 {
	i, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return i.Size()
}

// try makes one request. Beside the file stands what it is a part of, so that it is never gone on with from something else.
func (c *Client) try(ctx context.Context, from, path string, most int64, progress func(done, total int64)) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, from, nil)
	if err != nil {
		return err
	}
	done, mark := size(path), read(path+".from")
	if url, tag, ok := strings.Cut(mark, "\n"); ok && url == from && tag != "" && done > 0 {
		r.Header.Set("Range", "bytes="+strconv.FormatInt(done, 10)+"-")
		r.Header.Set("If-Range", tag)
	}
	answer, err := c.http.Do(r)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	flags := os.O_CREATE | os.O_WRONLY
	switch {
	case answer.StatusCode == http.StatusOK:
		done, flags = 0, flags|os.O_TRUNC
	case answer.StatusCode == http.StatusPartialContent && begins(answer, done):
		flags |= os.O_APPEND
	case answer.StatusCode == http.StatusRequestedRangeNotSatisfiable: // it was all there, or is another now
		return errors.Join(os.Remove(path), fault.Unavailablef("%s has no more of it", host(from)))
	case answer.StatusCode >= 500, answer.StatusCode == http.StatusTooManyRequests, answer.StatusCode == http.StatusRequestTimeout:
		return fault.Unavailablef("%s answers %s", host(from), answer.Status)
	default:
		return fault.Conflictf("%s answers %s", host(from), answer.Status)
	}
	total := int64(0)
	if answer.ContentLength > 0 {
		total = done + answer.ContentLength
	}
	if most > 0 && total > most {
		return fault.Conflictf("it has %d bytes, and %d are allowed", total, most)
	}
	if err := os.WriteFile(path+".from", []byte(from+"\n"+tagOf(answer)), 0o600); err != nil {
		return err
	}
	f, err := os.OpenFile(path, flags, 0o600)
	if err != nil {
		return err
	}
	quiet := time.AfterFunc(stalled, func() { cancel(fault.Unavailablef("%s has sent nothing for %s", host(from), stalled)) })
	defer quiet.Stop()
	in := &counted{Reader: answer.Body, done: done, total: total, most: most, tell: progress, alive: func() { quiet.Reset(stalled) }}
	_, err = io.Copy(f, in)
	err = errors.Join(err, f.Close())
	switch cause := context.Cause(ctx); {
	case err != nil && cause != nil && !errors.Is(cause, context.Canceled):
		return cause
	case errors.Is(err, syscall.ENOSPC):
		return fault.New(fault.Full, "there is no room for it: %v", err)
	case err != nil:
		return err
	case total > 0 && in.done != total:
		return io.ErrUnexpectedEOF
	}
	if err := os.Remove(path + ".from"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// begins tells whether a part begins where it was asked for.
func begins(answer *http.Response, at int64) bool {
	return strings.HasPrefix(answer.Header.Get("Content-Range"), fmt.Sprintf("bytes %d-", at))
}

// tagOf names one state of what is at a URL; "" where the server does not.
func tagOf(answer *http.Response) string {
	if tag := answer.Header.Get("Etag"); tag != "" && !strings.HasPrefix(tag, "W/") {
		return tag
	}
	return answer.Header.Get("Last-Modified")
}

func read(path string) string {
	content, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	return string(content)
}

// counted tells how far it is, and ends where it is too much.
type counted struct {
	io.Reader
	done, total, most, told int64
	tell                    func(done, total int64)
	alive                   func()
}

// step is how often progress is told.
const step = 4 << 20

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.done += int64(n)
	if n > 0 {
		c.alive()
	}
	if c.most > 0 && c.done > c.most {
		return 0, fault.Conflictf("it has more than the %d bytes that are allowed", c.most)
	}
	if c.tell != nil && (c.done-c.told >= step || err != nil) {
		c.told = c.done
		c.tell(c.done, c.total)
	}
	return n, err
}

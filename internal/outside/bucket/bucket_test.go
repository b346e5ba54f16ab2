package bucket

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/minio/minio-go/v7"

	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/outside/bucket/buckettest"
	"github.com/virga-cloud/virga/internal/secret"
)

func place(s *buckettest.Server) Place {
	return Place{
		Endpoint: s.Endpoint, Bucket: buckettest.Bucket, AccessKey: secret.New(buckettest.AccessKey), SecretKey: secret.New(buckettest.SecretKey), Tries: 1,
	}
}

func opened(t *testing.T, p Place) *Bucket {
	t.Helper()
	b, err := Open(p)
	must(t, err)
	return b
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// servers gives each test a server of ours and, where there is one on this machine, one of those that people use.
func servers(t *testing.T, test func(t *testing.T, p Place)) {
	t.Helper()
	t.Run("ours", func(t *testing.T) {
		t.Parallel()
		test(t, place(buckettest.New(t)))
	})
	t.Run("versitygw", func(t *testing.T) {
		t.Parallel()
		p := place(&buckettest.Server{Endpoint: buckettest.Versity(t)})
		p.Tries = 3
		test(t, p)
	})
}

// keys are the objects that there are.
func keys(t *testing.T, b *Bucket) (all []string) {
	t.Helper()
	for o := range b.core.ListObjectsIter(t.Context(), buckettest.Bucket, minio.ListObjectsOptions{Recursive: true}) {
		must(t, o.Err)
		all = append(all, o.Key)
	}
	return all
}

func TestObjects(t *testing.T) {
	t.Parallel()
	servers(t, testObjects)
}

func testObjects(t *testing.T, p Place) {
	ctx, b := t.Context(), opened(t, p)
	must(t, b.Probe(ctx))
	content := bytes.Repeat([]byte("0123456789abcdef"), 3<<16) // 3 MB
	must(t, b.Put(ctx, "x/a b+c", content))
	for name, get := range map[string]func() ([]byte, error){
		"all":  func() ([]byte, error) { return b.Get(ctx, "x/a b+c") },
		"head": func() ([]byte, error) { return b.Read(ctx, "x/a b+c", 0, 10) },
		"part": func() ([]byte, error) { return b.Read(ctx, "x/a b+c", 7, 100) },
		"rest": func() ([]byte, error) {
			in, err := b.Stream(ctx, "x/a b+c", 100)
			must(t, err)
			defer func() { _ = in.Close() }()
			return io.ReadAll(in)
		},
	} {
		want := map[string][]byte{"all": content, "head": content[:10], "part": content[7:107], "rest": content[100:]}[name]
		if got, err := get(); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
	}
	must(t, b.Write(ctx, "streamed", io.MultiReader(bytes.NewReader(make([]byte, partSize)), bytes.NewReader(content))))
	must(t, b.Copy(ctx, "streamed", "copy"))
	if n, err := b.Size(ctx, "copy"); err != nil || n != partSize+int64(len(content)) {
		t.Errorf("the copy has %d bytes, %v", n, err)
	}
	if err := b.Write(ctx, "broken", io.MultiReader(bytes.NewReader(make([]byte, 2*partSize)), broken{})); err == nil {
		t.Error("what breaks off is taken")
	}
	must(t, b.Drop(ctx, "copy", "streamed", "never was"))
	for name, err := range map[string]error{
		"size": second(b.Size(ctx, "copy")), "get": second(b.Get(ctx, "copy")), "copy": b.Copy(ctx, "copy", "other"),
	} {
		if !fault.Is(err, fault.NotFound) {
			t.Errorf("%s of what is gone gives %v", name, err)
		}
	}
	if all := keys(t, b); !slices.Equal(all, []string{"x/a b+c"}) {
		t.Errorf("there is %q", all)
	}
}

func second[T any](_ T, err error) error { return err }

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// What a host carries by links is what was there, whatever breaks on the way, and the links open nothing else.
func TestLinks(t *testing.T) {
	t.Parallel()
	servers(t, testLinks)
}

func testLinks(t *testing.T, p Place) {
	ctx, dir := t.Context(), t.TempDir()
	b, c := opened(t, p), NewCarrier()
	content := bytes.Repeat([]byte("0123456789abcdef"), 1<<16) // 1 MB
	file := filepath.Join(dir, "file")
	must(t, os.WriteFile(file, content, 0o600))
	for _, each := range [][]int64{{int64(len(content))}, {5, 0}, {100000, 50000}} {
		send := func(parts []Part) (tags []string, err error) {
			if len(parts) != 1 || parts[0].Bytes != each[0] {
				t.Fatalf("the parts are %+v", parts)
			}
			if strings.Contains(parts[0].Link, buckettest.SecretKey) {
				t.Error("the link has the secret key in it")
			}
			if _, err := c.Put(ctx, file, 0, parts[0].Bytes, strings.Replace(parts[0].Link, "partNumber=1", "partNumber=2", 1)); !fault.Is(err, fault.Conflict) {
				t.Errorf("a link that was changed gives %v", err)
			}
			tag, err := c.Put(ctx, file, 0, parts[0].Bytes, parts[0].Link)
			return []string{tag}, err
		}
		must(t, b.Send(ctx, "sent", each[0], send))
		link, err := b.Link(ctx, "sent")
		must(t, err)
		must(t, c.Get(ctx, link, file+".got"))
		if got, _ := os.ReadFile(file + ".got"); !bytes.Equal(got, content[:each[0]]) {
			t.Errorf("%d bytes come of %d", len(got), each[0])
		}
	}
	must(t, b.Put(ctx, "other", []byte("x")))
	link, err := b.Link(ctx, "sent")
	must(t, err)
	for name, other := range map[string]string{
		"another object": strings.Replace(link, "/sent?", "/other?", 1), "longer": strings.Replace(link, "Expires=43200", "Expires=86400", 1),
		"no signature": strings.SplitN(link, "?", 2)[0],
	} {
		if other == link {
			t.Fatalf("%s: the link is %s", name, link)
		}
		err := c.Get(ctx, other, file+".got")
		if !fault.Is(err, fault.Conflict) || strings.Contains(err.Error(), "X-Amz") {
			t.Errorf("%s: got %v", name, err)
		}
	}
	must(t, b.Drop(ctx, "sent"))
	if err := c.Get(ctx, link, file+".got"); !fault.Is(err, fault.Conflict) {
		t.Errorf("what is gone gives %v", err)
	}
	if _, err := c.Put(ctx, file, 0, 5, "http://127.0.0.1:1/x?X-Amz-Signature=s"); !fault.Is(err, fault.Unavailable) || strings.Contains(err.Error(), "X-Amz") {
		t.Errorf("a bucket that is not there gives %v", err)
	}
}

// A file is in parts of a size that leaves room for more than any disk has.
func TestParts(t *testing.T) {
	t.Parallel()
	b := opened(t, place(buckettest.New(t)))
	for size, want := range map[int64]int{0: 1, 1: 1, leastPart: 1, leastPart + 1: 2, 10 << 30: 160, 4 << 40: 500} {
		parts, err := b.parts(t.Context(), "key", "id", size)
		must(t, err)
		var sum int64
		for _, p := range parts {
			if sum += p.Bytes; p.Bytes > 10<<30 {
				t.Errorf("a part of %d has %d bytes", size, p.Bytes)
			}
		}
		if len(parts) != want || sum != size {
			t.Errorf("of %d bytes there are %d parts with %d, want %d", size, len(parts), sum, want)
		}
	}
}

// An earlier try for the same object is over when another begins, and one that fails leaves nothing.
func TestSendingAgain(t *testing.T) {
	t.Parallel()
	servers(t, testSendingAgain)
}

func testSendingAgain(t *testing.T, p Place) {
	ctx, b, c := t.Context(), opened(t, p), NewCarrier()
	file := filepath.Join(t.TempDir(), "file")
	must(t, os.WriteFile(file, []byte("content"), 0o600))
	put := func(parts []Part) ([]string, error) {
		tag, err := c.Put(ctx, file, 0, 7, parts[0].Link)
		return []string{tag}, err
	}
	err := b.Send(ctx, "key", 7, func(old []Part) ([]string, error) {
		must(t, b.Send(ctx, "key", 7, put))
		_, err := put(old)
		return nil, err
	})
	if !fault.Is(err, fault.Conflict) {
		t.Errorf("the earlier try ends with %v", err)
	}
	if n, err := b.Size(ctx, "key"); err != nil || n != 7 {
		t.Errorf("the later one has %d bytes, %v", n, err)
	}
	must(t, b.Drop(ctx, "key"))
	err = b.Send(ctx, "key", 7, func([]Part) ([]string, error) { return nil, fault.Unavailablef("the host is gone") })
	if !fault.Is(err, fault.Unavailable) {
		t.Errorf("got %v", err)
	}
	if all, err := b.core.ListMultipartUploads(ctx, buckettest.Bucket, "", "", "", "", 100); len(all.Uploads) > 0 {
		t.Errorf("on its way is %v, %v", all.Uploads, err)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	s := buckettest.New(t)
	for name, change := range map[string]func(*Place){
		"SignatureDoesNotMatch": func(p *Place) { p.SecretKey = secret.New("another") },
		"NoSuchBucket":          func(p *Place) { p.Bucket = "nothere" },
	} {
		p := place(s)
		change(&p)
		if err := opened(t, p).Probe(t.Context()); !fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if err := opened(t, place(s)).Probe(gone); err == nil {
		t.Error("a bucket is asked for nobody")
	}
	b := opened(t, place(s))
	must(t, b.Put(t.Context(), "there", []byte("x")))
	link, err := b.Link(t.Context(), "there")
	must(t, err)
	must(t, b.Drop(t.Context(), "there"))
	s.Fail(func(r *http.Request) bool { return r.Method == http.MethodGet })
	if err := NewCarrier().Get(t.Context(), link, filepath.Join(t.TempDir(), "got")); !fault.Is(err, fault.Unavailable) || strings.Contains(err.Error(), "X-Amz") {
		t.Errorf("a bucket that does not answer gives %v", err)
	}
	if err := opened(t, place(s)).Probe(t.Context()); !fault.Is(err, fault.Unavailable) {
		t.Errorf("a bucket that does not give back: %v", err)
	}
	if keys := s.Keys(t); len(keys) > 0 {
		t.Errorf("left of the trial: %v", keys)
	}
}

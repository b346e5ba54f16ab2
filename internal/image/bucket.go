package image

import (
	"cmp"
	"context"
	"encoding/json"
	"net"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/secret"
	"github.com/virga-cloud/virga/uid"
)

// Bucket is a bucket of S3 that is an image store.
type Bucket struct {
	Store    uid.ImageStore `bun:"store_id,pk"`
	Endpoint string         // "s3.example.org" or "10.1.2.3:9000"
	Name     string         `bun:"bucket"`
	Region   string         // "" where it is to be found out
	HTTPS    bool           `bun:"https"`

	AccessKey secret.String `bun:"-"`
	SecretKey secret.String `bun:"-"`

	// Zero ones leave the choice to the client.
	Connecting time.Duration // how long a connection may take to come about
	Answering  time.Duration // how long an answer may take to begin
	Keeping    time.Duration // how long a connection that nobody uses is kept
	Tries      int           // how often a request is made that came to nothing
	NoProbes   bool          // connections are not asked whether the other end is there still
}

// Probe finds out whether a bucket can be used, by using it.
type Probe func(ctx context.Context, b Bucket) error

var bucketName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9]$`)

func (b Bucket) check() error {
	host, port := b.Endpoint, ""
	if h, p, err := net.SplitHostPort(b.Endpoint); err == nil {
		host, port = h, p
	}
	_, noPort := strconv.ParseUint(cmp.Or(port, "1"), 10, 16)
	switch {
	case b.Endpoint == "":
		return fault.Invalidf("a bucket is at an endpoint: name it, like s3.eu-central-1.amazonaws.com or s3.example.org:9000")
	case noPort != nil, host == "", strings.ContainsAny(host, "/@?#% \t"), strings.Contains(host, ":") && net.ParseIP(host) == nil:
		return fault.Invalidf("endpoint %q is none: want a host with or without a port, like s3.example.org:9000; whether it is asked by HTTPS "+
			"says usehttps", b.Endpoint)
	case !bucketName.MatchString(b.Name):
		return fault.Invalidf("bucket %q can't be one's name: want 3 to 63 letters, digits, dots and hyphens", b.Name)
	case b.AccessKey.IsEmpty():
		return fault.Invalidf("accesskey has to be the access key that the bucket opens to")
	case b.SecretKey.IsEmpty():
		return fault.Invalidf("secretkey has to be the secret key that goes with the access key")
	case len(b.Region) > 64:
		return fault.Invalidf("region %q is no region's name, or leave it out: it is found out then", b.Region)
	}
	for name, value := range map[string]time.Duration{
		"connectiontimeout": b.Connecting, "sockettimeout": b.Answering, "connectionttl": b.Keeping,
	} {
		if value < 0 || value > time.Hour {
			return fault.Invalidf("%s is in milliseconds: want 0 to %d", name, time.Hour.Milliseconds())
		}
	}
	if b.Tries < 0 || b.Tries > 20 {
		return fault.Invalidf("maxerrorretry %d: want 0 to 20", b.Tries)
	}
	return nil
}

// AddBucket adds an image store that is a bucket, once it is known that it can be used. Of the store its name and zone count.
func (s *Service) AddBucket(ctx context.Context, st Store, b Bucket) (Store, error) {
	if err := b.check(); err != nil {
		return Store{}, err
	}
	st.ID, st.Provider, st.Protocol = uid.New[uid.ImageStore](), S3Provider, "http"
	if b.HTTPS {
		st.Protocol = "https"
	}
	st.URL = hypervisor.BucketScheme + strings.ToLower(b.Endpoint) + "/" + b.Name
	st.Name = cmp.Or(st.Name, st.URL)
	if s.Probe == nil {
		return Store{}, fault.Conflictf("there is nothing here that speaks with buckets")
	}
	if err := s.Probe(ctx, b); err != nil {
		if fault.Is(err, fault.Unavailable) { // it was asked for now
			err = fault.Conflictf("%v", err)
		}
		return Store{}, err
	}
	b.Store = st.ID
	keys, err := json.Marshal([]string{b.AccessKey.Reveal(), b.SecretKey.Reveal()}) // they are sealed at once
	if err != nil {
		return Store{}, err
	}
	return s.keep(ctx, st, &bucketRow{Bucket: b, Keys: s.Box.Seal(string(keys), keysContext(st.ID))})
}

// keysContext binds sealed keys to their column and store.
func keysContext(id uid.ImageStore) string { return "image_store_buckets.keys/" + string(id) }

// Bucket gives the bucket that a store is, with its keys.
func (s *Service) Bucket(ctx context.Context, id uid.ImageStore) (Bucket, error) {
	row, err := bucketOf(ctx, s.DB.Read(), id)
	if err != nil {
		return Bucket{}, err
	}
	text, err := s.Box.Open(row.Keys, keysContext(id))
	if err != nil {
		return Bucket{}, err
	}
	var keys [2]string
	if err := json.Unmarshal([]byte(text.Reveal()), &keys); err != nil {
		return Bucket{}, err
	}
	row.AccessKey, row.SecretKey = secret.New(keys[0]), secret.New(keys[1])
	return row.Bucket, nil
}

package pool

import (
	"net/url"
	"path"
	"strings"

	"github.com/virga-cloud/virga/internal/fault"
)

// The types of pools, by the scheme of their URL in lower case.
var types = map[string]string{"file": "Filesystem", "sharedmountpoint": "SharedMountPoint"}

const wanted = "file:///path for a directory, or SharedMountPoint://localhost/path for one that all hosts have mounted"

// locate reads a pool's URL. What is refused is told by its scheme only: the rest may hold a secret.
func (p *Pool) locate() error {
	scheme, rest, ok := strings.Cut(p.URL, "://")
	if !ok {
		return fault.Invalidf("url does not name storage: want %s", wanted)
	}
	if p.Type = types[strings.ToLower(scheme)]; p.Type == "" {
		return fault.Invalidf("storage of the kind %q is not supported: want %s", scheme, wanted)
	}
	u, err := url.Parse("file://" + rest)
	if err != nil || u.User != nil || u.RawQuery != "" || u.Fragment != "" || path.Clean("/"+u.Path) == "/" {
		return fault.Invalidf("the url names no directory: want %s", wanted)
	}
	p.Address, p.Path = u.Host, path.Clean(u.Path)
	if p.Address == "" {
		p.Address = "localhost"
	}
	if p.Type == "Filesystem" && p.Address != "localhost" {
		return fault.Invalidf("file://%s is on one machine only: want %s", p.Address, wanted)
	}
	p.URL = (&url.URL{Scheme: "file", Path: p.Path}).String()
	if p.Type == "SharedMountPoint" {
		p.URL = (&url.URL{Scheme: "sharedmountpoint", Host: p.Address, Path: p.Path}).String()
	}
	return nil
}

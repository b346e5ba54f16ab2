package vnet

import (
	"crypto/sha256"
	"encoding/base32"
	"strings"

	"github.com/vishvananda/netlink"

	"github.com/virga-cloud/virga/uid"
)

// The kinds of links that are ours.
const (
	aBridge = "vb" // a segment
	aTunnel = "vx" // a segment's way to other hosts
	aPort   = "vp" // a card's place in a segment
	aSlow   = "vi" // where what a card sends waits for its turn
	aRouter = "vr" // a router's place in a segment
	aPublic = "vu" // a router's place in the public network
	aWire   = "vw" // the far end of a segment's way to the bridge that carries it
)

// mine begins the alias of every link of ours.
const mine = "virga"

// Tag tells hosts apart that share a machine.
func Tag(host uid.Host) string { return digest(string(host), 8) }

// OutsideOf is what a host may call the public network that it makes for itself.
func OutsideOf(host uid.Host) string { return anOutside + digest(string(host)+"/outside", 13) }

// name is the name of a host's link of a kind for a thing. The kernel has room for 15 characters, and that is what it takes.
func (f *Fabric) name(kind, id string) string { return kind + digest(string(f.Host)+"/"+id, 13) }

// alias is what the link is for, in full: by it, it is found again.
func (f *Fabric) alias(kind, id string) string {
	return strings.Join([]string{mine, string(f.Host), kind, id}, " ")
}

// claimed gives what a link of this host is for, and whether it is one.
func (f *Fabric) claimed(l netlink.Link) (kind, id string, ok bool) {
	rest, ok := strings.CutPrefix(l.Attrs().Alias, mine+" "+string(f.Host)+" ")
	if !ok {
		return "", "", false
	}
	return cut(rest)
}

func cut(s string) (kind, id string, ok bool) { return strings.Cut(s, " ") }

func digest(s string, n int) string {
	sum := sha256.Sum256([]byte(s))
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(sum[:]))[:n]
}

// Address gives a MAC address for something of ours that needs one and must have the same again tomorrow.
func Address(words ...string) []byte {
	sum := sha256.Sum256([]byte(strings.Join(words, "/")))
	return append([]byte{0x02}, sum[:5]...) // locally administered, for one station
}

package router

import (
	"context"
	"time"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/uid"
)

// Bytes are how many went by an address of a router's, as long as there has been the router.
type Bytes struct {
	Network  uid.Network `bun:"network_id"` // of a guest's address; "" of a public one
	IP       string      `bun:"ip"`
	Sent     int64       // towards the outside
	Received int64

	SeenSent     int64 // what its host said last, since it last made the router
	SeenReceived int64
}

// add counts what a host says: what is more than it said last, or all of it where it has made the router anew.
func (b Bytes) add(said hypervisor.AddressCounts) Bytes {
	b.Sent += more(said.Sent, b.SeenSent)
	b.Received += more(said.Received, b.SeenReceived)
	b.SeenSent, b.SeenReceived = said.Sent, said.Received
	return b
}

func more(said, before int64) int64 {
	if said < before {
		return said
	}
	return said - before
}

// most is how many bytes a host can have counted by far: sums of what is more than that would overflow.
const most = 1 << 50

// count keeps what went by a router's addresses, unless something was counted there since its host was asked: then its answer may be older
// than what was counted, and look as if the router had been made anew. It tells which of both it was.
func count(ctx context.Context, tx db.Tx, was standing, said []hypervisor.AddressCounts) (bool, error) {
	id := was.ID
	known, err := bytesOf(ctx, tx, id)
	if err != nil {
		return false, err
	}
	type key struct {
		network uid.Network
		ip      string
	}
	had := map[key]Bytes{}
	for _, b := range known {
		had[key{b.Network, b.IP}] = b
	}
	var public Bytes // what is new
	var changed []Bytes
	for _, one := range said {
		if min(one.Sent, one.Received) < 0 || max(one.Sent, one.Received) > most { // no host is like that
			continue
		}
		b, ok := had[key{one.Network, one.IP}]
		if !ok {
			b = Bytes{Network: one.Network, IP: one.IP}
		}
		now := b.add(one)
		if now == b {
			continue
		}
		changed = append(changed, now)
		if one.Network == "" {
			public.Sent, public.Received = public.Sent+now.Sent-b.Sent, public.Received+now.Received-b.Received
		}
	}
	if len(changed) == 0 {
		return true, nil
	}
	if turn, err := takeTurn(ctx, tx, id, was.Counted); err != nil || !turn {
		return false, err
	}
	for _, b := range changed {
		if err := setBytes(ctx, tx, id, b); err != nil {
			return false, err
		}
	}
	if public.Sent+public.Received == 0 {
		return true, nil
	}
	return true, addBytes(ctx, tx, id, public)
}

// countLast keeps what went by the addresses of a router that is about to end. A host that can't tell keeps none from ending: what
// is lost then went by since it was asked the last time.
func (s *Service) countLast(ctx context.Context, driver hypervisor.Networker, r Router) {
	counter, ok := driver.(hypervisor.RouterCounter)
	if !ok {
		return
	}
	turn := false
	var err error
	for tries := 0; !turn && err == nil && tries < turns; tries++ {
		turn, err = s.countNow(ctx, counter, r)
	}
	if err != nil && !fault.Is(err, fault.Unavailable) && !fault.Is(err, fault.Conflict) {
		s.log.Warn("what went by a router since it was asked the last time is not counted", "router", r.Name, "error", err)
	}
}

// turns is how often a router that is about to end is asked while others are counting what went by it.
const turns = 5

// countNow asks for what went by a router's addresses, and tells whether that was counted.
func (s *Service) countNow(ctx context.Context, counter hypervisor.RouterCounter, r Router) (turn bool, err error) {
	was := standing{ID: r.ID}
	if was.Counted, err = countedOf(ctx, s.db.Read(), r.ID); err != nil {
		return false, err
	}
	within, cancel := context.WithTimeout(ctx, lastAnswer)
	said, err := counter.CountRouter(within, r.Host, r.ID)
	cancel()
	if err != nil || len(said) == 0 {
		return true, err
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx db.Tx) (err error) {
		turn, err = count(ctx, tx, was, said)
		return err
	})
	return turn, err
}

// lastAnswer is how long a host may take to say what went by a router that is about to end.
const lastAnswer = 5 * time.Second

// BytesOf gives how many bytes went by the addresses of a router, the public ones first.
func BytesOf(ctx context.Context, q db.Tx, id uid.Router) ([]Bytes, error) {
	return bytesOf(ctx, q, id)
}

// Traffic is how many bytes went by all public addresses of an account's routers, those that are no more too.
type Traffic struct {
	Account  uid.Account `bun:"account_id"`
	Sent     int64       // towards the outside
	Received int64
}

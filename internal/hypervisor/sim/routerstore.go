package sim

import (
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/uid"
)

// routed is a router's document as it is kept: changes of guests cost as much as there are, however many guests there are.
type routed struct {
	id       uid.Router
	version  int64
	since    int64
	document []byte // without its guests
	guests   []routedGuest
	gone     []uid.NIC
}

type routedGuest struct {
	network uid.Network
	nic     uid.NIC
	guest   []byte
}

// putRouter gives a router a document, unless it has had a newer one.
func (t *tx) putRouter(host uid.Host, r routed) error {
	var version int64
	if _, err := t.one([]any{&version}, "select version from routed where host = ? and id = ?", string(host), string(r.id)); err != nil {
		return err
	}
	switch {
	case version < r.since:
		return fault.Conflictf("router %s has version %d: what has changed since %d is not enough for it", r.id, version, r.since)
	case r.version <= version:
		return nil
	}
	_, err := t.exec(`insert into routed (id, host, version, document) values (?, ?, ?, ?)
		on conflict (host, id) do update set version = excluded.version, document = excluded.document`,
		string(r.id), string(host), r.version, r.document)
	if err == nil && r.since == 0 {
		err = t.dropGuests(host, r.id)
	}
	for i := 0; err == nil && i < len(r.gone); i++ {
		_, err = t.exec("delete from routed_guest where host = ? and router = ? and nic = ?", string(host), string(r.id), string(r.gone[i]))
	}
	for i := 0; err == nil && i < len(r.guests); i++ {
		_, err = t.exec(`insert into routed_guest (router, host, network, nic, guest) values (?, ?, ?, ?, ?)
			on conflict (host, router, network, nic) do update set guest = excluded.guest`,
			string(r.id), string(host), string(r.guests[i].network), string(r.guests[i].nic), r.guests[i].guest)
	}
	return err
}

func (t *tx) dropGuests(host uid.Host, id uid.Router) error {
	_, err := t.exec("delete from routed_guest where host = ? and router = ?", string(host), string(id))
	return err
}

func (t *tx) dropRouter(host uid.Host, id uid.Router) error {
	if err := t.dropGuests(host, id); err != nil {
		return err
	}
	_, err := t.exec("delete from routed where host = ? and id = ?", string(host), string(id))
	return err
}

// dropRouters removes all routers of a host.
func (t *tx) dropRouters(host uid.Host) error {
	if _, err := t.exec("delete from routed_guest where host = ?", string(host)); err != nil {
		return err
	}
	_, err := t.exec("delete from routed where host = ?", string(host))
	return err
}

func (p *prepared) router(host uid.Host, id uid.Router) (document []byte, found bool, err error) {
	found, err = p.one([]any{&document}, "select document from routed where host = ? and id = ?", string(host), string(id))
	return document, found, err
}

// guestsOf gives the guests in a router's document.
func (p *prepared) guestsOf(host uid.Host, id uid.Router) (guests []routedGuest, err error) {
	err = p.each(func(scan func(...any) error) error {
		var g routedGuest
		err := scan(&g.network, &g.nic, &g.guest)
		guests = append(guests, g)
		return err
	}, "select network, nic, guest from routed_guest where host = ? and router = ?", string(host), string(id))
	return guests, err
}

// routersOn gives the documents of a host's routers, without their guests.
func (p *prepared) routersOn(host uid.Host) (documents [][]byte, err error) {
	err = p.each(func(scan func(...any) error) error {
		var d []byte
		err := scan(&d)
		documents = append(documents, d)
		return err
	}, "select document from routed where host = ? order by id", string(host))
	return documents, err
}

func (p *prepared) hasRouter(host uid.Host, id uid.Router) (bool, error) {
	var version int64
	return p.one([]any{&version}, "select version from routed where host = ? and id = ?", string(host), string(id))
}

func (p *prepared) allRouters() (map[uid.Router]map[uid.Host]Routed, error) {
	all := map[uid.Router]map[uid.Host]Routed{}
	err := p.each(func(scan func(...any) error) error {
		var id uid.Router
		var host uid.Host
		one := Routed{Guests: map[uid.NIC]string{}}
		if err := scan(&id, &host, &one.Version); err != nil {
			return err
		}
		if all[id] == nil {
			all[id] = map[uid.Host]Routed{}
		}
		all[id][host] = one
		return nil
	}, "select id, host, version from routed")
	if err != nil {
		return nil, err
	}
	return all, p.each(func(scan func(...any) error) error {
		var id uid.Router
		var host uid.Host
		var nic uid.NIC
		var told string
		if err := scan(&id, &host, &nic, &told); err != nil {
			return err
		}
		all[id][host].Guests[nic] = told
		return nil
	}, `select router, host, nic, json_extract(cast(guest as text), '$.IP') || ' ' || json_extract(cast(guest as text), '$.Name')
		from routed_guest`)
}

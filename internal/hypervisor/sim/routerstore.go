package sim

import "github.com/virga-cloud/virga/uid"

// putRouter gives a router a document, unless it has had a newer one.
func (t *tx) putRouter(host uid.Host, id uid.Router, version int64, document []byte) error {
	_, err := t.exec(`insert into router (id, host, version, document) values (?, ?, ?, ?)
		on conflict (host, id) do update set version = excluded.version, document = excluded.document where excluded.version > version`,
		string(id), string(host), version, document)
	return err
}

func (t *tx) dropRouter(host uid.Host, id uid.Router) error {
	_, err := t.exec("delete from router where host = ? and id = ?", string(host), string(id))
	return err
}

// dropRouters removes all routers of a host.
func (t *tx) dropRouters(host uid.Host) error {
	_, err := t.exec("delete from router where host = ?", string(host))
	return err
}

func (p *prepared) router(host uid.Host, id uid.Router) (document []byte, found bool, err error) {
	found, err = p.one([]any{&document}, "select document from router where host = ? and id = ?", string(host), string(id))
	return document, found, err
}

func (p *prepared) routersOn(host uid.Host) (documents [][]byte, err error) {
	err = p.each(func(scan func(...any) error) error {
		var d []byte
		err := scan(&d)
		documents = append(documents, d)
		return err
	}, "select document from router where host = ? order by id", string(host))
	return documents, err
}

func (p *prepared) allRouters() (map[uid.Router]map[uid.Host]int64, error) {
	all := map[uid.Router]map[uid.Host]int64{}
	err := p.each(func(scan func(...any) error) error {
		var id uid.Router
		var host uid.Host
		var version int64
		if err := scan(&id, &host, &version); err != nil {
			return err
		}
		if all[id] == nil {
			all[id] = map[uid.Host]int64{}
		}
		all[id][host] = version
		return nil
	}, "select id, host, version from router")
	return all, err
}

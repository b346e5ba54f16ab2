package sim

import "github.com/virga-cloud/virga/uid"

// putGuards gives a host the rules of its cards, unless it has had newer ones.
func (t *tx) putGuards(host uid.Host, version int64, document []byte) error {
	_, err := t.exec(`insert into guards (host, version, document) values (?, ?, ?)
		on conflict (host) do update set version = excluded.version, document = excluded.document where excluded.version > version`,
		string(host), version, document)
	return err
}

func (t *tx) dropGuards(host uid.Host) error {
	_, err := t.exec("delete from guards where host = ?", string(host))
	return err
}

func (p *prepared) guards(host uid.Host) (document []byte, found bool, err error) {
	found, err = p.one([]any{&document}, "select document from guards where host = ?", string(host))
	return document, found, err
}

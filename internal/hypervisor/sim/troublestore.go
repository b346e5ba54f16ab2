package sim

import (
	"github.com/virga-cloud/virga/uid"
)

// allTroubles gives those of hosts that have any; there are few.
func (p *prepared) allTroubles() (map[uid.Host]trouble, error) {
	all := map[uid.Host]trouble{}
	err := p.each(func(scan func(...any) error) error {
		var id uid.Host
		var one trouble
		err := scan(&id, &one.silent, &one.sign, &one.lapse)
		all[id] = one
		return err
	}, "select id, silent, sign, lapse from host where silent or sign > 0")
	return all, err
}

func (t *tx) setTrouble(host uid.Host, to trouble) error {
	_, err := t.exec("update host set silent = ?, sign = ?, lapse = ? where id = ?", to.silent, to.sign, to.lapse, string(host))
	return err
}

// endLeased ends the machines of a host that are leased. It still has them, not running.
func (t *tx) endLeased(host uid.Host) error {
	_, err := t.exec("update guest set running = 0 where host = ? and running and json_extract(cast(machine as text), '$.Leased')", string(host))
	return err
}

// powerOff ends all machines of a host. When it comes back it knows nothing of them; its routers it makes again by itself.
func (t *tx) powerOff(host uid.Host) error {
	for _, query := range []string{
		"update disk set vm = '' where vm in (select vm from guest where host = ?)", "delete from guest where host = ?",
		"delete from arrival where host = ?",
	} {
		if _, err := t.exec(query, string(host)); err != nil {
			return err
		}
	}
	return nil
}

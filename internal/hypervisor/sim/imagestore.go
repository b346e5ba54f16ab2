package sim

import (
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/uid"
)

// addImage tells whether there was none yet.
func (t *tx) addImage(i hypervisor.Image) (bool, error) {
	n, err := t.exec("insert into image (template, store, url) values (?, ?, ?) on conflict do nothing",
		string(i.Template), string(i.Store), i.URL)
	return n > 0, err
}

func (t *tx) dropImage(i hypervisor.ImageRef) error {
	if _, err := t.exec("delete from image where template = ? and store = ?", string(i.Template), string(i.Store)); err != nil {
		return err
	}
	return t.forgetSent(string(i.Template), i.Store)
}

func (p *prepared) imageURL(i hypervisor.ImageRef) (url string, err error) {
	_, err = p.one([]any{&url}, "select url from image where template = ? and store = ?", string(i.Template), string(i.Store))
	return url, err
}

func (p *prepared) allImages() (images []hypervisor.ImageRef, err error) {
	err = p.each(func(scan func(...any) error) error {
		var i hypervisor.ImageRef
		err := scan(&i.Template, &i.Store)
		images = append(images, i)
		return err
	}, "select template, store from image order by template, store")
	return images, err
}

func (p *prepared) allSnapshots() (snapshots []hypervisor.SnapshotRef, err error) {
	err = p.each(func(scan func(...any) error) error {
		var s hypervisor.SnapshotRef
		err := scan(&s.Snapshot, &s.Store)
		snapshots = append(snapshots, s)
		return err
	}, "select snapshot, store from snapshot order by snapshot, store")
	return snapshots, err
}

func (p *prepared) allCheckpoints() (map[uid.VMSnapshot]uid.VM, error) {
	kept := map[uid.VMSnapshot]uid.VM{}
	err := p.each(func(scan func(...any) error) error {
		var id uid.VMSnapshot
		var vm uid.VM
		err := scan(&id, &vm)
		kept[id] = vm
		return err
	}, "select id, vm from checkpoint")
	return kept, err
}

package sim

import (
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/uid"
)

// diskState is what there is of a disk.
type diskState struct {
	found    bool
	bytes    int64
	template uid.Template
	vm       uid.VM // the last machine that had it, if it was not stopped since
	inUse    bool   // and runs
}

func (p *prepared) disk(d hypervisor.DiskRef) (s diskState, err error) {
	s.found, err = p.one([]any{&s.bytes, &s.template, &s.vm, &s.inUse},
		`select bytes, template, vm, exists (select 1 from guest where guest.vm = disk.vm and running)
		from disk where volume = ? and pool = ?`, string(d.Volume), string(d.Pool))
	return s, err
}

// addDisk tells whether there was none yet.
func (t *tx) addDisk(d hypervisor.Disk) (bool, error) {
	n, err := t.exec(`insert into disk (volume, pool, url, bytes, template, template_bytes) values (?, ?, ?, ?, ?, ?)
		on conflict do nothing`,
		string(d.Volume), string(d.Pool), d.PoolURL, d.Bytes, string(d.Template), d.TemplateBytes)
	return n > 0, err
}

func (t *tx) dropDisk(d hypervisor.DiskRef) error {
	_, err := t.exec("delete from disk where volume = ? and pool = ?", string(d.Volume), string(d.Pool))
	return err
}

// attachDisk tells whether the disk is there and no other machine runs with it.
func (t *tx) attachDisk(d hypervisor.DiskRef, vm uid.VM) (bool, error) {
	n, err := t.exec(`update disk set vm = ?1 where volume = ?2 and pool = ?3
		and (vm in ('', ?1) or not exists (select 1 from guest where guest.vm = disk.vm and running))`,
		string(vm), string(d.Volume), string(d.Pool))
	return n > 0, err
}

func (t *tx) detachDisk(d hypervisor.DiskRef, vm uid.VM) error {
	_, err := t.exec("update disk set vm = '' where volume = ? and pool = ? and vm = ?", string(d.Volume), string(d.Pool), string(vm))
	return err
}

func (t *tx) detachDisks(vm uid.VM) error {
	_, err := t.exec("update disk set vm = '' where vm = ? and vm <> ''", string(vm))
	return err
}

func (p *prepared) allDisks() (disks []hypervisor.Disk, err error) {
	err = p.each(func(scan func(...any) error) error {
		var d hypervisor.Disk
		err := scan(&d.Volume, &d.Pool, &d.PoolURL, &d.Bytes, &d.Template, &d.TemplateBytes)
		disks = append(disks, d)
		return err
	}, "select volume, pool, url, bytes, template, template_bytes from disk order by volume, pool")
	return disks, err
}

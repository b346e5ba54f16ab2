package remote_test

import (
	"context"
	"errors"

	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/uid"
)

// sulky is a driver that refuses.
type sulky struct{ hypervisor.Driver }

func (*sulky) Start(_ context.Context, _ uid.Host, m hypervisor.Machine) error {
	return fault.Fullf("no room for %q", m.Password.Reveal()).WithDetail("in detail")
}

func (*sulky) Probe(context.Context, uid.Host) (hypervisor.Report, error) {
	return hypervisor.Report{}, errors.New("an accident")
}

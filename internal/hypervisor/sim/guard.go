package sim

import (
	"context"
	"encoding/json"

	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/uid"
)

// ApplyGuards implements [hypervisor.Guarder]. A simulated host's rules are their document.
func (w *World) ApplyGuards(ctx context.Context, host uid.Host, g hypervisor.Guards) error {
	document, err := json.Marshal(g)
	if err != nil {
		return err
	}
	return w.do(ctx, host, hypervisor.CommandApplyGuards, func(t *tx) error { return t.putGuards(host, g.Version, document) })
}

// Guards is the document that a host was given last, a zero one where it has had none.
func (w *World) Guards(_ context.Context, host uid.Host) (g hypervisor.Guards, err error) {
	document, found, err := w.store.read.guards(host)
	if err != nil || !found {
		return g, err
	}
	return g, json.Unmarshal(document, &g)
}

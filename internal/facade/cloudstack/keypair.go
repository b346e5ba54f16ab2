package cloudstack

import (
	"context"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/look"
	"github.com/virga-cloud/virga/internal/keypair"
	"github.com/virga-cloud/virga/uid"
)

func (f *Facade) registerKeyPairs(m *api.Mux) {
	showPair := look.Show(f.DB.Read, keypair.ByID, f.keyPairsOut)
	api.HandleCreate(m, cs.RegisterSSHKeyPair, f.registerKeyPair, showPair)
	api.HandleCreateSecret(m, cs.CreateSSHKeyPair, f.createKeyPair, showPair)
	api.HandleList(m, cs.ListSSHKeyPairs, f.listKeyPairs)
	api.HandleCall(m, cs.DeleteSSHKeyPair, f.deleteKeyPair)
}

func (f *Facade) registerKeyPair(ctx context.Context, in cs.RegisterSSHKeyPairIn) (uid.SSHKeyPair, error) {
	owner := account.For{Account: in.Account, Domain: in.DomainID, Project: in.ProjectID}
	p, err := f.KeyPairs.Register(ctx, keypair.In{Name: in.Name, Owner: owner}, in.PublicKey)
	return p.ID, err
}

func (f *Facade) createKeyPair(ctx context.Context, in cs.CreateSSHKeyPairIn) (none cs.SSHKeyPair, err error) {
	owner := account.For{Account: in.Account, Domain: in.DomainID, Project: in.ProjectID}
	p, private, err := f.KeyPairs.Create(ctx, keypair.In{Name: in.Name, Owner: owner})
	if err != nil {
		return none, err
	}
	shown, err := f.keyPairsOut(ctx, []keypair.Pair{p})
	if err != nil {
		return none, err
	}
	shown[0].PrivateKey = private.Reveal()
	return shown[0], nil
}

func (f *Facade) listKeyPairs(ctx context.Context, in cs.ListSSHKeyPairsIn) (none api.Page[cs.SSHKeyPair], err error) {
	scope, err := f.Owned.ScopeIn(ctx, in.Scope, in.ID != "", in.InProject)
	if err != nil {
		return none, err
	}
	filter := keypair.Filter{Scope: scope, ID: in.ID, Name: in.Name, Fingerprint: in.Fingerprint, Keyword: in.Keyword}
	filter.Offset, filter.Limit = look.Window(in.Paging)
	pairs, total, err := f.KeyPairs.List(ctx, filter)
	if err != nil {
		return none, err
	}
	items, err := f.keyPairsOut(ctx, pairs)
	return api.Page[cs.SSHKeyPair]{Count: total, Items: items}, err
}

func (f *Facade) deleteKeyPair(ctx context.Context, in cs.DeleteSSHKeyPairIn) (api.Success, error) {
	err := f.KeyPairs.Delete(ctx, keypair.In{Name: in.Name, Owner: account.For{Account: in.Account, Domain: in.DomainID, Project: in.ProjectID}})
	return api.Success{Success: err == nil}, err
}

func (f *Facade) keyPairsOut(ctx context.Context, pairs []keypair.Pair) ([]cs.SSHKeyPair, error) {
	out := make([]cs.SSHKeyPair, len(pairs))
	for i, p := range pairs {
		out[i] = cs.SSHKeyPair{ID: p.ID, Name: p.Name, Fingerprint: p.Fingerprint}
	}
	return out, f.Owned.Owners(ctx, len(out), func(i int) (uid.Account, *cs.Owner) { return pairs[i].Account, &out[i].Owner })
}

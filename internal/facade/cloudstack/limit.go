package cloudstack

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/look"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/owned"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/limit"
	"github.com/virga-cloud/virga/internal/quota"
	"github.com/virga-cloud/virga/uid"
)

func (f *Facade) registerLimits(m *api.Mux) {
	api.HandleList(m, cs.ListResourceLimits, f.listResourceLimits)
	api.HandleCall(m, cs.UpdateResourceLimit, f.updateResourceLimit)
	api.HandleList(m, cs.UpdateResourceCount, f.updateResourceCount)
}

// listResourceLimits shows a page of limits: each holder has one of every kind that is asked for.
func (f *Facade) listResourceLimits(ctx context.Context, in cs.ListResourceLimitsIn) (none api.Page[cs.ResourceLimit], err error) {
	kinds, err := kindsOf(in.Type, in.TypeName)
	if err != nil {
		return none, err
	}
	kinds = slices.DeleteFunc(kinds, func(k limit.Kind) bool { return !strings.Contains(k.Word(), strings.ToLower(in.Keyword)) })
	project, each, err := owned.Project(in.InProject)
	if err != nil || in.ID != nil || len(kinds) == 0 {
		return none, err
	}
	offset, limit := look.Window(in.Paging)
	first, n := offset/len(kinds), 0
	if limit > 0 {
		n = (offset+limit+len(kinds)-1)/len(kinds) - first
	}
	holders, total, err := quota.Holders(ctx, f.DB.Read(), f.Accounts, quota.HoldersIn{
		Account: in.Account, Domain: in.DomainID, Project: project, EachProject: each, Recursive: in.Recursive, All: in.ListAll,
		Offset: first, Limit: n,
	})
	if err != nil {
		return none, err
	}
	if total == 1 && first > 0 { // the one holder is given whatever page is asked for
		return api.Page[cs.ResourceLimit]{Count: len(kinds)}, nil
	}
	out, err := f.limitsOut(ctx, holders, kinds)
	out = out[min(offset-first*len(kinds), len(out)):]
	if limit > 0 {
		out = out[:min(limit, len(out))]
	}
	return api.Page[cs.ResourceLimit]{Count: total * len(kinds), Items: out}, err
}

func (f *Facade) limitsOut(ctx context.Context, holders []quota.Holder, kinds []limit.Kind) ([]cs.ResourceLimit, error) {
	counts, err := quota.CountsOf(ctx, f.DB.Read(), holders)
	if err != nil {
		return nil, err
	}
	var out []cs.ResourceLimit
	for i := range holders {
		for _, k := range kinds {
			out = append(out, cs.ResourceLimit{Type: strconv.Itoa(k.Number()), TypeName: k.Word(), Max: counts[i][k].Maximum})
		}
	}
	return out, f.Owned.OwnersOrDomains(ctx, len(out), func(i int) (uid.Account, uid.Domain, *cs.Owner) {
		h := holders[i/len(kinds)]
		return h.Account, h.Domain, &out[i].Owner
	})
}

func (f *Facade) updateResourceLimit(ctx context.Context, in cs.UpdateResourceLimitIn) (none cs.ResourceLimit, err error) {
	kinds, err := kindsOf(in.Type, "")
	if err != nil {
		return none, err
	}
	most := int64(limit.Unlimited)
	if in.Max != nil {
		most = *in.Max
	}
	h, err := quota.SetLimit(ctx, f.DB, f.Accounts, quota.LimitIn{
		Of: account.For{Account: in.Account, Domain: in.DomainID, Project: in.ProjectID}, Kind: kinds[0], Most: most,
	})
	if err != nil {
		return none, err
	}
	out, err := f.limitsOut(ctx, []quota.Holder{h}, kinds)
	if err != nil {
		return none, err
	}
	return out[0], nil
}

func (f *Facade) updateResourceCount(ctx context.Context, in cs.UpdateResourceCountIn) (none api.Page[cs.ResourceCount], err error) {
	kinds, err := kindsOf(in.Type, "")
	if err != nil {
		return none, err
	}
	h, err := quota.HolderOf(ctx, f.DB.Read(), account.For{Account: in.Account, Domain: in.DomainID, Project: in.ProjectID})
	if err != nil {
		return none, err
	}
	counts, err := quota.Recount(ctx, f.DB, h, kinds...)
	if err != nil {
		return none, err
	}
	page := look.Page(kinds, len(kinds), func(k limit.Kind) cs.ResourceCount {
		return cs.ResourceCount{Type: strconv.Itoa(k.Number()), TypeName: k.Word(), Count: counts[k].Used}
	})
	return page, f.Owned.OwnersOrDomains(ctx, len(page.Items), func(i int) (uid.Account, uid.Domain, *cs.Owner) {
		return h.Account, h.Domain, &page.Items[i].Owner
	})
}

// kindsOf gives the kinds of a type's number or name, which agree if both are given; all of them for neither.
func kindsOf(number *int, word string) ([]limit.Kind, error) {
	kinds, words := limit.Kinds(), []string{}
	for _, k := range kinds {
		words = append(words, k.Word())
	}
	if number != nil {
		if *number < 0 || *number >= len(kinds) {
			return nil, fault.Invalidf("resourcetype %d is none: want a number from 0 to %d", *number, len(kinds)-1)
		}
		kinds = slices.DeleteFunc(kinds, func(k limit.Kind) bool { return k.Number() != *number })
	}
	if word != "" {
		if !slices.Contains(words, word) {
			return nil, fault.Invalidf("resourcetypename %q is none: want one of %s", word, strings.Join(words, ", "))
		}
		kinds = slices.DeleteFunc(kinds, func(k limit.Kind) bool { return k.Word() != word })
	}
	return kinds, nil
}

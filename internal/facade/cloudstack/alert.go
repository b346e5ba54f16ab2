package cloudstack

import (
	"context"
	"strconv"
	"strings"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/alert"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/look"
	"github.com/virga-cloud/virga/internal/fault"
)

func (f *Facade) registerAlerts(m *api.Mux) {
	api.HandleList(m, cs.ListAlerts, f.listAlerts)
}

func (f *Facade) listAlerts(ctx context.Context, in cs.ListAlertsIn) (api.Page[cs.Alert], error) {
	filter := alert.Filter{ID: in.ID, Keyword: in.Keyword}
	if in.Name != "" || in.Type != "" {
		number, err := strconv.Atoi(in.Type)
		if in.Type != "" && err != nil {
			return api.Page[cs.Alert]{}, fault.Invalidf("type %q is not the number of a type of alerts, 7 for instance", in.Type)
		}
		filter.Types = alert.TypesOf(func(t alert.Type) bool {
			return (in.Type == "" || int(t) == number) && (in.Name == "" || strings.EqualFold(t.Name(), in.Name))
		})
		if len(filter.Types) == 0 {
			return api.Page[cs.Alert]{}, nil
		}
	}
	filter.Offset, filter.Limit = look.Window(in.Paging)
	alerts, total, err := alert.List(ctx, f.DB.Read(), filter)
	return look.Page(alerts, total, func(a alert.Alert) cs.Alert {
		return cs.Alert{
			ID: a.ID, Type: int(a.Type), Name: a.Type.Name(), Description: a.Description, Sent: api.At(a.Raised), Resolved: api.At(a.Resolved),
		}
	}), err
}

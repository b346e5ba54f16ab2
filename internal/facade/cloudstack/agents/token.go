package agents

import (
	"context"

	"github.com/virga-cloud/virga/api"
	wire "github.com/virga-cloud/virga/api/agent"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/agent"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/look"
	"github.com/virga-cloud/virga/internal/zone"
	"github.com/virga-cloud/virga/uid"
)

// Translator translates for the service that keeps agents.
type Translator struct {
	DB     *db.DB
	Agents *agent.Service
	Dial   string // where agents are told to dial in, "host:port" with commas between; "" where this server takes none
}

// Register gives the commands their handlers.
func (t Translator) Register(m *api.Mux) {
	api.HandleCreateSecret(m, cs.CreateAgentToken, t.create, look.Show(t.DB.Read, agent.TokensByID, t.out))
	api.HandleList(m, cs.ListAgentTokens, t.list)
	api.HandleCall(m, cs.DeleteAgentToken, func(ctx context.Context, in cs.DeleteAgentTokenIn) (api.Success, error) {
		err := t.Agents.DeleteToken(ctx, in.ID)
		return api.Success{Success: err == nil}, err
	})
}

func (t Translator) create(ctx context.Context, in cs.CreateAgentTokenIn) (none cs.AgentToken, err error) {
	invite := agent.InviteIn{Place: agent.Place{Zone: in.ZoneID, Pod: in.PodID, Cluster: in.ClusterID}, Tags: in.HostTags}
	if in.Validity != nil {
		invite.Lasts, invite.Lasted = agent.Seconds(*in.Validity), true
	}
	authority, err := t.Agents.Authority(ctx)
	if err != nil {
		return none, err
	}
	made, secret, err := t.Agents.Invite(ctx, invite)
	if err != nil {
		return none, err
	}
	shown, err := t.out(ctx, []agent.Token{made})
	if err != nil {
		return none, err
	}
	out := shown[0]
	out.Token = wire.Token{ID: made.ID, Secret: secret.Reveal(), CA: wire.Fingerprint(authority.DER())}.Text()
	if t.Dial != "" {
		out.Command = "virga agent --server " + t.Dial + " --data /var/lib/virga --token " + out.Token
	}
	return out, nil
}

func (t Translator) list(ctx context.Context, in cs.ListAgentTokensIn) (none api.Page[cs.AgentToken], err error) {
	filter := agent.Filter{ID: in.ID, Zone: in.ZoneID, Cluster: in.ClusterID, State: agent.State(in.State), Keyword: in.Keyword}
	filter.Offset, filter.Limit = look.Window(in.Paging)
	tokens, total, err := t.Agents.Tokens(ctx, filter)
	if err != nil {
		return none, err
	}
	items, err := t.out(ctx, tokens)
	return api.Page[cs.AgentToken]{Count: total, Items: items}, err
}

func (t Translator) out(ctx context.Context, tokens []agent.Token) ([]cs.AgentToken, error) {
	l, n := look.In(t.DB.Read()), len(tokens)
	zones := look.Related(ctx, l, n, func(i int) uid.Zone { return tokens[i].Zone }, zone.Names)
	pods := look.Related(ctx, l, n, func(i int) uid.Pod { return tokens[i].Pod }, zone.PodNames)
	clusters := look.Related(ctx, l, n, func(i int) uid.Cluster { return tokens[i].Cluster }, zone.ClustersByID)
	users := look.Related(ctx, l, n, func(i int) uid.AgentToken { return tokens[i].ID }, agent.AgentsWith)
	now, out := t.DB.Now(), make([]cs.AgentToken, n)
	for i, k := range tokens {
		user := users[k.ID]
		out[i] = cs.AgentToken{
			ID: k.ID, State: string(k.State(now)), ZoneID: k.Zone, ZoneName: zones[k.Zone], PodID: k.Pod, PodName: pods[k.Pod],
			ClusterID: k.Cluster, ClusterName: clusters[k.Cluster].Name, HostTags: k.Tags, HostID: user.Host, HostName: user.Name,
			Created: api.At(k.Created), Expires: api.At(k.Expires), Used: api.At(k.Used),
		}
	}
	return out, l.Err
}

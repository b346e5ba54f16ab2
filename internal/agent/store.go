package agent

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/uid"
)

type tokenRow struct {
	bun.BaseModel `bun:"table:agent_tokens,alias:t"`
	Token
}

type agentRow struct {
	bun.BaseModel `bun:"table:agents,alias:a"`
	Agent
}

func insertToken(ctx context.Context, tx db.Tx, t Token) error {
	_, err := tx.NewInsert().Model(&tokenRow{Token: t}).Exec(ctx)
	return err
}

// findToken gives a token, the zero one where it is not there.
func findToken(ctx context.Context, q db.Tx, id uid.AgentToken) (Token, error) {
	var row tokenRow
	err := q.NewSelect().Model(&row).Where("t.id = ?", id).Scan(ctx)
	if db.IsNone(err) {
		return Token{}, nil
	}
	return row.Token, err
}

// lockToken gives a token, to change it.
func lockToken(ctx context.Context, tx db.Tx, id uid.AgentToken) (Token, error) {
	var row tokenRow
	err := tx.Lock(tx.NewSelect().Model(&row).Where("t.id = ?", id)).Scan(ctx)
	if db.IsNone(err) {
		return Token{}, fault.Missing(id)
	}
	return row.Token, err
}

func useToken(ctx context.Context, tx db.Tx, id uid.AgentToken) error {
	_, err := tx.NewRaw("update agent_tokens set used = ? where id = ?", tx.Now, id).Exec(ctx)
	return err
}

func dropToken(ctx context.Context, tx db.Tx, id uid.AgentToken) error {
	_, err := tx.NewRaw("delete from agent_tokens where id = ?", id).Exec(ctx)
	return err
}

func dropTokens(ctx context.Context, tx db.Tx, before time.Time) error {
	_, err := tx.NewRaw("delete from agent_tokens where expires < ?", before).Exec(ctx)
	return err
}

// dropWaiting removes the agent that came with a token and is no host.
func dropWaiting(ctx context.Context, tx db.Tx, id uid.AgentToken) error {
	_, err := tx.NewRaw("delete from agents where token_id = ? and not exists (select 1 from hosts h where h.id = agents.host_id)", id).Exec(ctx)
	return err
}

// TokensByID gives tokens by their ids, in one query.
func TokensByID(ctx context.Context, q db.Tx, ids []uid.AgentToken) (map[uid.AgentToken]Token, error) {
	out := map[uid.AgentToken]Token{}
	if len(ids) == 0 {
		return out, nil
	}
	var rows []tokenRow
	err := q.NewSelect().Model(&rows).Where("t.id in (?)", bun.List(ids)).Scan(ctx)
	for _, r := range rows {
		out[r.ID] = r.Token
	}
	return out, err
}

// Tokens gives a page of tokens, the oldest first, and how many there are in all.
func (s *Service) Tokens(ctx context.Context, f Filter) ([]Token, int, error) {
	var rows []tokenRow
	q := s.db.Read().NewSelect().Model(&rows).Order("t.id")
	db.Equal(q, "t.id", f.ID)
	db.Equal(q, "t.zone_id", f.Zone)
	db.Equal(q, "t.cluster_id", f.Cluster)
	db.Like(q, f.Keyword, "t.tags")
	switch f.State {
	case Valid:
		q.Where("t.used is null and t.expires > ?", s.db.Now())
	case Used:
		q.Where("t.used is not null")
	case Expired:
		q.Where("t.used is null and t.expires <= ?", s.db.Now())
	}
	n, err := db.PageByID(ctx, q, f.Offset, f.Limit)
	out := make([]Token, len(rows))
	for i, r := range rows {
		out[i] = r.Token
	}
	return out, n, err
}

// AgentsWith gives the agents that came with some tokens, by these, in one query.
func AgentsWith(ctx context.Context, q db.Tx, tokens []uid.AgentToken) (map[uid.AgentToken]Agent, error) {
	out := map[uid.AgentToken]Agent{}
	if len(tokens) == 0 {
		return out, nil
	}
	var rows []agentRow
	err := q.NewSelect().Model(&rows).Where("a.token_id in (?)", bun.List(tokens)).Scan(ctx)
	for _, r := range rows {
		out[r.Token] = r.Agent
	}
	return out, err
}

func insertAgent(ctx context.Context, tx db.Tx, a Agent) error {
	_, err := tx.NewInsert().Model(&agentRow{Agent: a}).Exec(ctx)
	return err
}

func setAddress(ctx context.Context, tx db.Tx, id uid.Host, address string) error {
	_, err := tx.NewRaw("update agents set address = ? where host_id = ?", address, id).Exec(ctx)
	return err
}

// byKey gives the agent with a key, the zero one where there is none, and whether its host was deleted.
func byKey(ctx context.Context, q db.Tx, key string) (Agent, bool, error) {
	return one(ctx, q, func(sel *bun.SelectQuery) { sel.Where("a.public_key = ?", key) })
}

// byHost gives the same for a host's agent.
func byHost(ctx context.Context, q db.Tx, id uid.Host) (Agent, bool, error) {
	return one(ctx, q, func(sel *bun.SelectQuery) { sel.Where("a.host_id = ?", id) })
}

type knownRow struct {
	bun.BaseModel `bun:"table:agents,alias:a"`
	Agent
	Deleted bool `bun:",scanonly"`
}

func one(ctx context.Context, q db.Tx, which func(*bun.SelectQuery)) (Agent, bool, error) {
	var row knownRow
	sel := q.NewSelect().Model(&row).ColumnExpr("a.*, exists (select 1 from hosts h where h.id = a.host_id and h.removed is not null) as deleted")
	which(sel)
	err := sel.Scan(ctx)
	if db.IsNone(err) {
		return Agent{}, false, nil
	}
	return row.Agent, row.Deleted, err
}

// goodOf gives those of some hosts that an agent may speak for.
func goodOf(ctx context.Context, q db.Tx, hosts []uid.Host) (map[uid.Host]bool, error) {
	var ids []uid.Host
	err := q.NewSelect().Model((*agentRow)(nil)).Column("host_id").Where("a.host_id in (?)", bun.List(hosts)).
		Where("not exists (select 1 from hosts h where h.id = a.host_id and h.removed is not null)").Scan(ctx, &ids)
	out := map[uid.Host]bool{}
	for _, id := range ids {
		out[id] = true
	}
	return out, err
}

// waitingCalled gives the agents of a name that are no host yet.
func waitingCalled(ctx context.Context, q db.Tx, name string) ([]Agent, error) {
	var rows []agentRow
	err := q.NewSelect().Model(&rows).Where("a.name = ? and not exists (select 1 from hosts h where h.id = a.host_id)", name).
		Order("a.host_id").Scan(ctx)
	out := make([]Agent, len(rows))
	for i, r := range rows {
		out[i] = r.Agent
	}
	return out, err
}

type authorityRow struct {
	bun.BaseModel `bun:"table:agent_authority"`
	ID            int64 `bun:",pk"`
	Certificate   string
	PrivateKey    string
	Created       time.Time
}

// findAuthority gives who signs, nil where there is none yet.
func findAuthority(ctx context.Context, q db.Tx) (*authorityRow, error) {
	row := new(authorityRow)
	err := q.NewSelect().Model(row).Where("id = 1").Scan(ctx)
	if db.IsNone(err) {
		return nil, nil //nolint:nilnil // there may be none
	}
	return row, err
}

// putAuthority keeps who signs, unless another server was faster.
func putAuthority(ctx context.Context, tx db.Tx, row authorityRow) error {
	_, err := tx.NewInsert().Model(&row).On("conflict (id) do nothing").Exec(ctx)
	return err
}

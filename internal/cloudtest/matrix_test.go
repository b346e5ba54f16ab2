package cloudtest_test

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/cloudtest"
	"github.com/virga-cloud/virga/internal/db/dbtest"
	"github.com/virga-cloud/virga/uid"
)

// Nobody sees, uses, changes or infers anything of another tenant: every command is called by everybody, in every way of signing in, with the
// id of a thing of every tenant in each parameter that takes one. What each may is said by the contract's roles and by [relationTo],
// which know nothing of the code:
//
//   - a thing that is not there for the caller is answered as an id that was never given, to the letter, and nothing changes;
//   - a thing that the caller sees, but that is not its own, is not changed;
//   - the caller's own thing is answered otherwise than an id that was never given, or [unshown] says why not;
//   - who has not signed in, or no more, is told that and nothing else;
//   - no answer holds an id or a name of what is not there for the caller;
//   - no refusal keeps a connection to the database;
//   - who was known and wanted to change something stands in the audit log, and what was changed has its event.
//
// A command, a parameter or a tenant without an example fails the test.
func TestMatrix(t *testing.T) {
	t.Parallel()
	begun := time.Now()
	w := newMatrixWorld(t, cloudtest.New(t, dbtest.SQLite(t), cloudtest.Options{Basic: true, Quiet: true}))
	w.complete(t)
	t.Logf("set up after %v", time.Since(begun))
	const shards = 4
	var all [shards]*shard
	t.Run("commands", func(t *testing.T) {
		for n := range shards {
			t.Run(fmt.Sprint(n), func(t *testing.T) {
				t.Parallel()
				s := w.shard(t, fmt.Sprint("shard", n))
				all[n] = s
				for i, one := range cs.All {
					if i%shards == n {
						t.Run(one.Describe().Name, func(t *testing.T) {
							s.command(t, one.Describe())
							s.commands++
							if pool := s.db.Read().IDB.(interface{ Stats() sql.DBStats }).Stats(); pool.InUse > 0 {
								t.Errorf("%d connections to the database are still in use", pool.InUse)
							}
						})
					}
				}
			})
		}
	})
	commands, cases, changes, allowed := 0, 0, 0, 0
	for _, s := range all {
		if s == nil { // -run left it out
			continue
		}
		commands, cases, changes, allowed = commands+s.commands, cases+s.cases, changes+s.changes, allowed+s.allowed
	}
	t.Logf("%d commands, %d cases, none skipped: %d answers were for who may, %d calls changed something and were undone", commands, cases, allowed, changes)
	if commands == len(cs.All) && (cases < 170_000 || changes < 6000) {
		t.Errorf("%d cases, %d changes: that is fewer than there were", cases, changes)
	}
}

// complete wants an example of each kind that the contract names, of each tenant, and a rule for each table with owners.
func (w *matrixWorld) complete(t *testing.T) {
	t.Helper()
	for _, one := range cs.All {
		for _, x := range targets(one.Describe()) {
			query, known := kindsOfThings[x.kind]
			switch {
			case x.kind == "":
			case !known:
				t.Errorf("%s.%s names a %s: say in kindsOfThings where they are and whose", one.Describe().Name, x.name, x.kind)
			case query != "" && len(w.of[x.kind]) == 0:
				t.Errorf("%s.%s names a %s, of which there is none", one.Describe().Name, x.name, x.kind)
			}
		}
	}
	for _, one := range cs.All {
		for _, p := range one.Describe().Params() {
			named := (p.Type == "string" || p.Type == "list") && (strings.HasSuffix(p.Name, "id") || strings.HasSuffix(p.Name, "ids"))
			if named && kindIn(p) == "" && !slices.Contains(noIDs, p.Name) {
				t.Errorf("%s.%s seems to take ids: say of what in kindIn, or that it does not in noIDs", one.Describe().Name, p.Name)
			}
		}
	}
	all := strings.Join(slices.Collect(maps.Values(kindsOfThings)), "\n")
	for table, columns := range w.owned {
		if !slices.Contains(noThings, table) && !regexp.MustCompile(`(from|join) `+table+`\b`).MatchString(all) {
			t.Errorf("rows of %s have owners (%s): say in kindsOfThings what they are, or in noThings that no id names them", table, columns)
		}
	}
	for kind, ids := range w.of {
		if len(ids) == 0 || w.things[ids[0]].tenant == "" && plantKinds[kind] != 0 {
			continue
		}
		if w.things[ids[0]].Public && w.things[ids[len(ids)-1]].Public {
			continue // everybody's
		}
		for _, tenant := range matrixTenants {
			if !slices.Contains(ownersOf(kind), tenant) {
				continue
			}
			if w.example(kind, tenant) == "" {
				t.Errorf("%s has no %s", tenant, kind)
			}
		}
	}
	if t.Failed() {
		t.FailNow()
	}
}

// ownersOf are the tenants that have things of a kind: some are for a domain and not for an account, and a project has no users.
func ownersOf(kind string) []string {
	switch kind {
	case "zone", "service offering", "disk offering", "network offering", "domain":
		return []string{"red", "under", "blue"}
	case "account", "user", "API key pair":
		return slices.DeleteFunc(slices.Clone(matrixTenants), func(tenant string) bool { return tenant == "crimson" })
	}
	return matrixTenants
}

// way is a way of signing in.
type way int

const (
	byKeys way = iota
	bySession
	expired // the signature says that it was good until yesterday
	ended   // the session was left
)

func (w way) String() string { return [...]string{"keys", "session", "expired", "ended"}[w] }

// ways are those in which people call.
var ways = []way{byKeys, bySession, expired, ended}

// command calls one command in all ways.
func (s *shard) command(t *testing.T, d *api.Description) {
	t.Helper()
	for _, x := range targets(d) {
		examples := s.examples(x.kind)
		for _, p := range s.people {
			for _, how := range ways {
				s.target(t, d, x, p, how, examples)
			}
		}
		s.anonymous(t, d, x, examples)
	}
	s.byName(t, d)
	s.widely(t, d)
}

// examples are the things to name: of each tenant, or the one of all, of each of its people, and all of a kind for everybody.
func (s *shard) examples(kind string) (out []thing) {
	seen := map[string]int{}
	for _, id := range s.of[kind] {
		x := s.things[id]
		key := fmt.Sprint(x.tenant, x.Public)
		if x.User != "" {
			key += string(x.User)
		}
		if seen[key]++; seen[key] == 1 {
			out = append(out, x)
		}
	}
	return out
}

// reply is what a call was answered with.
type reply struct {
	status int
	about  string // X-Description
	body   string
}

// but is the answer with an id in it, those that are new, and times made unknown.
func (s *shard) but(a reply, id string) reply {
	a.about, a.body = strings.ReplaceAll(a.about, id, "?"), strings.ReplaceAll(a.body, id, "?")
	a.body = uuids.ReplaceAllStringFunc(a.body, func(id string) string {
		if _, known := s.things[id]; known {
			return id
		}
		return "new"
	})
	a.body = times.ReplaceAllString(a.body, "then")
	return a
}

var (
	uuids = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)
	times = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d`)
)

func (a reply) String() string {
	return fmt.Sprintf("%d %s", a.status, a.body[:min(len(a.body), 400)])
}

// target names things in one parameter.
func (s *shard) target(t *testing.T, d *api.Description, x target, p person, how way, examples []thing) {
	t.Helper()
	base := s.fill(d, p)
	var params api.Params
	call := func(id string, of thing) (reply, []string) {
		s.cases++
		params = maps.Clone(base)
		s.beside(params, x.with, d, p, of)
		if x.name != "" {
			params[x.name] = id
		}
		if x.list {
			params[x.name] = s.own(p, d, x.kind) + "," + id
		}
		a := s.call(t, d, p, how, params)
		changed := s.undo(t)
		s.tells(t, d, p, how, params, a, changed)
		return a, changed
	}
	none := string(uid.New[uid.VM]())
	nothing, changed := call(none, thing{tenant: "red"})
	mayUse := d.Role.Allows(p.role()) && how <= bySession || d.Session || d.Open
	before := really(d, changed)
	if len(before) > 0 && (!mayUse || nothing.status >= 400 || x.name != "" && isSubject(d, x.name)) {
		t.Errorf("%s %v by %s with %s changes %v for an id that was never given: %v", d.Name, params, p.what, how, before, nothing)
	}
	if x.name == "" || x.kind == "" {
		return
	}
	for _, thing := range examples {
		got, changed := call(thing.ID, thing)
		wrote := really(d, changed)
		is := relationTo(p, thing)
		if !mayUse || s.isAdmins(d, x.name) && !p.root() {
			is = stranger
		}
		if isAbove(p, thing) && slices.Contains(knowsAbove, d.Name+"."+x.name) {
			is = sees
		}
		what := func() string {
			return fmt.Sprintf("%s %s=%s's %s by %s with %s", d.Name, x.name, thing.tenant, thing.Kind, p.what, how)
		}
		if s.isFellow(p, thing) && slices.Contains(knowsFellows, d.Name+"."+x.name) {
			is = sees
		}
		switch {
		case is == stranger:
			if want, got := s.but(nothing, none), s.but(got, thing.ID); got != want {
				t.Errorf("%s, where it is not there: %v\n\twant what an id that was never given gets: %v", what(), got, want)
			}
			if !slices.Equal(wrote, before) {
				t.Errorf("%s, where it is not there, changes %v", what(), wrote)
			}
		case is == sees && isSubject(d, x.name) && !readsOnly(d):
			if got.status < 400 || len(wrote) > 0 {
				t.Errorf("%s, which is not the caller's: %v; changes %v", what(), got, wrote)
			}
		case is == holds && how <= bySession:
			s.allowed++
			if s.but(nothing, none) == s.but(got, thing.ID) && !x.list && !s.isUnshown(d, x.name, thing) {
				t.Errorf("%s, which is the caller's, gets what an id that was never given gets: %v", what(), got)
			}
		}
		if len(wrote) > 0 {
			s.changes++
		}
	}
}

// call sends a request as somebody, in some way.
func (s *shard) call(t *testing.T, d *api.Description, p person, how way, params api.Params) reply {
	t.Helper()
	params = with(params, "command", d.Name, "response", "json")
	var cookies []*http.Cookie
	switch how {
	case byKeys, expired:
		params["apikey"] = p.keys.APIKey
		if how == expired {
			params["signatureversion"], params["expires"] = "3", "2026-01-01T00:00:00+0000"
		}
		params["signature"] = api.Sign(params, p.keys.Secret.Reveal())
	case bySession, ended:
		in := s.sessions[p.user][how/ended]
		params["sessionkey"] = in.key.Reveal()
		cookies = []*http.Cookie{{Name: "JSESSIONID", Value: in.cookie.Reveal()}}
	}
	s.patient = !p.root() || how > bySession
	return s.send(t, params, cookies...)
}

// waiting are commands that answer when their job has ended, which here it never does.
var waiting = []string{"addHost", "deleteHost"}

func (s *shard) send(t *testing.T, params api.Params, cookies ...*http.Cookie) reply {
	t.Helper()
	ctx := t.Context()
	if slices.Contains(waiting, params["command"]) && !s.patient {
		until, cancel := context.WithCancel(ctx)
		var watching sync.WaitGroup
		watching.Go(func() { s.untilAccepted(until, cancel) })
		defer watching.Wait()
		defer cancel()
		ctx = until
	}
	form := url.Values{}
	for name, value := range params {
		form.Set(name, value)
	}
	method := http.MethodGet
	target := "/client/api?" + form.Encode()
	var r *http.Request
	if described(params["command"]).Session {
		method = http.MethodPost
		r = httptest.NewRequestWithContext(ctx, method, "/client/api", strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	} else {
		r = httptest.NewRequestWithContext(ctx, method, target, http.NoBody)
	}
	for _, c := range cookies {
		r.AddCookie(c)
	}
	s.sent++
	r.RemoteAddr = netip.AddrFrom4([4]byte{10, byte(s.sent >> 16), byte(s.sent >> 8), byte(s.sent)}).String() + ":1" // whom wrong signatures count for
	out := httptest.NewRecorder()
	s.handler.ServeHTTP(out, r)
	return reply{out.Code, out.Header().Get("X-Description"), out.Body.String()}
}

// untilAccepted has a client go away when its job has been accepted.
func (s *shard) untilAccepted(ctx context.Context, leave func()) {
	for look := time.NewTicker(time.Millisecond); ; {
		select {
		case <-ctx.Done(): // it was answered
			look.Stop()
			return
		case <-look.C:
		}
		accepted := 0
		err := s.db.Read().NewRaw("select count(*) from matrix_changes where what = 'insert operations'").Scan(ctx, &accepted)
		if err == nil && accepted > 0 {
			leave()
		}
	}
}

// anonymous calls as nobody: without a word about who it is, and with what was made up.
func (s *shard) anonymous(t *testing.T, d *api.Description, x target, examples []thing) {
	t.Helper()
	params := s.fill(d, s.people[0])
	s.beside(params, x.with, d, s.people[0], thing{tenant: "red"})
	forged := person{what: "nobody", keys: s.people[0].keys}
	forged.keys.APIKey = strings.Repeat("x", 86)
	for _, thing := range append(slices.Clone(examples), thing{ID: string(uid.New[uid.VM]())}) {
		if x.name != "" {
			params[x.name] = thing.ID
		}
		for i, got := range []reply{s.send(t, with(params, "command", d.Name, "response", "json")), s.call(t, d, forged, byKeys, params)} {
			s.cases++
			wrote := really(d, s.undo(t))
			if d.Session || d.Open {
				if len(wrote) > 0 || uuids.MatchString(got.body) {
					t.Errorf("%s %v by nobody: %v; changes %v", d.Name, params, got, wrote)
				}
				continue
			}
			if got.status != http.StatusUnauthorized || len(wrote) > 0 || uuids.MatchString(got.body) {
				t.Errorf("%s %v by nobody (%d): %v; changes %v", d.Name, params, i, got, wrote)
			}
		}
	}
}

// tells looks at what an answer tells, and at whether the call is in the audit log.
func (s *shard) tells(t *testing.T, d *api.Description, p person, how way, params api.Params, a reply, changed []string) {
	t.Helper()
	said := func() string { return fmt.Sprintf("%s %v by %s with %s", d.Name, params, p.what, how) }
	audited := slices.Contains(changed, "insert audit_inbox")
	switch {
	case a.status == 530 && slices.Contains(waiting, d.Name):
	case a.status == 530 || a.status >= 500 && a.status < 530 && a.status != 511:
		t.Errorf("%s: %v", said(), a)
	case how > bySession:
		if a.status != http.StatusUnauthorized && !d.Session && (!d.Open || how == expired) {
			t.Errorf("%s: %v, want 401", said(), a)
		}
	case !d.Role.Allows(p.role()):
		if a.status != 432 {
			t.Errorf("%s, whose role has it not: %v", said(), a)
		}
	case a.status == 432 && d.Name != "listApis":
		t.Errorf("%s, whose role has it: %v", said(), a)
	}
	if wrote := really(d, changed); a.status < 300 && len(wrote) > 0 && !d.Session && !slices.Contains(changed, "insert events") {
		t.Errorf("%s changes %v without an event", said(), wrote)
	}
	if wants := !readsOnly(d) && how <= bySession; audited != wants && !d.Session {
		t.Errorf("%s: %v\n\tis in the audit log: %v, want %v", said(), a, audited, wants)
	}
	if p.root() {
		return
	}
	crimson := s.things[string(s.projects["crimson"])]
	if relationTo(p, crimson) == stranger && strings.Contains(a.body, "crimson-") {
		t.Errorf("%s tells of crimson: %v", said(), a)
	}
	about := slices.ContainsFunc(uuids.FindAllString(a.body, -1), func(id string) bool { return s.things[id].tenant == "crimson" })
	fellow := func(x thing) bool { return about && s.isFellow(p, x) }
	for _, id := range uuids.FindAllString(a.body, -1) {
		if invited := d.Name == "listProjectInvitations" || d.Name == "listProjectAccounts"; invited && s.things[id].Kind == "user" || fellow(s.things[id]) {
			continue // of the caller's own project: what belongs to another one's is a stranger's, and looked for as such
		}
		if x, known := s.things[id]; known && relationTo(p, x) == stranger && !isAbove(p, x) && !strings.Contains(strings.Join(slices.Collect(maps.Values(params)), ","), id) {
			t.Errorf("%s shows %s's %s %s: %v", said(), x.tenant, x.Kind, id, a)
		}
	}
	for name, owner := range s.accounts {
		if tenant, ok := strings.CutSuffix(name, "-user"); ok && relationTo(p, s.things[string(owner)]) == stranger {
			body := strings.ReplaceAll(a.body, name, "")
			if fellow(s.things[string(owner)]) {
				body = strings.NewReplacer("mauve-mate", "", "mauve-former", "").Replace(body)
			}
			for _, domains := range []string{"-net", "-service", "-disk", "-zone"} { // which are the domain's, of which the caller may be
				if within(s.things[string(owner)].path, p.path) {
					body = strings.ReplaceAll(body, tenant+domains, "")
				}
			}
			if begins(body, tenant+"-") && !strings.Contains(body, tenant+"-domain") {
				t.Errorf("%s tells of %s: %v", said(), tenant, a)
			}
		}
	}
}

// begins tells whether a word of a text begins so. Within a word it means nothing: some of the 60,000 random letters of keys and passwords
// that are shown in each run are "red-" one day.
func begins(text, what string) bool {
	for before, after, found := strings.Cut(text, what); found; before, after, found = strings.Cut(after, what) {
		if before == "" || !strings.ContainsAny(before[len(before)-1:], keyLetters) {
			return true
		}
	}
	return false
}

const keyLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

// isFellow tells of somebody who belongs, or belonged, to the same project as the caller, which shows who did what in it.
func (s *shard) isFellow(p person, x thing) bool {
	return relationTo(p, s.things[string(s.projects["crimson"])]) != stranger && (x.Kind == "user" || x.Kind == "account") &&
		(x.Account == s.accounts["red-user"] || x.Account == s.accounts["mauve-user"])
}

// really are the changes that are more than that somebody was there.
func really(d *api.Description, changed []string) []string {
	return slices.DeleteFunc(slices.Clone(changed), func(what string) bool {
		switch what {
		case "update users":
			return d.Name == cs.Login.Name // counts the failure
		case "insert audit_inbox", "update sessions", "delete sessions", "insert api_windows", "update api_windows":
			return true
		}
		return false
	})
}

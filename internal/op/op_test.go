package op_test

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/db/dbtest"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/internal/op/optest"
)

// build is the toy that these tests make: rows in a table, and bricks outside.
type build struct {
	Name  string
	Brick string
}

type site struct {
	db     *db.DB
	mu     sync.Mutex
	bricks map[string]int
	runner *op.Runner[build]
	engine *op.Engine
}

func (s *site) plan() *op.Plan[build] {
	return op.New[build]("test.build").
		Accept(func(ctx context.Context, tx db.Tx, q *op.Request, b *build) error {
			return row(ctx, tx, b.Name+"/plot")
		},
			func(ctx context.Context, tx db.Tx, b *build) error { return noRow(ctx, tx, b.Name+"/plot") }).
		Tx("name", func(ctx context.Context, tx db.Tx, b *build) error {
			b.Brick = "brick of " + b.Name
			return row(ctx, tx, b.Name+"/name")
		}, func(ctx context.Context, tx db.Tx, b *build) error { return noRow(ctx, tx, b.Name+"/name") }).
		Do("lay", func(_ context.Context, b *build) error { s.lay(b.Brick); return nil },
			func(_ context.Context, b *build) error { s.take(b.Brick); return nil }).
		Wait("dry", func(context.Context, db.Tx, *build) (bool, error) { return true, nil }).
		Tx("roof", func(ctx context.Context, tx db.Tx, b *build) error { return row(ctx, tx, b.Name+"/roof") }, nil)
}

func (s *site) lay(b string)  { s.mu.Lock(); s.bricks[b] = 1; s.mu.Unlock() }
func (s *site) take(b string) { s.mu.Lock(); delete(s.bricks, b); s.mu.Unlock() }

func row(ctx context.Context, tx db.Tx, name string) error {
	_, err := tx.NewRaw("insert into counters (name, next) values (?, 1)", name).Exec(ctx)
	return err
}

func noRow(ctx context.Context, tx db.Tx, name string) error {
	n, err := db.Changed(tx.NewRaw("delete from counters where name = ?", name).Exec(ctx))
	if err == nil && n != 1 {
		err = fmt.Errorf("undid %s %d times", name, n)
	}
	return err
}

func (s *site) count(t *testing.T) (rows, bricks int) {
	t.Helper()
	if err := s.db.Read().NewRaw("select count(*) from counters").Scan(context.Background(), &rows); err != nil {
		t.Fatal(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return rows, len(s.bricks)
}

func (s *site) use(o op.Options) *op.Engine {
	s.engine = op.NewEngine(s.db, o)
	s.runner = op.Register(s.engine, s.plan())
	return s.engine
}

func newSite(d *db.DB) *site { return &site{db: d, bricks: map[string]int{}} }

func (s *site) start(ctx context.Context, name string) (op.ID, error) {
	id, _, err := s.runner.Start(ctx, op.Request{Thing: op.Key("test/" + name)}, build{Name: name})
	return id, err
}

func TestStorm(t *testing.T) {
	t.Parallel()
	for _, engine := range []struct {
		name string
		url  func(testing.TB) string
	}{{"sqlite", dbtest.SQLite}, {"postgres", dbtest.Postgres}} {
		t.Run(engine.name, func(t *testing.T) {
			optest.Storm(t, func(t *testing.T) optest.World {
				s := newSite(dbtest.Open(t, engine.url(t)))
				return optest.World{
					DB: s.db, Engine: s.use,
					Start: func(ctx context.Context) (op.ID, error) { return s.start(ctx, "house") },
					There: func(t *testing.T) {
						if rows, bricks := s.count(t); rows != 3 || bricks != 1 {
							t.Errorf("rows %d, bricks %d; want 3 and 1", rows, bricks)
						}
					},
					Nothing: func(t *testing.T) {
						if rows, bricks := s.count(t); rows != 0 || bricks != 0 {
							t.Errorf("left: %d rows, %d bricks", rows, bricks)
						}
					},
				}
			})
		})
	}
}

func begin(t *testing.T, e *op.Engine) func() {
	t.Helper()
	stop, err := e.Start(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	return stop
}

func wait(t *testing.T, e *op.Engine, id op.ID) op.Record {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	r, err := e.Wait(ctx, id)
	if err != nil {
		t.Fatalf("job %s: %v (%s at %q)", id, err, r.State, r.StepName)
	}
	return r
}

type turn struct{ N int }

// Operations on one thing run one at a time and in the order in which they were accepted; others run beside them.
func TestTurns(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		var mu sync.Mutex
		busy := 0
		e := op.NewEngine(d, op.Options{Poll: 5 * time.Millisecond})
		turns := op.Register(e, op.New[turn]("test.turn").Do("work", func(context.Context, *turn) error {
			mu.Lock()
			busy++
			if busy != 1 {
				t.Error("two operations on one thing at a time")
			}
			mu.Unlock()
			mu.Lock()
			busy--
			mu.Unlock()
			return nil
		}, nil).Tx("note", func(ctx context.Context, tx db.Tx, s *turn) error {
			_, err := tx.NewRaw("insert into counters (name, next) select ?, 1 + count(*) from counters", fmt.Sprint(s.N)).Exec(ctx)
			return err
		}, nil))
		begin(t, e)
		var last op.ID
		for n := range 30 {
			id, _, err := turns.Start(context.Background(), op.Request{Thing: "test/one"}, turn{n})
			if err != nil {
				t.Fatal(err)
			}
			last = id
		}
		wait(t, e, last)
		var order []string
		if err := d.Read().NewRaw("select name from counters order by next").Scan(context.Background(), &order); err != nil {
			t.Fatal(err)
		}
		for i, n := range order {
			if fmt.Sprint(i) != n {
				t.Fatalf("order %v", order)
			}
		}
		if len(order) != 30 {
			t.Errorf("%d of 30 ran", len(order))
		}
	})
}

// A server that dies without a word loses its operations to another one within its lease; what it still tries is refused.
func TestTakeOver(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		held := make(chan struct{})
		started := make(chan struct{}, 2)
		var first sync.Once
		var done sync.Map
		mk := func(name string, poll time.Duration) (*op.Engine, *op.Runner[build]) {
			lease := time.Hour
			if name == "b" {
				lease = 40 * time.Millisecond
			}
			e := op.NewEngine(d, op.Options{Name: name, Lease: lease, Poll: poll})
			return e, op.Register(e, op.New[build]("test.hold").
				Do("hold", func(context.Context, *build) error {
					started <- struct{}{}
					wait := false
					first.Do(func() { wait = true })
					if wait {
						<-held // a step that outlives its server's lease
					}
					return nil
				}, nil).
				Tx("note", func(_ context.Context, tx db.Tx, _ *build) error {
					tx.OnCommit(func() {
						if _, twice := done.LoadOrStore(name, true); twice {
							t.Error("a Tx step ran twice")
						}
					})
					return nil
				}, nil))
		}
		a, runA := mk("a", time.Hour)
		stopA := begin(t, a)
		id, _, err := runA.Start(context.Background(), op.Request{Thing: "test/x"}, build{})
		if err != nil {
			t.Fatal(err)
		}
		<-started
		// a's lease runs out while it sleeps: b's first heartbeat finds it so.
		if err := d.Write(context.Background(), func(ctx context.Context, tx db.Tx) error {
			_, err := tx.NewRaw("update servers set lease_until = ? where name = 'a'", tx.Now.Add(-time.Hour)).Exec(ctx)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		b, _ := mk("b", 5*time.Millisecond)
		begin(t, b)
		if r := wait(t, b, id); r.State != op.Done {
			t.Fatal(r.State, r.Err())
		}
		close(held)
		stopA()
		if _, late := done.Load("a"); late {
			t.Error("the server that lost the operation recorded a step of it")
		}
		if _, ok := done.Load("b"); !ok {
			t.Error("the other server did not run the step")
		}
	})
}

func TestCancel(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newSite(d)
		s.use(op.Options{Poll: 5 * time.Millisecond})
		reached := make(chan struct{})
		slow := op.Register(s.engine, op.New[build]("test.slow").
			Accept(func(ctx context.Context, tx db.Tx, _ *op.Request, b *build) error { return row(ctx, tx, "slow") },
				func(ctx context.Context, tx db.Tx, b *build) error { return noRow(ctx, tx, "slow") }).
			Do("sleep", func(ctx context.Context, _ *build) error { close(reached); <-ctx.Done(); return context.Cause(ctx) }, nil))
		final := op.Register(s.engine, op.New[build]("test.final").NoWayBack().
			Do("burn", func(context.Context, *build) error { return errors.New("no fire") }, nil))
		begin(t, s.engine)
		all := auth.Scope{All: true}
		ctx := context.Background()

		id, _, err := slow.Start(ctx, op.Request{Thing: "test/slow"}, build{})
		if err != nil {
			t.Fatal(err)
		}
		<-reached
		queued, _, err := slow.Start(ctx, op.Request{Thing: "test/slow"}, build{})
		if err == nil {
			t.Error("the second Accept found the first one's row missing:", queued)
		}
		if err := s.engine.Cancel(ctx, auth.Scope{Account: "somebody else"}, id); !fault.Is(err, fault.NotFound) {
			t.Errorf("cancel of another's job: %v", err)
		}
		if err := s.engine.Cancel(ctx, all, id); err != nil {
			t.Fatal(err)
		}
		if r := wait(t, s.engine, id); r.State != op.Failed || !fault.Is(r.Err(), fault.Conflict) {
			t.Errorf("cancelled: %s, %v", r.State, r.Err())
		}
		if rows, _ := s.count(t); rows != 0 {
			t.Errorf("%d rows left", rows)
		}
		if err := s.engine.Cancel(ctx, all, id); !fault.Is(err, fault.Conflict) {
			t.Errorf("cancel of an ended job: %v", err)
		}
		id, _, err = final.Start(ctx, op.Request{Thing: "test/final"}, build{})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.engine.Cancel(ctx, all, id); !fault.Is(err, fault.Conflict) {
			t.Errorf("cancel where there is no way back: %v", err)
		}
	})
}

// A stuck operation blocks its thing with a clear word, shows why, and is tried again on demand.
func TestStuck(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		var mu sync.Mutex
		broken := true
		e := op.NewEngine(d, op.Options{Poll: 5 * time.Millisecond})
		r := op.Register(e, op.New[build]("test.stuck").
			Do("make", func(context.Context, *build) error { return fault.Fullf("no room") },
				func(context.Context, *build) error {
					mu.Lock()
					defer mu.Unlock()
					if broken {
						return errors.New("can't reach the shelf")
					}
					return nil
				}))
		begin(t, e)
		ctx := context.Background()
		id, _, err := r.Start(ctx, op.Request{Thing: "test/s"}, build{})
		if err != nil {
			t.Fatal(err)
		}
		got := wait(t, e, id)
		if got.State != op.Stuck || got.StepName != "make" || !fault.Is(got.Err(), fault.Full) {
			t.Errorf("%s at %q: %v", got.State, got.StepName, got.Err())
		}
		if _, _, err := r.Start(ctx, op.Request{Thing: "test/s"}, build{}); !fault.Is(err, fault.Conflict) {
			t.Errorf("a new job on a stuck thing: %v", err)
		}
		mu.Lock()
		broken = false
		mu.Unlock()
		if err := e.Cancel(ctx, auth.Scope{All: true}, id); err != nil {
			t.Fatal(err)
		}
		for got.State != op.Failed {
			got = wait(t, e, id)
		}
		steps, err := op.Steps(ctx, d.Read(), id)
		if err != nil || len(steps) < 3 {
			t.Errorf("steps %v, %v", steps, err)
		}
	})
}

func TestPlanOfAnotherVersionSticks(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		old := op.NewEngine(d, op.Options{})
		r := op.Register(old, op.New[build]("test.version").Tx("before", func(context.Context, db.Tx, *build) error { return nil }, nil))
		id, _, err := r.Start(context.Background(), op.Request{Thing: "test/v"}, build{}) // not started: nobody runs it
		if err != nil {
			t.Fatal(err)
		}
		e := op.NewEngine(d, op.Options{Poll: 5 * time.Millisecond})
		op.Register(e, op.New[build]("test.version").Tx("renamed", func(context.Context, db.Tx, *build) error { return nil }, nil))
		begin(t, e)
		if got := wait(t, e, id); got.State != op.Stuck {
			t.Errorf("an unknown step: %s", got.State)
		}
	})
}

// A server that was taken for dead by mistake drops what it did and works again; what it accepted in between is not lost.
func TestTakenForDead(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newSite(d)
		s.use(op.Options{Lease: 200 * time.Millisecond, Poll: 5 * time.Millisecond})
		begin(t, s.engine)
		ctx := context.Background()
		for _, name := range []string{"one", "two", "three"} {
			exec(t, d, "delete from servers")
			id, err := s.start(ctx, name)
			if err != nil {
				t.Fatal(err)
			}
			if r := wait(t, s.engine, id); r.State != op.Done {
				t.Errorf("%s: %s %v", name, r.State, r.Err())
			}
		}
	})
}

// Of two servers with one name the newer one works, and the other one leaves it alone.
func TestNameIsTaken(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		older, newer := newSite(d), newSite(d)
		// The lease is longer than this process may be kept waiting: the older one has the name back when the newer one's has run out.
		o := op.Options{Name: "same", Lease: 8 * time.Second, Poll: 5 * time.Millisecond}
		older.use(o)
		newer.use(o)
		begin(t, older.engine)
		begin(t, newer.engine)
		for older.engine.Ready() == nil {
			<-time.After(10 * time.Millisecond)
		}
		id, err := newer.start(context.Background(), "house")
		if err != nil {
			t.Fatal(err)
		}
		if r := wait(t, newer.engine, id); r.State != op.Done || newer.engine.Ready() != nil {
			t.Errorf("%s %v, ready: %v", r.State, r.Err(), newer.engine.Ready())
		}
	})
}

// An operation whose acceptance commits when its server has just gone belongs to nobody; the others find it.
func TestAcceptedByAGhost(t *testing.T) {
	t.Parallel()
	d := dbtest.Open(t, dbtest.Postgres(t)) // on SQLite the server's end would wait for the transaction
	s := newSite(d)
	s.use(op.Options{Name: "a", Poll: 5 * time.Millisecond})
	stop := begin(t, s.engine)
	var id op.ID
	err := d.Write(context.Background(), func(ctx context.Context, tx db.Tx) (err error) {
		id, err = s.runner.StartTx(ctx, tx, &op.Request{Thing: "test/x"}, &build{Name: "x"})
		stop()
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	other := newSite(d)
	other.use(op.Options{Name: "b", Lease: 100 * time.Millisecond, Poll: 5 * time.Millisecond})
	begin(t, other.engine)
	if r := wait(t, other.engine, id); r.State != op.Done {
		t.Error(r.State, r.Err())
	}
}

// The answer to a commit was lost: the table says that the operation is this server's, and it has never heard of it.
func TestLostSightOf(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newSite(d)
		s.use(op.Options{Lease: 100 * time.Millisecond, Poll: 5 * time.Millisecond})
		id, err := s.start(context.Background(), "house") // it is not started yet, so nobody owns it
		if err != nil {
			t.Fatal(err)
		}
		exec(t, d, "update operations set run_at = '2100-01-01 00:00:00+00:00'") // nor claims it
		begin(t, s.engine)
		exec(t, d, "update operations set owner = (select id from servers), turn = true, run_at = created, updated = '2020-01-01 00:00:00+00:00'")
		if r := wait(t, s.engine, id); r.State != op.Done {
			t.Error(r.State, r.Err())
		}
	})
}

// A database that goes away in the middle is nobody's fault: steps and undos are tried again.
func TestBrokenConnection(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		var mu sync.Mutex
		left := map[string]int{"do": 2, "undo": 2}
		lose := func(what string) error {
			mu.Lock()
			defer mu.Unlock()
			if left[what]--; left[what] >= 0 {
				return fmt.Errorf("read: %w", driver.ErrBadConn)
			}
			return nil
		}
		e := op.NewEngine(d, op.Options{Poll: 5 * time.Millisecond, Pause: time.Millisecond})
		r := op.Register(e, op.New[build]("test.lost").
			Do("outside", func(context.Context, *build) error { return lose("do") }, func(context.Context, *build) error { return lose("undo") }).
			Do("fail", func(context.Context, *build) error { return fault.Fullf("no room") }, nil))
		begin(t, e)
		id, _, err := r.Start(context.Background(), op.Request{Thing: "test/l"}, build{})
		if err != nil {
			t.Fatal(err)
		}
		if got := wait(t, e, id); got.State != op.Failed || !fault.Is(got.Err(), fault.Full) {
			t.Errorf("%s: %v %s", got.State, got.Err(), got.FaultDetail)
		}
	})
}

// An operation that is cancelled before its turn gives up at once, also behind one that is long or stuck.
func TestCancelQueued(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newSite(d)
		s.use(op.Options{Poll: 5 * time.Millisecond})
		hold := make(chan struct{})
		long := op.Register(s.engine, op.New[build]("test.long").
			Do("hold", func(context.Context, *build) error { <-hold; return nil }, nil))
		begin(t, s.engine)
		ctx := context.Background()
		first, _, err := long.Start(ctx, op.Request{Thing: "test/x"}, build{})
		if err != nil {
			t.Fatal(err)
		}
		id, _, err := s.runner.Start(ctx, op.Request{Thing: "test/x"}, build{Name: "x"})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.engine.Cancel(ctx, auth.Scope{All: true}, id); err != nil {
			t.Fatal(err)
		}
		if r := wait(t, s.engine, id); r.State != op.Failed {
			t.Error(r.State)
		}
		if rows, _ := s.count(t); rows != 0 {
			t.Errorf("%d rows left", rows)
		}
		close(hold)
		if r := wait(t, s.engine, first); r.State != op.Done {
			t.Error(r.State)
		}
	})
}

func exec(t *testing.T, d *db.DB, statement string) {
	t.Helper()
	err := d.Write(context.Background(), func(ctx context.Context, tx db.Tx) error {
		_, err := tx.NewRaw(statement).Exec(ctx)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestExpire(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newSite(d)
		s.use(op.Options{Poll: 5 * time.Millisecond})
		begin(t, s.engine)
		ctx := context.Background()
		for _, name := range []string{"a", "b", "c"} {
			id, err := s.start(ctx, name)
			if err != nil {
				t.Fatal(err)
			}
			wait(t, s.engine, id)
		}
		expire := func(before time.Time, limit int, want int64) {
			t.Helper()
			err := d.Write(ctx, func(ctx context.Context, tx db.Tx) error {
				n, err := op.Expire(ctx, tx, before, limit)
				if n != want {
					t.Errorf("%d went, want %d", n, want)
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		expire(time.Now().Add(-time.Hour), 10, 0)
		expire(time.Now().Add(time.Hour), 2, 2)
		expire(time.Now().Add(time.Hour), 2, 1)
		var left int
		if err := d.Read().NewRaw("select count(*) from operation_steps").Scan(ctx, &left); err != nil || left != 0 {
			t.Errorf("%d steps are left, %v", left, err)
		}
	})
}

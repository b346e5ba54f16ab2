package router

import (
	"context"
	"fmt"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/uid"
)

// job is the state of the plans on a router.
type job struct {
	Router   uid.Router  `json:"router"`
	Network  uid.Network `json:"network"`
	Pod      uid.Pod     `json:"pod,omitempty"`
	Revision int64       `json:"revision,omitempty"` // of the network, that the router must come to
	Was      State       `json:"was,omitempty"`
}

func (s *Service) begin(ctx context.Context, runner *op.Runner[job], id uid.Router, command string) (op.ID, error) {
	job, _, err := runner.Start(ctx, op.Request{
		Thing: op.On("router", id), Caller: auth.From(ctx), Command: command, SubjectKind: "DomainRouter", SubjectID: string(id),
	}, job{Router: id})
	return job, err
}

// PowerOn begins to start a stopped router.
func (s *Service) PowerOn(ctx context.Context, id uid.Router) (op.ID, error) {
	return s.begin(ctx, s.start, id, "startRouter")
}

// PowerOff begins to stop a router: its network's guests are cut off until it is started again, by somebody or by the start of a
// machine there.
func (s *Service) PowerOff(ctx context.Context, id uid.Router) (op.ID, error) {
	return s.begin(ctx, s.stop, id, "stopRouter")
}

// Reboot begins to end a router and to make it again at once.
func (s *Service) Reboot(ctx context.Context, id uid.Router) (op.ID, error) {
	return s.begin(ctx, s.reboot, id, "rebootRouter")
}

// Destroy begins to remove a router. The next machine that starts in its network gets another one, and so does a restart of the network.
func (s *Service) Destroy(ctx context.Context, id uid.Router) (op.ID, error) {
	return s.begin(ctx, s.destroy, id, "destroyRouter")
}

// accept finds the router in the caller's reach, in one of some states, and writes the event.
func (s *Service) accept(ctx context.Context, tx db.Tx, q *op.Request, j *job, kind event.Kind, doing string, in ...State) (r Router, err error) {
	if r, err = lock(ctx, tx, q.Caller.Reach(), j.Router); err != nil {
		return r, err
	}
	ok := false
	for _, state := range in {
		ok = ok || r.State == state
	}
	if !ok {
		return r, fault.Conflictf("virtual router %s is %s: %s it wants one that is %s", r.Name, r.State, doing, in[0])
	}
	j.Network, j.Pod, j.Was = r.Network, r.Pod, r.State
	q.Account, q.Domain = r.Account, r.Domain
	q.Event, err = event.Write(ctx, tx, event.Event{
		Type: kind, State: event.Scheduled, Description: fmt.Sprintf("%s virtual router %s (%s)", doing, r.Name, r.ID),
		Account: r.Account, Domain: r.Domain, User: q.Caller.User, ResourceID: string(r.ID),
	})
	return r, err
}

func (s *Service) asItWas(ctx context.Context, tx db.Tx, j *job) error {
	if j.Was.wanted() { // its documents may have been ended
		return startAgain(ctx, tx, j.Router)
	}
	return setState(ctx, tx, j.Router, j.Was)
}

func (s *Service) startPlan() *op.Plan[job] {
	return op.New[job]("router.start").Refuses().
		Accept(func(ctx context.Context, tx db.Tx, q *op.Request, j *job) error {
			r, err := s.accept(ctx, tx, q, j, event.RouterStart, "starting", Stopped)
			if err != nil {
				return err
			}
			at, err := s.upAgain(ctx, tx, r)
			if err != nil {
				return err
			}
			return place(ctx, tx, r.ID, at, Starting)
		}, s.asItWas).
		Wait("apply", s.applied)
}

// upAgain is where a stopped router is started: where it was, or elsewhere when that host is not up.
func (s *Service) upAgain(ctx context.Context, tx db.Tx, r Router) (Place, error) {
	up, err := isUp(ctx, tx, r.Host)
	if err != nil || up {
		return Place{r.Host, r.Hypervisor}, err
	}
	return s.somewhere(ctx, tx, r.Zone, r.Pod, r.Host)
}

// applied tells whether the router has got a document since it was started.
func (s *Service) applied(ctx context.Context, q db.Tx, j *job) (bool, error) {
	return s.reachAll(ctx, q, map[Site]int64{{j.Network, j.Pod}: max(j.Revision, 1)})
}

func (s *Service) stopPlan() *op.Plan[job] {
	return op.New[job]("router.stop").Refuses().
		Accept(func(ctx context.Context, tx db.Tx, q *op.Request, j *job) error {
			if _, err := s.accept(ctx, tx, q, j, event.RouterStop, "stopping", Running, Starting); err != nil {
				return err
			}
			return setState(ctx, tx, j.Router, Stopping)
		}, s.asItWas).
		Do("drop", s.dropIt, nil).
		Tx("finish", func(ctx context.Context, tx db.Tx, j *job) error { return setOff(ctx, tx, j.Router) }, nil)
}

func (s *Service) dropIt(ctx context.Context, j *job) error {
	r, err := find(ctx, s.db.Read(), j.Router)
	if err != nil {
		return err
	}
	return again(s.drop(ctx, r))
}

func (s *Service) rebootPlan() *op.Plan[job] {
	return op.New[job]("router.reboot").Refuses().
		Accept(func(ctx context.Context, tx db.Tx, q *op.Request, j *job) error {
			if _, err := s.accept(ctx, tx, q, j, event.RouterReboot, "rebooting", Running, Starting); err != nil {
				return err
			}
			return setState(ctx, tx, j.Router, Stopping)
		}, s.asItWas).
		Do("drop", s.dropIt, nil).
		Tx("start", func(ctx context.Context, tx db.Tx, j *job) error { return startAgain(ctx, tx, j.Router) }, nil).
		Wait("apply", s.applied)
}

func (s *Service) destroyPlan() *op.Plan[job] {
	return op.New[job]("router.destroy").Refuses().
		Accept(func(ctx context.Context, tx db.Tx, q *op.Request, j *job) error {
			if _, err := s.accept(ctx, tx, q, j, event.RouterDestroy, "destroying", Running, Starting, Stopped); err != nil {
				return err
			}
			return setState(ctx, tx, j.Router, Stopping)
		}, s.asItWas).
		Do("drop", s.dropIt, nil).
		Tx("remove", func(ctx context.Context, tx db.Tx, j *job) error { return setRemoved(ctx, tx, j.Router) }, nil)
}

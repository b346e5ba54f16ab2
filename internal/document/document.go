package document

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/virga-cloud/virga/internal/alert"
	"github.com/virga-cloud/virga/internal/crew"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/uid"
)

// Kind is which of a host's documents is meant. It is stored.
type Kind string

// The kinds.
const (
	Guards Kind = "guards" // the rules of its cards
	Peers  Kind = "peers"  // the hosts that its guest networks reach to
)

// what is what a host can't be given, for people.
func (k Kind) what() string {
	return map[Kind]string{Guards: "the rules of security groups", Peers: "the addresses of other hosts"}[k]
}

// Host is who a document is for.
type Host struct {
	ID         uid.Host
	Name       string
	Zone       uid.Zone `bun:"zone_id"`
	Hypervisor string
}

// Giver makes a host's document, as it must be now, and gives it to the host under a version.
type Giver func(ctx context.Context, h Host, version int64) error

// Document is how far a host is with one of its documents.
type Document struct {
	Host    uid.Host `bun:"host_id"`
	Kind    Kind
	Wanted  int64  // the newest version
	Applied int64  // the one that the host was given last
	Problem string // why it can't be given the newest; "" where it can

	Name       string // the host's, as all that follows
	Zone       uid.Zone
	Hypervisor string
	Answers    bool // it is there and answers
}

// key says which document.
type key struct {
	host uid.Host
	kind Kind
}

// Service gives hosts their documents.
type Service struct {
	db     *db.DB
	log    *slog.Logger
	givers map[Kind]Giver
	crew   *crew.Crew[key]
}

const (
	// atOnce is how many hosts a server gives documents at the same time.
	atOnce = 16
	// patience is how many failures in a row are worth an alert.
	patience = 4
	// answer is how long a host may take for a document.
	answer = time.Minute
	// lookAgain is how long [Service.Reached] waits at most.
	lookAgain = time.Second
	// batch bounds how many documents one round looks after.
	batch = 1000
)

// New makes a service; a nil log is none.
func New(d *db.DB, log *slog.Logger) *Service {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	s := &Service{db: d, log: log, givers: map[Kind]Giver{}}
	s.crew = crew.New(crew.Options[key]{Now: d.Now, AtOnce: atOnce, Do: s.apply, Failed: s.complain})
	return s
}

// GivenBy says who gives the documents of a kind. It is called before anything is started.
func (s *Service) GivenBy(kind Kind, g Giver) { s.givers[kind] = g }

// Start lets the service give documents when it is woken, until the function that it gives is called.
func (s *Service) Start(ctx context.Context) (stop func()) { return s.crew.Start(ctx) }

// Wake begins to give some hosts their newest documents of a kind, for who does not wait for that.
func (s *Service) Wake(kind Kind, hosts ...uid.Host) {
	for _, id := range hosts {
		s.crew.Wake(key{id, kind}) // where nobody works the keeper will see it
	}
}

// Round sees to it that hosts get their documents though nobody waits for that. It is a keeper's.
func (s *Service) Round(ctx context.Context) error {
	late, err := behind(ctx, s.db.Read(), batch)
	if err != nil {
		return err
	}
	var failed []error
	for _, d := range late {
		if !s.crew.Wake(key{d.Host, d.Kind}) { // nobody works here but the keeper
			failed = append(failed, s.apply(ctx, key{d.Host, d.Kind}))
		}
	}
	return errors.Join(failed...)
}

// apply gives a host its newest document, if it has not got it yet. One that does not answer gets it when it does.
func (s *Service) apply(ctx context.Context, k key) error {
	d, err := find(ctx, s.db.Read(), k.host, k.kind)
	if err != nil || !d.Answers {
		return err
	}
	if d.Applied >= d.Wanted {
		s.crew.Publish(k, d.Applied)
		return nil
	}
	within, cancel := context.WithTimeout(ctx, answer)
	err = s.givers[k.kind](within, Host{d.Host, d.Name, d.Zone, d.Hypervisor}, d.Wanted)
	cancel()
	if err != nil {
		return err
	}
	err = s.db.Write(context.WithoutCancel(ctx), func(ctx context.Context, tx db.Tx) error { // it is there now, and that is to be known
		if err := setApplied(ctx, tx, d); err != nil || d.Problem == "" {
			return err
		}
		return alert.Resolve(ctx, tx, alert.Host, d.subject())
	})
	if err == nil {
		s.crew.Publish(k, d.Wanted)
	}
	return err
}

// subject is what an alert about the document is about.
func (d Document) subject() string { return string(d.Host) + "/" + string(d.Kind) }

// complain records that a host could not be given its document, with an alert when that has gone on for long.
func (s *Service) complain(ctx context.Context, k key, failures int, cause error) {
	if failures != 1 && failures != patience {
		return
	}
	s.log.Warn("a host can't be given a document", "host", k.host, "document", k.kind, "failures", failures, "error", cause)
	err := s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		d, err := find(ctx, tx, k.host, k.kind)
		if err != nil || !d.Answers || d.Applied >= d.Wanted {
			return err
		}
		if err := setProblem(ctx, tx, d, cause.Error()); err != nil || failures < patience {
			return err
		}
		return alert.Raise(ctx, tx, alert.Host, d.subject(), "host %s can't be given %s: %v", d.Name, k.kind.what(), cause)
	})
	if err != nil && ctx.Err() == nil {
		s.log.Error("can't record that", "host", k.host, "error", err)
	}
}

// Reached tells whether hosts have got documents of at least these versions: those that answer, and that don't refuse them, which
// is an alert. It wakes those that have not, and waits a moment for them, so that most operations need not look again.
func (s *Service) Reached(ctx context.Context, q db.Tx, kind Kind, want map[uid.Host]int64) (bool, error) {
	timeout, stop := context.WithTimeout(ctx, lookAgain)
	defer stop()
	for id := range want {
		s.crew.Wake(key{id, kind})
	}
	for id, version := range want {
		if ok, err := s.reach(ctx, timeout.Done(), q, key{id, kind}, version); err != nil || !ok {
			return false, err
		}
	}
	return true, nil
}

// MustReach is [Service.Reached] for one host, which must have the document: it is fault.Unavailable where it can't be given it.
func (s *Service) MustReach(ctx context.Context, q db.Tx, kind Kind, id uid.Host, version int64) (bool, error) {
	ok, err := s.Reached(ctx, q, kind, map[uid.Host]int64{id: version})
	if err != nil || !ok {
		return false, err
	}
	d, err := find(ctx, q, id, kind)
	if err == nil && d.Applied < version {
		err = op.Retry(fault.Unavailablef("host %s can't be given %s: %s", d.Name, kind.what(), d.why()))
	}
	return err == nil, err
}

// why is why a document that is not there is not.
func (d Document) why() string {
	if !d.Answers {
		return "it does not answer"
	}
	return d.Problem
}

func (s *Service) reach(ctx context.Context, done <-chan struct{}, q db.Tx, k key, version int64) (bool, error) {
	for p := s.crew.Watch(k); ; p = s.crew.Watch(k) { // before it is asked for, so that nothing is missed
		d, err := find(ctx, q, k.host, k.kind)
		if err != nil {
			return false, err
		}
		if d.Applied >= version || !d.Answers || d.Problem != "" {
			return true, nil
		}
		if !s.crew.Wake(k) { // nobody works here but who waits
			if err := s.apply(ctx, k); fault.Is(err, fault.Unavailable) {
				return false, op.Retry(err)
			} else if err != nil {
				return false, err
			}
			continue
		}
		select {
		case <-p.Made:
			if p.Version >= version {
				return true, nil
			}
		case <-done:
			return false, ctx.Err()
		}
	}
}

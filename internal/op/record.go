package op

import (
	"errors"
	"time"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/uid"
)

// ID is an operation's id; clients know it as the job's.
type ID = uid.Op

// Key names the thing that an operation works on. Operations on one thing take turns.
type Key string

// On is the key of a thing of some kind.
func On(kind string, id interface{ String() string }) Key { return Key(kind + "/" + id.String()) }

// State is where an operation stands.
type State string

// The states. The first three are open, the others final.
const (
	Running State = "running" // or queued, or waiting
	Undoing State = "undoing"
	Stuck   State = "stuck" // an undo failed: an operator must look
	Done    State = "done"
	Failed  State = "failed" // and undone
)

// Request says on whose behalf an operation runs and what it is about.
type Request struct {
	Thing       Key
	Caller      auth.Caller
	Account     uid.Account // owner of the thing, who may see the job; the caller's where empty
	Domain      uid.Domain
	Command     string // the API command that asked
	SubjectKind string // what the job is about: VirtualMachine, Network …
	SubjectID   string
	Event       uid.Event // the Scheduled event of this job
	Fresh       bool      // the thing is made by this request, so that no other operation can be on it
}

// Record is an operation as it stands in the database.
type Record struct {
	ID          ID
	Plan        string
	Thing       Key
	State       State
	Step        int    // how many steps are done or, undoing, may still have to be undone
	StepName    string // the present one
	Data        string // the plan's state, JSON
	Attempt     int
	TriedSince  time.Time `bun:",nullzero"`
	FaultKind   fault.Kind
	FaultText   string
	FaultDetail string
	Canceled    bool
	Owner       string
	Fence       int64
	Seq         int64
	Turn        bool
	RunAt       time.Time
	Command     string
	UserID      uid.User
	AccountID   uid.Account
	DomainID    uid.Domain
	SubjectKind string
	SubjectID   string
	EventID     uid.Event
	Created     time.Time
	Updated     time.Time
	Finished    time.Time `bun:",nullzero"`
}

// Open tells whether the operation has not ended yet.
func (r Record) Open() bool { return r.Finished.IsZero() }

// Err is why the operation failed, is being undone, or is stuck; nil otherwise.
func (r Record) Err() error {
	if r.FaultText == "" {
		return nil
	}
	return &fault.Error{Kind: r.FaultKind, Text: r.FaultText, Detail: r.FaultDetail}
}

// StepRecord is one step that ran.
type StepRecord struct {
	OperationID ID
	Seq         int64
	Name        string
	Action      string // do, undo
	Error       string
	At          time.Time
}

type retry struct{ cause error }

func (r retry) Error() string { return r.cause.Error() }
func (r retry) Unwrap() error { return r.cause }

// Retry says that a step may well succeed when it is tried again: a host that does not answer, for instance.
func Retry(err error) error {
	if err == nil {
		return nil
	}
	return retry{err}
}

func isRetry(err error) bool {
	_, ok := errors.AsType[retry](err)
	return ok
}

var (
	// errFenced: another server has taken the operation over, or it ended; whatever this one still does to it is void.
	errFenced = errors.New("the operation belongs to another server now")
	// errStopped is why a step's context ends when the engine stops; the step is run again later.
	errStopped = errors.New("the server is stopping")
	// errCanceled is why a step's context ends when the operation is cancelled.
	errCanceled = errors.New("the operation was cancelled")
)

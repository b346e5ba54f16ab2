package api

import (
	"reflect"

	"github.com/virga-cloud/virga/uid"
)

// Role is a set of kinds of callers: who may use a command, or what one caller is (one bit then).
type Role uint8

// The kinds of callers, by CloudStack's role bits, and the sets in use.
const (
	RootAdmin     Role = 1
	ResourceAdmin Role = 2
	DomainAdmin   Role = 4
	User          Role = 8

	RootOnly      = RootAdmin
	Admins        = RootAdmin | ResourceAdmin | DomainAdmin
	Everyone      = Admins | User
	NoOne    Role = 0
)

// Allows tells whether a caller of that role is in the set.
func (r Role) Allows(caller Role) bool { return r&caller != 0 }

// Call is a command that answers with its outcome. Out is a wire struct.
type Call[In, Out any] struct {
	Name   string // the command, as in command=
	Noun   string // the reference page it stands on ("Virtual machine")
	Doc    string // a sentence or more for the reference
	Role   Role   // whose callers may use it
	Object string // the name round Out in the envelope; "" puts the fields directly into it
	Event  string // the type of the event it leaves; "" for none
	Since  string // the CloudStack version that brought it; "" for from the beginning
	// Creates says that the command makes a thing, whose id is the outcome's: its input embeds Once.
	Creates bool
	// Session marks a command that lives outside the mux because it makes or ends a session (login, logout).
	Session bool
	// Open says that who has not signed in may use the command, too: sign-in pages are made of such.
	Open bool
}

// Job is a command that starts an operation and answers with its job's id. Out is what the finished job shows.
type Job[In, Out any] struct {
	Name   string
	Noun   string
	Doc    string
	Role   Role
	Object string // the name round Out inside jobresult; "" puts the fields directly into it
	Event  string
	Since  string
	// Creates says that the command makes a thing that exists at once: the answer carries its id beside the job's, and the
	// input embeds Once.
	Creates bool
	// DryRun is a value of the wire struct that the command answers with, and starts no job, where its input asks for that, or a
	// nil pointer to one; nil where no input can.
	DryRun any
}

// List is a command that answers with a page of items.
type List[In, Item any] struct {
	Name   string
	Noun   string
	Doc    string
	Role   Role
	Object string // the name of an item
	Event  string
	Since  string
	// Creates says that the command makes a thing and answers with a list of it alone, as CloudStack does for some; its input
	// embeds Once.
	Creates bool
	// Open says that who has not signed in may use the command, too.
	Open bool
	// Other is the form in which items are shown where the input asks for that; zero where no input can.
	Other Form
}

// Form is another form of a list's items.
type Form struct {
	Object string // the name of an item
	Item   any    // a nil pointer to an item's wire struct
}

// Command is a declared command of any kind: a Call, a Job or a List.
type Command interface {
	// Describe gives the walked, type-erased form; the same declaration always gives the same pointer.
	// It panics when the declaration is wrong.
	Describe() *Description
}

// NameOf is the name of a declared command. It walks nothing, as Describe does.
func NameOf(c Command) string {
	if n, ok := c.(interface{ name() string }); ok {
		return n.name()
	}
	return c.Describe().Name
}

func (c Call[In, Out]) name() string  { return c.Name }
func (j Job[In, Out]) name() string   { return j.Name }
func (l List[In, Item]) name() string { return l.Name }

// Describe implements Command.
func (c Call[In, Out]) Describe() *Description {
	return describe[In, Out](c, Description{Name: c.Name, Noun: c.Noun, Doc: c.Doc, Role: c.Role, Object: c.Object,
		Event: c.Event, Since: c.Since, Kind: KindCall, Creates: c.Creates, Session: c.Session, Open: c.Open})
}

// Describe implements Command.
func (j Job[In, Out]) Describe() *Description {
	d := Description{Name: j.Name, Noun: j.Noun, Doc: j.Doc, Role: j.Role, Object: j.Object,
		Event: j.Event, Since: j.Since, Kind: KindJob, Creates: j.Creates}
	if j.DryRun != nil {
		t := reflect.TypeOf(j.DryRun)
		if t.Kind() == reflect.Pointer {
			t = t.Elem()
		}
		d.dryRun = shapeOf(t)
	}
	return describe[In, Out](j, d)
}

// Describe implements Command.
func (l List[In, Item]) Describe() *Description {
	d := Description{Name: l.Name, Noun: l.Noun, Doc: l.Doc, Role: l.Role, Object: l.Object,
		Event: l.Event, Since: l.Since, Kind: KindList, Creates: l.Creates, Open: l.Open}
	if l.Other != (Form{}) {
		d.other = &form{l.Other.Object, shapeOf(reflect.TypeOf(l.Other.Item).Elem())}
	}
	return describe[In, Item](l, d)
}

// None is the input of a command without parameters.
type None struct{}

// Success is the outcome of a command that has nothing to show.
type Success struct {
	Success     bool   `json:"success" doc:"Whether the command succeeded."`
	DisplayText string `json:"displaytext,omitempty" doc:"A text that explains the outcome, where there is one."`
	JobID       uid.Op `json:"jobid,omitempty" doc:"The ID of the job that did the work, where one did."`
	JobStatus   *int   `json:"jobstatus,omitempty" doc:"The status of that job: 0 pending, 1 succeeded, 2 failed."`
}

// Page is one page of a list.
type Page[T any] struct {
	Count int // how many there are in all, on every page together
	Items []T // those of this page
	// Other are those of this page in the other form that the command declares, as a slice of its wire struct; nil where the
	// input did not ask for it. There are no Items then.
	Other any
}

// Started is the first answer of a job.
type Started struct {
	ID    string // the new thing's id; only for jobs that create
	JobID uid.Op // what queryAsyncJobResult asks for
	// DryRun is the answer in the place of a job, of the type that the command declares for it; nil where a job was started.
	DryRun any
}

// started is Started on the wire.
type started struct {
	ID    string `json:"id,omitempty" doc:"The ID of the new thing."`
	JobID uid.Op `json:"jobid" doc:"The ID of the job."`
}

// onlyStarted is started for jobs that make nothing.
type onlyStarted struct {
	JobID uid.Op `json:"jobid" doc:"The ID of the job."`
}

// Once lets a request that makes a thing be repeated without making another one.
type Once struct {
	IdempotencyKey string `api:"idempotencykey" doc:"A text of your choice that stands for this request. The same request again under the same key is answered with what the first one made; another request under it is refused. Keys are kept for a day. The header Idempotency-Key does the same."`
}

// Paging chooses a page of a list, and filters it by a word. Both numbers come together or not at all.
type Paging struct {
	Page     int    `api:"page" doc:"The page to show, from 1. Goes together with pagesize."`
	PageSize int    `api:"pagesize" doc:"How many items a page has. Goes together with page; -1 alone shows everything."`
	Keyword  string `api:"keyword" doc:"Shows only items with this word in their name or description."`
}

// Window gives the rows a page covers: how many to skip, and how many to show at most. Limit -1 means no limit. The Paging
// that a handler gets is already checked and has the default size filled in.
func (p Paging) Window() (offset, limit int) {
	if p.PageSize < 0 {
		return 0, -1
	}
	return max(p.Page-1, 0) * p.PageSize, p.PageSize
}

// Scope says whose things a list shows. Without any of it: the caller's own account's.
type Scope struct {
	Account   string     `api:"account" doc:"Shows only what belongs to the account of this name. Goes together with domainid."`
	DomainID  uid.Domain `api:"domainid" doc:"Shows only what belongs to this domain."`
	Recursive bool       `api:"isrecursive" doc:"Shows what belongs to subdomains, too."`
	ListAll   bool       `api:"listall" doc:"Shows everything the caller may see, not only the caller's own."`
}

package cloudstack

import (
	"time"

	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/uid"
)

// ListEvents shows events.
var ListEvents = api.List[ListEventsIn, Event]{
	Name: "listEvents", Noun: "Event", Role: api.Everyone, Object: "event",
	Doc: "Lists events: what was done and what happened, the latest first.",
}

// ListEventsIn chooses events.
type ListEventsIn struct {
	api.Paging
	api.Scope
	InProject
	ID           uid.Event `api:"id" doc:"Shows only the event with this ID."`
	Type         string    `api:"type" doc:"Shows only events of this type, VM.START for instance."`
	Level        string    `api:"level" doc:"Shows only events of this level: INFO, WARN or ERROR."`
	StartDate    time.Time `api:"startdate" doc:"Shows only events on this date or later."`
	EndDate      time.Time `api:"enddate,end" doc:"Shows only events on this date or earlier; a date without a time is the whole day."`
	ResourceID   string    `api:"resourceid,since=4.17.0" doc:"Shows only events about the thing with this ID. Goes together with resourcetype."`
	ResourceType string    `api:"resourcetype,since=4.17.0" doc:"Shows only events about things of this kind, VirtualMachine for instance."`
	StartID      uid.Event `api:"startid" doc:"Shows only this event and those that follow from it."`
	State        string    `api:"state,since=4.21.0" doc:"Shows only events in this state: Created, Scheduled, Started or Completed."`
	EntryTime    *int      `api:"entrytime" doc:"Shows only what began at most this many seconds ago and has not come to an end. Goes together with duration, and must be more."`
	Duration     *int      `api:"duration" doc:"Shows only what began at least this many seconds ago and has not come to an end. Goes together with entrytime."`
	Archived     bool      `api:"archived,since=4.19.0" doc:"Shows only events that were archived. None ever is: old events are removed, see the setting event.purge.delay."`
}

// Event is something that was done, or happened.
type Event struct {
	ID          uid.Event `json:"id" doc:"The ID of the event."`
	Type        string    `json:"type" doc:"The type of the event, VM.START for instance."`
	Level       string    `json:"level" doc:"INFO, WARN or ERROR."`
	State       string    `json:"state" doc:"Created, Scheduled, Started or Completed."`
	Description string    `json:"description" doc:"What was done, or happened."`
	Owner
	Username     string    `json:"username,omitempty" doc:"The name of the user who did it."`
	ResourceType string    `json:"resourcetype,omitempty" doc:"The kind of the thing it was about."`
	ResourceID   string    `json:"resourceid,omitempty" doc:"The ID of the thing it was about."`
	ParentID     uid.Event `json:"parentid,omitempty" doc:"The ID of the event that began it."`
	Created      api.Time  `json:"created,omitzero" doc:"When it was."`
	Pending
}

// ListEventTypes shows what types of events there are.
var ListEventTypes = api.List[api.None, EventType]{
	Name: "listEventTypes", Noun: "Event", Role: api.Everyone, Object: "eventtype",
	Doc: "Lists the types of events that this cloud writes.",
}

// EventType is a type of events.
type EventType struct {
	Name string `json:"name" doc:"The name of the type, VM.START for instance."`
	Pending
}

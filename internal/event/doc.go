// Package event records what happened to whose things: an event is a row that is written in the transaction of the change it
// tells of, so that there is never the one without the other. Users read events with listEvents; nothing in the house is
// driven by them.
package event

package audit

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/virga-cloud/virga/uid"
)

// Kind says what a record tells of.
type Kind string

// The kinds of records.
const (
	OfCall Kind = "call" // a call has come to its answer
	OfEnd  Kind = "end"  // a job that a call began has come to its end
)

// Done is the result of what was done; what was not has the kind of its fault as its result.
const Done = "done"

// Record is one line of the log. Its JSON form is what is hashed and exported, and so never changes.
type Record struct {
	Seq      int64       `json:"seq"` // from 1, without gaps
	ID       string      `json:"id"`
	Time     time.Time   `json:"time"`
	Kind     Kind        `json:"kind"`
	Command  string      `json:"command"`
	Result   string      `json:"result"`
	User     uid.User    `json:"user" bun:"user_id"`
	Username string      `json:"username"`
	Account  uid.Account `json:"account" bun:"account_id"`
	Key      uid.KeyPair `json:"key" bun:"key_id"`      // the pair of keys that signed, "" in sessions
	Remote   string      `json:"from" bun:"remote"`     // the client's address
	Request  string      `json:"request" bun:"request"` // X-Request-ID, as in the server's log
	Named    string      `json:"named"`                 // the things that the request named: "id=… zoneid=…"
	Subject  string      `json:"subject"`               // the thing that it was done to
	Event    uid.Event   `json:"event" bun:"event_id"`  // its event; a call and the end of its job have the same
	Job      uid.Op      `json:"job" bun:"job_id"`      // in ends
	Prev     string      `json:"prev"`                  // the hash of the record before
	Hash     string      `json:"hash,omitempty"`        // of all of this but itself
}

// none is the hash before the first record.
var none = hex.EncodeToString(make([]byte, sha256.Size))

// hash is what the record's own hash has to be.
func (r Record) hash() string {
	r.Hash, r.Time = "", r.Time.UTC()
	text, err := json.Marshal(r)
	if err != nil { // texts, numbers and a time
		panic(fmt.Sprintf("audit: %v", err))
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

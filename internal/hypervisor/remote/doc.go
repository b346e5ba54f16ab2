// Package remote drives hosts that have an agent. Its [Driver] puts each call into a message to the host's agent, where [Serve] hands it
// to the driver of that host; what comes back is what that driver said. A call is one row of the table in calls.go, which both sides
// share.
package remote

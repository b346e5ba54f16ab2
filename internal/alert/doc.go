// Package alert tells operators what is wrong with the cloud itself: a host that does not answer, a cluster that is nearly full.
// An alert is raised once for as long as its cause lasts, in the transaction that finds the cause, and says when the cause went.
// Users never see alerts; what happens to their things are events.
package alert

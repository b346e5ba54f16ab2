// Package node is what runs on a host: the agent. It introduces itself to the cloud with a token once, then holds a connection to each
// of the cloud's servers, for ever, and has its driver do what they ask. It keeps its key and its host's id in a folder, where only its
// user can read. Machines need it for nothing: it may end and come back while they run.
package node

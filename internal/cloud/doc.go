// Package cloud puts the house together: it opens the database and the drivers, makes the services over them, registers the
// plans and the keepers, and hands out the facades. The binary and the tests of the whole run the same cloud. Nothing but
// wiring is here, what looks after the whole (watch.go), and the sandbox of "virga dev" with its seed, which puts itself back to its
// beginning; rules live in the services.
package cloud

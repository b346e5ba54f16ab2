// Package bench measures a cloud from where its clients are: how long lists take, how long it is from a deployment's call until the
// machine runs, and the steps of a machine's life, with as many clients at once as are asked for. It is a client like any other and
// takes any cloud with CloudStack's API. What it makes it removes, also when it is interrupted, and says what it couldn't remove.
package bench

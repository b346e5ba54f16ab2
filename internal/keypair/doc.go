// Package keypair keeps the public halves of accounts' SSH keys, which machines let their users in by. A private half that is
// made here is handed out once and kept nowhere.
package keypair

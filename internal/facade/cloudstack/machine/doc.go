// Package machine translates the commands about machines that are the operators' (moving them from host to host), and those by which
// users get into theirs: passwords and SSH keys.
package machine

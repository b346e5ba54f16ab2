// Package agents translates the commands about the tokens that agents of hosts introduce themselves with.
package agents

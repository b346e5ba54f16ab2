// Package project translates the commands about projects: who belongs to them, who is invited, and their roles.
package project

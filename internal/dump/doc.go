// Package dump writes down what a cloud says of itself to one caller, for bug reports: every list, the events of the last hours, the
// jobs that are at work. What is secret is left out, and so is nothing else: what could not be had is named with the reason.
package dump

// Package image owns what machines are made from: templates and ISOs, the zones that they are in and the stores that keep them
// there, and the operating system types that describe them.
package image

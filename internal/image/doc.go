// Package image owns what machines are made from: templates, and the operating system types that describe them.
package image

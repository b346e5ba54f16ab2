// Package fetch asks other machines for documents, with bounds: how long it may take, how large an answer may be, and whom to ask at
// all. What it gives is as trustworthy as the address that it was asked for.
package fetch

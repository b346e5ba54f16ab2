// Package document owns the documents that hosts are given as a whole: the rules of their cards, who their peers are. A document
// has a version that rises with every change that concerns the host. Packages above say what stands in it ([Giver]); who changes
// something asks for a newer one ([Want]) in a transaction that sees all that it is to say, and waits for [Service.Reached] where
// an operation must see the effect. A host that was away is given the newest one and needs nothing of what it missed.
package document

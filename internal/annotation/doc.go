// Package annotation keeps remarks that users write on things, for whoever else works on them. A remark lies in the reach of whom its
// thing belongs to, unless it is for root admins only; who wrote it may take it back.
package annotation

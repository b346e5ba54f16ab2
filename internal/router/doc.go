// Package router owns virtual routers: what stands between a guest network and the rest of the world, and what tells its guests who
// they are. A router is driven by one document that says all that it must be, made anew from the database whenever the network's
// revision has gone past the version that the router was given last; of its guests it says what has changed
// since. Packages above say what stands in it ([Source]); who changes
// something bumps the revision ([network.Touch]), and waits for [Service.Reached] where an operation must see the effect.
package router

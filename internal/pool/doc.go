// Package pool owns primary storage: the pools that hold volumes, and how much of each is allocated.
package pool

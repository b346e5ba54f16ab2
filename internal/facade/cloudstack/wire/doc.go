// Package wire puts things into the words of CloudStack's API where that takes nothing but the thing itself: no look-up and no caller.
package wire

package auth

import "time"

// LockTime is how long the nth lock lasts.
//
// After as many wrong passwords as are allowed a user is locked out for the setting's time, and after each further so many for
// twice as long as the last time, up to the setting's longest. A right password starts it anew.
//
// CloudStack disables such a user until an admin enables it again, with which anybody who knows an admin's name takes the
// cloud from its admins for good. Here who guesses has, with the settings' defaults, at most 120 tries a day, has to keep at it
// to keep a user out, and never touches the sessions and API keys that the user has.
func LockTime(first, longest time.Duration, n int) time.Duration {
	for range min(n-1, 32) {
		first = min(2*first, max(longest, first))
	}
	return first
}

// Package doctor examines a cloud as one of its users: does it answer, does it know who asks, and is there anything in it that will
// make somebody unhappy soon. A finding says what is wrong, why that matters and what to do about it. The doctor is a client like any
// other: what the caller may not see is skipped, and said to be. Nothing is changed.
package doctor

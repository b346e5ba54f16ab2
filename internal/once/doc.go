// Package once makes a request that creates something safe to repeat. A caller marks it with an idempotency key; the transaction
// that creates the thing records the key with the thing's id, and the same request again is answered with that thing. Keys belong
// to a user, so that two users may choose the same one.
package once

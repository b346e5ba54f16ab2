package auth

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"time"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/secret"
	"github.com/virga-cloud/virga/uid"
)

// Sessions are the signed-in users: each has a cookie, which says who it is, and a session key, which a page of another site
// can't know. The database holds hashes of both, so that who reads it can't sign in with what is there; all servers share it.
type Sessions struct {
	db   *db.DB
	idle func() time.Duration
}

// touchEvery is how exact the time of last use is: a session's use is written at most this often.
const touchEvery = time.Minute

// NewSessions gives the sessions in d. A session ends when nobody used it for idle, which is asked each
// time and should be some minutes at least.
func NewSessions(d *db.DB, idle func() time.Duration) *Sessions { return &Sessions{db: d, idle: idle} }

// Idle is how long a session lives without being used.
func (s *Sessions) Idle() time.Duration { return s.idle() }

type session struct {
	ID         string `bun:",pk"`
	UserID     uid.User
	SessionKey string
	Created    time.Time
	LastUsed   time.Time
	Waiting    bool
}

// Open begins a session of a user and gives its cookie and its session key, both safe in URLs.
func (s *Sessions) Open(ctx context.Context, user uid.User) (cookie, sessionKey secret.String, err error) {
	return s.open(ctx, user, false)
}

// OpenWaiting begins a session whose user has a second factor to give first.
func (s *Sessions) OpenWaiting(ctx context.Context, user uid.User) (cookie, sessionKey secret.String, err error) {
	return s.open(ctx, user, true)
}

func (s *Sessions) open(ctx context.Context, user uid.User, waiting bool) (cookie, sessionKey secret.String, err error) {
	err = s.db.Write(ctx, func(ctx context.Context, tx db.Tx) (err error) {
		cookie, sessionKey, err = s.OpenIn(ctx, tx, user, waiting)
		return err
	})
	return cookie, sessionKey, err
}

// OpenIn is Open in a transaction that does more. A waiting session's user has a second factor to give first.
func (s *Sessions) OpenIn(ctx context.Context, tx db.Tx, user uid.User, waiting bool) (cookie, sessionKey secret.String, err error) {
	cookie, sessionKey = random(32), random(20)
	return cookie, sessionKey, insertSession(ctx, tx, session{
		ID: digest(cookie), UserID: user, SessionKey: digest(sessionKey), Created: tx.Now, LastUsed: tx.Now, Waiting: waiting,
	})
}

// SessionID is what a session has in the database, by its cookie: what knows more of some sessions keeps it under that.
func SessionID(cookie secret.String) string { return digest(cookie) }

// SignedIn is the session in which somebody calls.
type SignedIn struct {
	Cookie  secret.String // empty for who signs requests
	Waiting bool          // for the second factor: it is good for nothing but that
}

type signedInKey struct{}

// WithSession gives a context in which the caller has signed in.
func WithSession(ctx context.Context, s SignedIn) context.Context {
	return context.WithValue(ctx, signedInKey{}, s)
}

// SessionOf is the session in which somebody calls in ctx; the zero value for none.
func SessionOf(ctx context.Context) SignedIn {
	s, _ := ctx.Value(signedInKey{}).(SignedIn)
	return s
}

// Find is [Sessions.Look] for who only wants to know whose session it is.
func (s *Sessions) Find(ctx context.Context, cookie, sessionKey secret.String) (uid.User, error) {
	user, _, err := s.Look(ctx, cookie, sessionKey)
	return user, err
}

// Look tells whose session the cookie is of, and whether it waits for a second factor, and keeps it alive. A session key,
// where one is given, must be the session's;
// a wrong one ends the session, for it is a guess. Whether a request may do without is the facade's rule. All that is wrong
// is fault.Unauthenticated, in the same words.
func (s *Sessions) Look(ctx context.Context, cookie, sessionKey secret.String) (user uid.User, waiting bool, err error) {
	id, now := digest(cookie), s.db.Now()
	found, err := findSession(ctx, s.db.Read(), id)
	switch {
	case db.IsNone(err):
		return "", false, errNoSession()
	case err != nil:
		return "", false, err
	}
	if !now.Before(found.LastUsed.Add(s.idle())) || !sessionKey.IsEmpty() && !sameDigest(sessionKey, found.SessionKey) {
		if err := s.Close(ctx, cookie); err != nil {
			return "", false, err
		}
		return "", false, errNoSession()
	}
	if now.Sub(found.LastUsed) >= touchEvery {
		err = s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
			return touchSession(ctx, tx, id, tx.Now)
		})
	}
	return found.UserID, found.Waiting, err
}

// Close ends a session. That there is none is no error.
func (s *Sessions) Close(ctx context.Context, cookie secret.String) error {
	return s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error { return s.CloseIn(ctx, tx, cookie) })
}

// CloseIn is Close in a transaction that does more.
func (s *Sessions) CloseIn(ctx context.Context, tx db.Tx, cookie secret.String) error {
	return deleteSession(ctx, tx, digest(cookie))
}

// AdmitIn lets a session of a user do everything, in the transaction that takes the second factor. With no cookie it does nothing.
func (s *Sessions) AdmitIn(ctx context.Context, tx db.Tx, cookie secret.String, user uid.User) error {
	return admitSession(ctx, tx, digest(cookie), user)
}

// CloseOthersOf ends all sessions of a user but one.
func (s *Sessions) CloseOthersOf(ctx context.Context, tx db.Tx, user uid.User, cookie secret.String) error {
	return deleteOtherSessionsOf(ctx, tx, user, digest(cookie))
}

// CloseByID ends sessions by what they have in the database.
func (s *Sessions) CloseByID(ctx context.Context, tx db.Tx, ids ...string) error {
	for _, id := range ids {
		if err := deleteSession(ctx, tx, id); err != nil {
			return err
		}
	}
	return nil
}

// CloseAllOf ends all sessions of a user in the transaction that changes its password, disables or removes it.
func (s *Sessions) CloseAllOf(ctx context.Context, tx db.Tx, user uid.User) error {
	return deleteSessionsOf(ctx, tx, user)
}

// Sweep removes what is left of sessions that ended by not being used, and says how many they were.
func (s *Sessions) Sweep(ctx context.Context) (int, error) {
	var n int
	err := s.db.Write(ctx, func(ctx context.Context, tx db.Tx) (err error) {
		n, err = deleteIdleSessions(ctx, tx, tx.Now.Add(-s.idle()))
		return err
	})
	return n, err
}

func errNoSession() error {
	return fault.New(fault.Unauthenticated, "unable to verify user credentials")
}

func random(bytes int) secret.String {
	b := make([]byte, bytes)
	_, _ = rand.Read(b) // never fails
	return secret.New(base64.RawURLEncoding.EncodeToString(b))
}

// digest needs no salt and no cost: what it hides has 160 random bits or more.
func digest(s secret.String) string {
	sum := sha256.Sum256([]byte(s.Reveal()))
	return hex.EncodeToString(sum[:])
}

func sameDigest(s secret.String, stored string) bool {
	return secret.New(digest(s)).Equal(secret.New(stored))
}

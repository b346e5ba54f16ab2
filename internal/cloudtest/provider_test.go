package cloudtest_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/virga-cloud/virga/uid"
)

// provider is an OpenID Connect provider, or a GitHub Enterprise site, that lies as it is told.
type provider struct {
	*httptest.Server
	t   *testing.T
	now func() time.Time
	key *rsa.PrivateKey

	mu     sync.Mutex
	codes  map[string]grant
	asked  int // for tokens
	secret string

	claims  map[string]any                           // what its tokens say besides, nil values leave one out
	sign    func(p *provider, claims []byte) string  // how it signs them
	mails   []map[string]any                         // what GitHub knows
	userIn  func(p *provider, claims map[string]any) // what the user info says
	confirm bool                                     // whether it insists on PKCE
}

// grant is what a code stands for.
type grant struct{ who, nonce, challenge, redirect string }

const (
	clientID     = "virga-of-the-test"
	clientSecret = "c4n4ry-0f-th3-cl13nt"
	// backTo is where browsers come back to: no test goes there.
	backTo = "http://127.0.0.1:9/signed-in"
)

// keyOfTests is made once: it takes a while.
var keyOfTests = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

func newProvider(t *testing.T, now func() time.Time) *provider {
	t.Helper()
	p := &provider{t: t, now: now, key: keyOfTests(), codes: map[string]grant{}, sign: rs256, secret: clientSecret, confirm: true}
	m := http.NewServeMux()
	m.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, map[string]any{
			"issuer": p.URL, "authorization_endpoint": p.URL + "/authorize", "token_endpoint": p.URL + "/token", "jwks_uri": p.URL + "/keys",
			"userinfo_endpoint": p.URL + "/user", "id_token_signing_alg_values_supported": []string{"RS256", "HS256", "none"},
		})
	})
	m.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: p.key.Public(), KeyID: "one", Algorithm: "RS256", Use: "sig"}}})
	})
	m.HandleFunc("POST /token", p.token)
	m.HandleFunc("GET /user", func(w http.ResponseWriter, r *http.Request) {
		claims := map[string]any{"sub": "sub-of-" + r.Header.Get("Authorization")[len("Bearer "):]}
		if p.userIn != nil {
			p.userIn(p, claims)
		}
		answer(w, claims)
	})
	m.HandleFunc("POST /login/oauth/access_token", p.token)
	m.HandleFunc("GET /api/v3/user", func(w http.ResponseWriter, _ *http.Request) { answer(w, map[string]any{"id": 4711, "login": "ada"}) })
	m.HandleFunc("GET /api/v3/user/emails", func(w http.ResponseWriter, _ *http.Request) { answer(w, p.mails) })
	p.Server = httptest.NewServer(m)
	t.Cleanup(p.Close)
	return p
}

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}

// signIn is what somebody does on the provider's page: it gives the code and the state with which the browser is sent back.
func (p *provider) signIn(link, who string) (code, state string) {
	p.t.Helper()
	u, err := url.Parse(link)
	must(p.t, err)
	q := u.Query()
	if q.Get("client_id") != clientID || q.Get("redirect_uri") != backTo || q.Get("response_type") != "code" || q.Get("code_challenge_method") != "S256" ||
		q.Get("code_challenge") == "" || q.Get("state") == "" || q.Get("nonce") == "" || u.Path != "/authorize" && u.Path != "/login/oauth/authorize" {
		p.t.Fatalf("the browser was sent to %s", link)
	}
	code = string(uid.New[uid.Op]())
	p.mu.Lock()
	defer p.mu.Unlock()
	p.codes[code] = grant{who, q.Get("nonce"), q.Get("code_challenge"), q.Get("redirect_uri")}
	return code, q.Get("state")
}

func (p *provider) token(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	p.asked++
	g, ok := p.codes[r.PostFormValue("code")]
	delete(p.codes, r.PostFormValue("code"))
	p.mu.Unlock()
	id, key, basic := r.BasicAuth()
	if !basic {
		id, key = r.PostFormValue("client_id"), r.PostFormValue("client_secret")
	}
	challenge := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
	if !ok || id != clientID || key != p.secret || r.PostFormValue("redirect_uri") != g.redirect ||
		p.confirm && base64.RawURLEncoding.EncodeToString(challenge[:]) != g.challenge {
		w.WriteHeader(http.StatusBadRequest)
		answer(w, map[string]any{"error": "invalid_grant", "error_description": "no: " + key})
		return
	}
	claims := map[string]any{
		"iss": p.URL, "sub": "sub-of-" + g.who, "aud": clientID, "exp": p.now().Add(time.Minute).Unix(), "iat": p.now().Unix(), "nonce": g.nonce,
		"email": g.who + "@example.org", "email_verified": true,
	}
	maps.Copy(claims, p.claims)
	maps.DeleteFunc(claims, func(_ string, v any) bool { return v == nil })
	text, _ := json.Marshal(claims)
	answer(w, map[string]any{"access_token": g.who, "token_type": "Bearer", "id_token": p.sign(p, text)})
}

func jws(alg jose.SignatureAlgorithm, key any, claims []byte) string {
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, (&jose.SignerOptions{}).WithHeader("kid", "one"))
	if err != nil {
		panic(err)
	}
	token, err := s.Sign(claims)
	if err != nil {
		panic(err)
	}
	text, err := token.CompactSerialize()
	if err != nil {
		panic(err)
	}
	return text
}

func rs256(p *provider, claims []byte) string { return jws(jose.RS256, p.key, claims) }

// byHand is a token with any header and any signature.
func byHand(header string, claims, signature []byte) string {
	e := base64.RawURLEncoding
	return e.EncodeToString([]byte(header)) + "." + e.EncodeToString(claims) + "." + e.EncodeToString(signature)
}

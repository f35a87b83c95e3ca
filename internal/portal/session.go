package portal

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// session is who is signed in; it travels in a sealed cookie, nothing of it is kept here.
type session struct {
	Token       string
	Expires     time.Time // of the token, real time
	Seen        time.Time // last written, real time
	Nonce       string    // binds form tokens to this session
	AccountID   string
	AccountName string
	UserID      string
	UserName    string
	Kind        string // operator, partner or customer
	Own         bool   // the endpoint has purser's own operations
}

// How long a session lasts without being used, and how old its cookie may be before it is written again.
const (
	idleMost  = time.Hour
	seenEvery = 5 * time.Minute
)

// Names of cookies. The session is cut into pieces: browsers keep 4 KiB each, tokens may be longer.
const (
	sessionCookie = "purser_session"
	flashCookie   = "purser_flash"
	lookCookie    = "purser_look"
	basketCookie  = "purser_basket"
	pieceMost     = 3600
	piecesMost    = 6
)

func digest(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:8])
}

// seal makes a text that only this portal can read; purpose keeps one kind from being taken for another.
func (p *Portal) seal(purpose string, thing any) (string, error) {
	plain, err := json.Marshal(thing)
	if err != nil {
		return "", err
	}
	nonce := make([]byte, p.sealer.NonceSize())
	if _, err := io.ReadFull(p.config.Random, nonce); err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(p.sealer.Seal(nonce, nonce, plain, []byte(purpose))), nil
}

func (p *Portal) unseal(purpose, text string, thing any) bool {
	sealed, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(sealed) < p.sealer.NonceSize() {
		return false
	}
	n := p.sealer.NonceSize()
	plain, err := p.sealer.Open(nil, sealed[:n], sealed[n:], []byte(purpose))
	return err == nil && json.Unmarshal(plain, thing) == nil
}

func (v *visit) setCookie(name, value string, life time.Duration, strict bool) {
	c := &http.Cookie{Name: name, Value: value, Path: "/", HttpOnly: true, Secure: v.portal.secure(v.r), SameSite: http.SameSiteLaxMode, MaxAge: int(life / time.Second)}
	if strict {
		c.SameSite = http.SameSiteStrictMode
	}
	if value == "" {
		c.MaxAge = -1
	}
	http.SetCookie(v.w, c)
}

func pieceName(i int) string {
	if i == 0 {
		return sessionCookie
	}
	return sessionCookie + "_" + strconv.Itoa(i)
}

// keep writes the session to the browser.
func (v *visit) keep(s *session) error {
	s.Seen = v.real
	text, err := v.portal.seal("session", s)
	if err != nil {
		return err
	}
	if len(text) > pieceMost*piecesMost {
		return fmt.Errorf("the session is too large for cookies: %d bytes", len(text))
	}
	life := min(idleMost, s.Expires.Sub(v.real))
	for i := 0; i < piecesMost; i++ {
		piece := text[:min(len(text), pieceMost)]
		text = text[len(piece):]
		if _, err := v.r.Cookie(pieceName(i)); piece == "" && err != nil {
			break
		}
		v.setCookie(pieceName(i), piece, life, false)
	}
	return nil
}

// recall reads the session that the browser holds; nil: none that is good.
func (v *visit) recall() *session {
	var text strings.Builder
	for i := 0; i < piecesMost; i++ {
		c, err := v.r.Cookie(pieceName(i))
		if err != nil {
			break
		}
		text.WriteString(c.Value)
	}
	if text.Len() == 0 {
		return nil
	}
	var s session
	if !v.portal.unseal("session", text.String(), &s) || v.real.After(s.Expires) || v.real.Sub(s.Seen) > idleMost {
		v.expired = true
		return nil
	}
	return &s
}

// forget ends the session in the browser.
func (v *visit) forget() {
	for i := 0; i < piecesMost; i++ {
		if _, err := v.r.Cookie(pieceName(i)); err == nil {
			v.setCookie(pieceName(i), "", 0, false)
		}
	}
	v.setCookie(basketCookie, "", 0, false)
}

func (v *visit) random(n int) string {
	b := make([]byte, n)
	if _, err := io.ReadFull(v.portal.config.Random, b); err != nil {
		panic(err) // the system has no randomness
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

// once is a new form token: good for one deed of this session. It is the deed's Idempotency-Key too.
func (v *visit) once() string {
	nonce := v.random(15)
	return nonce + "." + v.portal.mark(v.session, nonce)
}

func (p *Portal) mark(s *session, nonce string) string {
	mac := hmac.New(sha256.New, p.config.Key)
	io.WriteString(mac, "form\n"+s.Nonce+"\n"+s.UserID+"\n"+nonce) //nolint:errcheck // never fails
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:16])
}

// token checks a form token and returns its nonce.
func (v *visit) token() (string, bool) {
	nonce, mark, ok := strings.Cut(v.r.PostFormValue("_once"), ".")
	return nonce, ok && hmac.Equal([]byte(mark), []byte(v.portal.mark(v.session, nonce)))
}

// deeds are the actions of the last hour, so that a form that is sent twice is done once and answered twice.
type deeds struct {
	mu    sync.Mutex
	known map[string]*deed
}

type deed struct {
	began time.Time
	over  chan struct{}
	out   outcome
	calls []call
}

const (
	deedLife  = time.Hour
	deedsMost = 2_000
)

// begin finds the deed of a token; mine: it is new and this visit does it.
func (d *deeds) begin(nonce string, now time.Time) (one *deed, mine bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if one = d.known[nonce]; one != nil {
		return one, false
	}
	if len(d.known) >= deedsMost {
		for key, old := range d.known {
			if now.Sub(old.began) > deedLife || len(d.known) >= 2*deedsMost {
				delete(d.known, key)
			}
		}
	}
	one = &deed{began: now, over: make(chan struct{})}
	d.known[nonce] = one
	return one, true
}

func (d *deeds) find(nonce string) *deed {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.known[nonce]
}

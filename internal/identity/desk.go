package identity

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/fault"
)

// Desk checks credentials. It keeps what it has found in memory and notices changes: its own at once (Changed),
// those of other processes within freshness.
type Desk struct {
	sealer *Sealer
	random io.Reader

	watch   db.Watch
	mu      sync.RWMutex
	serial  int64 // of what keys and tokens hold
	keys    map[string]*entry
	tokens  map[string]*entry
	hashing chan struct{} // bounds how many passwords are hashed at once: each takes 19 MiB

	sourcesMu sync.Mutex
	sources   map[string]*rate.Limiter
}

// entry is a credential that was found good.
type entry struct {
	caller  Caller
	secret  Secret
	token   []byte    // fingerprint of the security token of a temporary key
	expires time.Time // zero: never
	usable  error     // why not, when the user or the key is disabled
}

const (
	entriesMost = 50_000 // kept of each kind; beyond it the memory is emptied
	sourcesMost = 100_000
	perSource   = 30 // sign-ins a minute from one address
	sourceBurst = 60
)

// NewDesk makes a desk.
func NewDesk(sealer *Sealer, random io.Reader) *Desk {
	return &Desk{
		sealer: sealer, random: random, keys: map[string]*entry{}, tokens: map[string]*entry{},
		hashing: make(chan struct{}, 2), sources: map[string]*rate.Limiter{},
	}
}

// Changed makes the desk look whether identities have changed: called after a transaction that changed some.
func (d *Desk) Changed() { d.watch.Changed() }

// fresh empties the memory when somebody has changed identities since. It returns what later look-ups belong to.
func (d *Desk) fresh(ctx context.Context, r db.Reader) (db.Sight, error) {
	seen, err := d.watch.Look(ctx, r, readVersion)
	if err != nil || !seen.Moved {
		return seen, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if seen.Serial > d.serial {
		clear(d.keys)
		clear(d.tokens)
		d.serial = seen.Serial
	}
	return seen, nil
}

// keep remembers an entry, unless identities have changed since it was looked up, or it was looked up in an older snapshot.
func (d *Desk) keep(in map[string]*entry, name string, e *entry, seen db.Sight) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !seen.Keep || seen.Serial != d.serial {
		return
	}
	if len(in) >= entriesMost {
		clear(in)
	}
	in[name] = e
}

// Authenticate says who sent a request. Errors: see the table in the package comment.
func (d *Desk) Authenticate(ctx context.Context, r db.Reader, request *http.Request, body []byte) (Caller, error) {
	seen, err := d.fresh(ctx, r)
	if err != nil {
		return Caller{}, err
	}
	if token := request.Header.Get("X-Auth-Token"); token != "" {
		return d.byToken(ctx, r, Secret(token), seen)
	}
	header := request.Header.Get("Authorization")
	if header == "" {
		return Caller{}, refuse("the request has neither an Authorization header (access key) nor an X-Auth-Token header")
	}
	return d.bySignature(ctx, r, request, body, header, seen)
}

func (d *Desk) bySignature(ctx context.Context, r db.Reader, request *http.Request, body []byte, header string, seen db.Sight) (Caller, error) {
	_, real := r.Instant()
	s, err := parseAuthorization(header)
	if err != nil {
		return Caller{}, err
	}
	if err := s.checkDate(request, real, Skew); err != nil {
		return Caller{}, err
	}
	e, err := d.key(ctx, r, s.access, seen)
	if err != nil {
		return Caller{}, err
	}
	if err := s.verify(request, body, e.secret); err != nil {
		return Caller{}, err
	}
	if e.token != nil {
		if err := e.checkSecurityToken(&s, request, real); err != nil {
			return Caller{}, err
		}
	}
	if e.usable != nil {
		return Caller{}, e.usable
	}
	if claimed := request.Header.Get("X-Domain-Id"); claimed != "" && s.signedHeader("x-domain-id") && claimed != e.caller.DomainID {
		return Caller{}, fault.New(fault.Forbidden, "CBC.0155", "the access key does not belong to the account %s of the X-Domain-Id header", claimed)
	}
	return e.caller, nil
}

func (e *entry) checkSecurityToken(s *signature, request *http.Request, real time.Time) error {
	token := request.Header.Get("X-Security-Token")
	if token == "" || !s.signedHeader("x-security-token") {
		return refuse("a temporary access key needs the X-Security-Token header, signed")
	}
	if string(fingerprint(Secret(token))) != string(e.token) {
		return refuse("the security token does not belong to the access key")
	}
	if !real.Before(e.expires) {
		return fault.New(fault.Unauthenticated, "CBC.0154", "the temporary access key has expired")
	}
	return nil
}

// key finds an access key, in memory or in the store.
func (d *Desk) key(ctx context.Context, r db.Reader, access string, seen db.Sight) (*entry, error) {
	d.mu.RLock()
	e := d.keys[access]
	d.mu.RUnlock()
	if e != nil {
		return e, nil
	}
	kept, err := readKey(ctx, r, access)
	if errors.Is(err, db.ErrNoRows) {
		kept, err = readTemporary(ctx, r, access)
	}
	if errors.Is(err, db.ErrNoRows) {
		return nil, refuse("Get secretKey failed,ak:%s,err:ak not exist", printable(access))
	}
	if err != nil {
		return nil, err
	}
	e = &entry{token: kept.token, expires: kept.expires}
	if e.secret, err = d.sealer.open(access, kept.sealed); err != nil {
		return nil, err
	}
	if e.caller, e.usable, err = readCaller(ctx, r, kept.domain, kept.user); err != nil {
		return nil, err
	}
	if !kept.active && e.usable == nil {
		e.usable = refuse("Get secretKey failed,ak:%s,err:ak is inactive", access)
	}
	e.caller.AccessKey, e.caller.By = access, BySignature
	if e.token != nil {
		e.caller.By = ByTemporary
	}
	d.keep(d.keys, access, e, seen)
	return e, nil
}

// printable keeps text from outside from making a mess of an error message.
func printable(text string) string {
	if len(text) > 64 {
		text = text[:64]
	}
	quoted := strconv.QuoteToASCII(text)
	return quoted[1 : len(quoted)-1]
}

func (d *Desk) byToken(ctx context.Context, r db.Reader, token Secret, seen db.Sight) (Caller, error) {
	e, err := d.token(ctx, r, token, seen)
	if err != nil {
		return Caller{}, err
	}
	if e.usable != nil {
		return Caller{}, e.usable
	}
	return e.caller, nil
}

// token finds a token that has not expired, in memory or in the store.
func (d *Desk) token(ctx context.Context, r db.Reader, token Secret, seen db.Sight) (*entry, error) {
	_, real := r.Instant()
	print := string(fingerprint(token))
	d.mu.RLock()
	e := d.tokens[print]
	d.mu.RUnlock()
	if e == nil {
		kept, err := readToken(ctx, r, []byte(print))
		if errors.Is(err, db.ErrNoRows) {
			return nil, refuse("decrypt token fail")
		}
		if err != nil {
			return nil, err
		}
		e = &entry{expires: kept.Expires}
		if e.caller, e.usable, err = readCaller(ctx, r, kept.domain, kept.user); err != nil {
			return nil, err
		}
		e.caller.ProjectID, e.caller.By, e.caller.Issued = kept.Project, ByToken, kept.Issued
		d.keep(d.tokens, print, e, seen)
	}
	if !real.Before(e.expires) {
		return nil, fault.New(fault.Unauthenticated, "CBC.0154", "x_auth_token is expired")
	}
	return e, nil
}

// Throttle refuses a source address that tries to sign in too often.
func (d *Desk) Throttle(source string, real time.Time) error {
	d.sourcesMu.Lock()
	l := d.sources[source]
	if l == nil {
		if len(d.sources) >= sourcesMost {
			clear(d.sources)
		}
		l = rate.NewLimiter(rate.Limit(perSource)/60, sourceBurst)
		d.sources[source] = l
	}
	d.sourcesMu.Unlock()
	if l.AllowN(real, 1) {
		return nil
	}
	f := fault.New(fault.TooMany, "IAM.0111", "too many sign-ins from this address: try again in a minute")
	f.Retry = 60
	return f
}

// OwnsProject says whether the account has the project.
func (d *Desk) OwnsProject(ctx context.Context, r db.Reader, domain, project string) (bool, error) {
	key := domain + "/" + project
	d.mu.RLock()
	e := d.keys[key]
	d.mu.RUnlock()
	if e != nil {
		return true, nil
	}
	seen, err := d.fresh(ctx, r)
	if err != nil {
		return false, err
	}
	own, err := ownsProject(ctx, r, domain, project)
	if err == nil && own {
		d.keep(d.keys, key, &entry{}, seen) // no access key has a slash
	}
	return own, err
}

// Seal encrypts another room's secret under a name, as keys are; Unseal opens it.
func (d *Desk) Seal(name string, secret Secret) ([]byte, error) { return d.sealer.seal(name, secret) }

// ErrOtherKey: the sealing key is not the one that the store's secrets were sealed with.
var ErrOtherKey = errors.New("the sealing key (PURSER_KEY, or purser.key in the data folder) is not the one that sealed the secrets of this store")

// CheckKey says ErrOtherKey when the store has access keys and none of the first ones opens.
func (d *Desk) CheckKey(ctx context.Context, r db.Reader) error {
	sealed, err := someSealed(ctx, r)
	for access, secret := range sealed {
		if _, wrong := d.sealer.open(access, secret); wrong == nil {
			return nil
		}
		err = ErrOtherKey
	}
	return err
}

// Unseal decrypts what was sealed under the name.
func (d *Desk) Unseal(name string, sealed []byte) (Secret, error) { return d.sealer.open(name, sealed) }

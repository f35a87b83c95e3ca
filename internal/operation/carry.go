package operation

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/purser-cloud/purser/internal/bucket"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/identity"
	"github.com/purser-cloud/purser/internal/trace"
)

// TraceRules say how traces are carried.
type TraceRules struct {
	Every time.Duration // how often a tracker writes its files; zero: every five minutes
	Keep  time.Duration // how long files and digests are kept; zero: for ever
}

// carriersAtOnce is how many trackers one round carries.
const carriersAtOnce = 20

// CarryTraces writes what trackers have to carry, their digests, and takes away what is no longer kept; everything here goes by real
// time. Several nodes may do it at once: a tracker is leased, and who is too late writes the same objects again. It says how many
// objects were written.
func (c *Counter) CarryTraces(ctx context.Context, clock func() time.Time) (written int, err error) {
	if c.Objects == nil {
		return 0, nil
	}
	var list []trace.Tracker
	err = c.DB.View(ctx, realOnly(clock()), func(v *db.View) error {
		list, err = trace.Due(ctx, v, carriersAtOnce)
		return err
	})
	if err != nil {
		return 0, err
	}
	for i := range list {
		t, mine := &list[i], false
		err := c.DB.Update(ctx, realOnly(clock()), func(tx *db.Tx) error { mine, err = trace.Lease(ctx, tx, t); return err })
		if err != nil || !mine {
			return written, err
		}
		n, failed := c.carry(ctx, t, clock)
		written += n
		next, trouble := clock().Add(c.Carrying.every()), ""
		if failed != nil {
			if ctx.Err() != nil {
				return written, ctx.Err() // the lease runs out; somebody else goes on
			}
			next, trouble = clock().Add(carryAgain), failed.Error()
			c.Log.Error("traces were not carried", "customer", t.Customer, "tracker", t.Name, "error", failed)
		}
		if err := c.DB.Update(ctx, realOnly(clock()), func(tx *db.Tx) error { return trace.Release(ctx, tx, t, next, trouble) }); err != nil {
			return written, err
		}
	}
	return written, nil
}

// carryAgain is when a transfer that failed is tried again.
const carryAgain = time.Minute

func (r *TraceRules) every() time.Duration {
	if r.Every == 0 {
		return 5 * time.Minute
	}
	return r.Every
}

func realOnly(real time.Time) db.Instants { return db.Instants{Now: real, Real: real, About: "traces"} }

// carry does all that a tracker has to do: files, digests, what is no longer kept.
func (c *Counter) carry(ctx context.Context, t *trace.Tracker, clock func() time.Time) (written int, err error) {
	for more := true; more; {
		if err := c.DB.Update(ctx, realOnly(clock()), func(tx *db.Tx) (err error) { more, err = trace.TakeOver(ctx, tx, t); return err }); err != nil {
			return 0, err
		}
	}
	var files []trace.File
	var services []string
	err = c.DB.View(ctx, realOnly(clock()), func(v *db.View) error {
		if files, err = trace.Waiting(ctx, v, t); err != nil {
			return err
		}
		if t.Bucket == "" { // taken away: what still waits does so until there is one again
			return nil
		}
		services, err = trace.Services(ctx, v, t)
		return err
	})
	if err != nil {
		return 0, err
	}
	for i := range files { // what somebody was cut off at
		if err := c.DB.View(ctx, realOnly(clock()), func(v *db.View) error { return files[i].Load(ctx, v) }); err != nil {
			return written, err
		}
		if err := c.writeFile(ctx, &files[i], clock); err != nil {
			return written, err
		}
		written++
	}
	for _, service := range services {
		n, err := c.carryService(ctx, t, service, clock)
		if written += n; err != nil {
			return written, err
		}
	}
	for ctx.Err() == nil {
		more, err := c.writeDigest(ctx, t, clock)
		if err != nil || !more {
			return written, errors.Join(err, c.forgetFiles(ctx, t, clock))
		}
		written++
	}
	return written, ctx.Err()
}

// carryService writes files until no line of a service waits.
func (c *Counter) carryService(ctx context.Context, t *trace.Tracker, service string, clock func() time.Time) (written int, err error) {
	for ctx.Err() == nil {
		n, err := c.carryFiles(ctx, t, service, clock)
		if written += n; !errors.Is(err, trace.ErrMoved) {
			return written, err
		}
	}
	return written, ctx.Err()
}

// carryFiles writes files, each while the next one is being packed. When a line came in between, those that were packed are no
// longer right: trace.ErrMoved.
func (c *Counter) carryFiles(ctx context.Context, t *trace.Tracker, service string, clock func() time.Time) (written int, err error) {
	ctx, stop := context.WithCancel(ctx)
	packed, ended := make(chan *trace.File), make(chan error, 1)
	go func() {
		defer close(packed)
		ended <- c.packFiles(ctx, t, service, clock, packed)
	}()
	defer func() {
		stop()
		for range packed { // nobody reads the store any more when this returns
		}
	}()
	for f := range packed {
		if err := c.DB.Update(ctx, realOnly(clock()), func(tx *db.Tx) error { return f.Keep(ctx, tx) }); err != nil {
			return written, err
		}
		if err := c.writeFile(ctx, f, clock); err != nil {
			return written, err
		}
		written++
	}
	return written, <-ended
}

// packFiles packs the lines of a service that wait, file by file.
func (c *Counter) packFiles(ctx context.Context, t *trace.Tracker, service string, clock func() time.Time, packed chan<- *trace.File) error {
	var before *trace.File
	for {
		var f *trace.File
		err := c.DB.View(ctx, realOnly(clock()), func(v *db.View) (err error) { f, err = trace.Pack(ctx, v, c.Random, t, service, before); return err })
		if err != nil || f.Lines == 0 {
			return err
		}
		select {
		case packed <- f:
		case <-ctx.Done():
			return ctx.Err()
		}
		if f.Lines < trace.LinesMost {
			return nil
		}
		before = f
	}
}

// writeFile writes a planned file.
func (c *Counter) writeFile(ctx context.Context, f *trace.File, clock func() time.Time) error {
	if err := bucket.Within(c.Objects, f.Bucket).Put(ctx, f.Object, bytes.NewReader(f.Body), nil); err != nil {
		return err
	}
	return c.DB.Update(ctx, realOnly(clock()), func(tx *db.Tx) error { return f.Done(ctx, tx) })
}

// writeDigest writes the next digest that is due; more says that there was one.
func (c *Counter) writeDigest(ctx context.Context, t *trace.Tracker, clock func() time.Time) (more bool, err error) {
	var d trace.Digest
	err = c.DB.Update(ctx, realOnly(clock()), func(tx *db.Tx) error {
		at := *t // a transaction may be run again
		if d, more, err = trace.PlanDigest(ctx, tx, &at, c.Carrying.Keep); err == nil {
			t.DigestNext = at.DigestNext
		}
		return err
	})
	if err != nil || !more {
		return false, err
	}
	key, err := c.signingKey(ctx, clock())
	if err != nil {
		return false, err
	}
	var body []byte
	if err := c.DB.View(ctx, realOnly(clock()), func(v *db.View) error { body, err = d.Build(ctx, v, t, key); return err }); err != nil {
		return false, err
	}
	if err := bucket.Within(c.Objects, d.Bucket).Put(ctx, d.Object, bytes.NewReader(body), d.Meta()); err != nil {
		return false, err
	}
	return true, c.DB.Update(ctx, realOnly(clock()), func(tx *db.Tx) error { return d.Done(ctx, tx) })
}

// forgetFiles takes away digests with their files that are no longer kept, the oldest first.
func (c *Counter) forgetFiles(ctx context.Context, t *trace.Tracker, clock func() time.Time) error {
	for ctx.Err() == nil {
		var old []trace.Digest
		err := c.DB.View(ctx, realOnly(clock()), func(v *db.View) (err error) { old, err = trace.Old(ctx, v, t, forgottenAtOnce); return err })
		if err != nil || len(old) == 0 {
			return err
		}
		for i := range old {
			d := &old[i]
			var files []trace.File
			if err := c.DB.View(ctx, realOnly(clock()), func(v *db.View) (err error) { files, err = d.FilesOf(ctx, v); return err }); err != nil {
				return err
			}
			for j := range files {
				if err := bucket.Within(c.Objects, files[j].Bucket).Delete(ctx, files[j].Object); err != nil {
					return err
				}
			}
			if err := bucket.Within(c.Objects, d.Bucket).Delete(ctx, d.Object); err != nil {
				return err
			}
			if err := c.DB.Update(ctx, realOnly(clock()), func(tx *db.Tx) error { return d.Gone(ctx, tx) }); err != nil {
				return err
			}
		}
	}
	return ctx.Err()
}

const forgottenAtOnce = 50

// The key of digests: RSA, made once, sealed in the store.
const (
	keyBits  = 2048
	keyLabel = "purser: key of trace digests"
)

// Signing keeps the key of digests once it was opened. The zero Signing is ready.
type Signing struct {
	mu  sync.Mutex
	key *rsa.PrivateKey
}

// signingKey opens the key of digests; the first one who needs it makes it.
func (c *Counter) signingKey(ctx context.Context, real time.Time) (*rsa.PrivateKey, error) {
	if c.Signing != nil {
		c.Signing.mu.Lock()
		defer c.Signing.mu.Unlock()
		if c.Signing.key != nil {
			return c.Signing.key, nil
		}
	}
	sealed, _, err := c.keptKey(ctx, real)
	if errors.Is(err, db.ErrNoRows) {
		if err := c.makeKey(ctx, real); err != nil {
			return nil, err
		}
		sealed, _, err = c.keptKey(ctx, real)
	}
	if err != nil {
		return nil, fmt.Errorf("read the key of digests: %w", err)
	}
	opened, err := c.Identity.Unseal(keyLabel, sealed)
	if err != nil {
		return nil, fmt.Errorf("open the key of digests: %w", err)
	}
	parsed, err := x509.ParsePKCS8PrivateKey([]byte(opened.Reveal()))
	key, ok := parsed.(*rsa.PrivateKey)
	if err != nil || !ok {
		return nil, errors.New("the key of digests is no RSA key")
	}
	if c.Signing != nil {
		c.Signing.key = key
	}
	return key, nil
}

func (c *Counter) keptKey(ctx context.Context, real time.Time) (sealed []byte, public string, err error) {
	err = c.DB.View(ctx, realOnly(real), func(v *db.View) error { sealed, public, err = trace.Key(ctx, v); return err })
	return sealed, public, err
}

func (c *Counter) makeKey(ctx context.Context, real time.Time) error {
	key, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		return fmt.Errorf("make the key of digests: %w", err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return err
	}
	sealed, err := c.Identity.Seal(keyLabel, identity.Secret(private))
	if err != nil {
		return err
	}
	text := string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}))
	return c.DB.Update(ctx, realOnly(real), func(tx *db.Tx) error { return trace.KeepKey(ctx, tx, sealed, text) })
}

// TraceKey is the public half of the key of digests, as PEM; it is made when there is none yet.
func (c *Counter) TraceKey(ctx context.Context, real time.Time) (string, error) {
	if _, err := c.signingKey(ctx, real); err != nil {
		return "", err
	}
	_, public, err := c.keptKey(ctx, real)
	return public, err
}

// KnownDigests lists the digests that a bucket must have, as the store knows.
func (c *Counter) KnownDigests(ctx context.Context, real time.Time, name string) (list []string, err error) {
	err = c.DB.View(ctx, realOnly(real), func(v *db.View) error { list, err = trace.Known(ctx, v, name); return err })
	return list, err
}

package identity

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/ident"
)

// Key is a permanent access key. Secret is set only in the answer that makes it.
type Key struct {
	Access           string
	Secret           Secret
	DomainID, UserID string
	Active           bool
	Description      string
	Created          time.Time // real time
}

const secretLetters = 40

// AddKey makes an access key for a user of the account; a user has at most two.
func (d *Desk) AddKey(ctx context.Context, tx *db.Tx, domain, user, description string) (Key, error) {
	if _, err := FindUser(ctx, tx, domain, user); err != nil {
		return Key{}, err
	}
	access, err := ident.NewAccessKey(d.random)
	if err != nil {
		return Key{}, err
	}
	secret, err := ident.NewSecret(d.random, secretLetters)
	if err != nil {
		return Key{}, err
	}
	k := Key{Access: string(access), Secret: Secret(secret), DomainID: domain, UserID: user, Active: true, Description: description, Created: tx.Real}
	sealed, err := d.sealer.seal(k.Access, k.Secret)
	if err != nil {
		return Key{}, err
	}
	// A slot of its own for each of the two: the constraint holds the limit under any concurrency.
	for slot := 1; slot <= KeysMost; slot++ {
		added, err := insertKey(ctx, tx, &k, slot, sealed)
		if err != nil {
			return Key{}, fmt.Errorf("add the key: %w", err)
		}
		if added {
			return k, changed(ctx, tx)
		}
	}
	return Key{}, fault.New(fault.Invalid, "IAM.0005", "akSkNumExceed: a user has at most %d access keys; delete one first", KeysMost)
}

// FindKey finds a key of the account; secrets stay where they are.
func FindKey(ctx context.Context, r db.Reader, domain, access string) (Key, error) {
	k, err := readOwnKey(ctx, r, domain, access)
	if errors.Is(err, db.ErrNoRows) {
		return k, fault.New(fault.NotFound, "IAM.0004", "Could not find credential %s.", printable(access))
	}
	return k, err
}

// Keys lists the keys of a user, or of the whole account when no user is named.
func Keys(ctx context.Context, r db.Reader, domain, user string) ([]Key, error) {
	return listKeys(ctx, r, domain, user)
}

// UpdateKey turns a key on or off and describes it; nil leaves a field.
func (d *Desk) UpdateKey(ctx context.Context, tx *db.Tx, domain, access string, active *bool, description *string) (Key, error) {
	k, err := FindKey(ctx, tx, domain, access)
	if err != nil {
		return k, err
	}
	if active != nil {
		k.Active = *active
	}
	if description != nil {
		k.Description = *description
	}
	if err := updateKey(ctx, tx, &k); err != nil {
		return k, fmt.Errorf("update the key: %w", err)
	}
	return k, changed(ctx, tx)
}

// DeleteKey deletes a key for good.
func (d *Desk) DeleteKey(ctx context.Context, tx *db.Tx, domain, access string) error {
	found, err := deleteKey(ctx, tx, domain, access)
	if err != nil {
		return fmt.Errorf("delete the key: %w", err)
	}
	if !found {
		return fault.New(fault.NotFound, "IAM.0004", "Could not find credential %s.", printable(access))
	}
	return changed(ctx, tx)
}

// Temporary is a temporary access key.
type Temporary struct {
	Access        string
	Secret        Secret
	SecurityToken Secret
	Expires       time.Time // real time
}

// AddTemporary makes a temporary key that may do what the user may, for a while (15 minutes to 24 hours).
func (d *Desk) AddTemporary(ctx context.Context, tx *db.Tx, domain, user string, life time.Duration) (Temporary, error) {
	if life < TempLeast || life > TempMost {
		return Temporary{}, fault.New(fault.Invalid, "IAM.0006", "duration_seconds must be from %d to %d", int(TempLeast/time.Second), int(TempMost/time.Second))
	}
	access, err := ident.NewAccessKey(d.random)
	if err != nil {
		return Temporary{}, err
	}
	secret, err := ident.NewSecret(d.random, secretLetters)
	if err != nil {
		return Temporary{}, err
	}
	token, err := ident.NewSecret(d.random, 128)
	if err != nil {
		return Temporary{}, err
	}
	t := Temporary{Access: string(access), Secret: Secret(secret), SecurityToken: Secret(token), Expires: tx.Real.Add(life)}
	sealed, err := d.sealer.seal(t.Access, t.Secret)
	if err != nil {
		return Temporary{}, err
	}
	if err := insertTemporary(ctx, tx, t.Access, domain, user, sealed, fingerprint(t.SecurityToken), t.Expires); err != nil {
		return Temporary{}, fmt.Errorf("make a temporary key: %w", err)
	}
	return t, dropExpired(ctx, tx)
}

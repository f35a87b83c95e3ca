package trace

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/purser-cloud/purser/internal/db"
)

// Digest proves the files that were written in an hour, and the digest before it.
type Digest struct {
	Customer, Project, Tracker string
	N                          int64 // 1, 2 … of its tracker
	Starts, Ends               time.Time
	KeptFrom                   time.Time // what ended before may be gone: it is older than it is kept
	Bucket, Object             string
	State                      string
	Hash, Signature            string // of the object as it lies there; hex
}

// signatureName is the algorithm of signatures, as digests name it.
const signatureName = "SHA256withRSA"

// Names of a digest's metadata.
const (
	MetaSignature = "meta-signature"
	MetaAlgorithm = "meta-signature-algorithm"
)

// document is a digest as it is written (billing-rules 9), with two words of ours at its end.
type document struct {
	Project           string      `json:"project_id"`
	Starts            string      `json:"digest_start_time"`
	Ends              string      `json:"digest_end_time"`
	Bucket            string      `json:"digest_bucket"`
	Object            string      `json:"digest_object"`
	Algorithm         string      `json:"digest_signature_algorithm"`
	End               bool        `json:"digest_end"`
	PreviousBucket    string      `json:"previous_digest_bucket"`
	PreviousObject    string      `json:"previous_digest_object"`
	PreviousHash      string      `json:"previous_digest_hash_value"`
	PreviousHashed    string      `json:"previous_digest_hash_algorithm"`
	PreviousSignature string      `json:"previous_digest_signature"`
	PreviousEnd       bool        `json:"previous_digest_end"`
	Files             []filePrint `json:"log_files"`
	Number            int64       `json:"purser_digest_number"`
	KeptFrom          string      `json:"purser_kept_from"`
}

type filePrint struct {
	Bucket    string `json:"bucket"`
	Object    string `json:"object"`
	Hash      string `json:"log_hash_value"`
	Algorithm string `json:"log_hash_algorithm"`
}

// PlanDigest plans the digest of the tracker's next hour, if that is over, with every written file that no digest has; one that
// was planned and not written comes first. A tracker that carries no more gets a last one that ends now. found says that there is one.
func PlanDigest(ctx context.Context, tx *db.Tx, t *Tracker, keep time.Duration) (d Digest, found bool, err error) {
	last, err := lastDigest(ctx, tx, t)
	switch {
	case err != nil && !errors.Is(err, db.ErrNoRows):
		return d, false, fmt.Errorf("plan a digest: %w", err)
	case last.State == Planned:
		return last, true, nil
	case !t.Carries() && t.Validated && t.Bucket != "":
		loose, err := filesOfDigest(ctx, tx, t, 0)
		if err != nil || len(loose) == 0 {
			return d, false, err
		}
		return planDigest(ctx, tx, t, tx.Real.Truncate(time.Second), keep)
	case t.DigestNext.IsZero() || t.DigestNext.After(tx.Real):
		return d, false, nil
	}
	end := t.DigestNext
	t.DigestNext = end.Add(time.Hour)
	if err := setDigestNext(ctx, tx, t); err != nil {
		return d, false, err
	}
	return planDigest(ctx, tx, t, end, keep)
}

// planDigest plans a digest that ends at an instant, unless the one before reaches as far.
func planDigest(ctx context.Context, tx *db.Tx, t *Tracker, end time.Time, keep time.Duration) (d Digest, found bool, err error) {
	last, err := lastDigest(ctx, tx, t)
	if err != nil && !errors.Is(err, db.ErrNoRows) {
		return d, false, fmt.Errorf("plan a digest: %w", err)
	}
	if last.State == Planned || !end.After(last.Ends) {
		return d, false, nil
	}
	d = Digest{
		Customer: t.Customer, Project: t.Project, Tracker: t.Name, N: last.N + 1, Starts: end.Add(-time.Hour).Truncate(time.Hour), Ends: end, KeptFrom: last.KeptFrom,
		Bucket: t.Bucket, State: Planned, Object: folder(t, end) + digestFolder + objectName(t, "CloudTrace-Digest", end, ".json.gz"),
	}
	if end.Truncate(time.Hour) != end { // the hour is not over: the tracker was switched off, or writes elsewhere from now on
		d.Starts = end.Truncate(time.Hour)
	}
	if last.Ends.After(d.Starts) {
		d.Starts = last.Ends
	}
	if keep > 0 {
		if old := tx.Real.Add(-keep).Truncate(24 * time.Hour); old.After(d.KeptFrom) {
			d.KeptFrom = old
		}
	}
	return d, true, errors.Join(insertDigest(ctx, tx, &d), assign(ctx, tx, &d))
}

// Build makes a digest's object and signs it. The same digest gives the same bytes.
func (d *Digest) Build(ctx context.Context, r db.Reader, t *Tracker, key *rsa.PrivateKey) (body []byte, err error) {
	doc := document{
		Project: d.Project, Starts: d.Starts.UTC().Format(stampForm), Ends: d.Ends.UTC().Format(stampForm), Bucket: d.Bucket, Object: d.Object,
		Algorithm: signatureName, Files: []filePrint{}, Number: d.N,
	}
	if !d.KeptFrom.IsZero() {
		doc.KeptFrom = d.KeptFrom.UTC().Format(stampForm)
	}
	if d.N > 1 {
		before, err := digestAt(ctx, r, t, d.N-1)
		if err != nil {
			return nil, fmt.Errorf("read the digest before: %w", err)
		}
		doc.PreviousBucket, doc.PreviousObject, doc.PreviousHash, doc.PreviousHashed, doc.PreviousSignature = before.Bucket, before.Object, before.Hash, hashName, before.Signature
	}
	files, err := filesOfDigest(ctx, r, t, d.N)
	if err != nil {
		return nil, err
	}
	for i := range files {
		doc.Files = append(doc.Files, filePrint{files[i].Bucket, files[i].Object, files[i].Hash, hashName})
	}
	text, err := json.Marshal(&doc)
	if err != nil {
		return nil, err
	}
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write(text); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	sum := sha256.Sum256(packed.Bytes())
	d.Hash = hex.EncodeToString(sum[:])
	signed := sha256.Sum256([]byte(doc.signed(d.Hash)))
	signature, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, signed[:])
	if err != nil {
		return nil, fmt.Errorf("sign a digest: %w", err)
	}
	d.Signature = hex.EncodeToString(signature)
	return packed.Bytes(), nil
}

// signed is the text that the signature is over.
func (doc *document) signed(hash string) string {
	return doc.Ends + doc.Object + hash + doc.PreviousSignature
}

// Meta is a digest's metadata.
func (d *Digest) Meta() map[string]string {
	return map[string]string{MetaSignature: d.Signature, MetaAlgorithm: signatureName}
}

// Done keeps that a digest was written.
func (d *Digest) Done(ctx context.Context, tx *db.Tx) error { return digestWritten(ctx, tx, d) }

// Old lists some digests that may be removed with their files: the last written digest says that what ended then is no longer kept.
func Old(ctx context.Context, r db.Reader, t *Tracker, n int) ([]Digest, error) {
	last, err := lastDigest(ctx, r, t)
	if errors.Is(err, db.ErrNoRows) || err == nil && (last.State != Written || last.KeptFrom.IsZero()) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("find old digests: %w", err)
	}
	return removable(ctx, r, t, last.KeptFrom, n)
}

// FilesOf lists the files that a digest names.
func (d *Digest) FilesOf(ctx context.Context, r db.Reader) ([]File, error) {
	return filesOfDigest(ctx, r, &Tracker{Customer: d.Customer, Project: d.Project, Name: d.Tracker}, d.N)
}

// Gone keeps that a digest and its files were removed.
func (d *Digest) Gone(ctx context.Context, tx *db.Tx) error { return removed(ctx, tx, d) }

// Key reads the sealed key of digests and its public half; db.ErrNoRows when there is none yet.
func Key(ctx context.Context, r db.Reader) (sealed []byte, public string, err error) {
	return readKey(ctx, r)
}

// KeepKey keeps the key, unless there is one already.
func KeepKey(ctx context.Context, tx *db.Tx, sealed []byte, public string) error {
	return insertKey(ctx, tx, sealed, public)
}

// Known lists the digests that a bucket must have.
func Known(ctx context.Context, r db.Reader, name string) ([]string, error) {
	rows, err := r.Query(ctx, `SELECT object FROM trace_digest WHERE bucket = $1 AND state = 'written' ORDER BY object`, name)
	return texts(rows, err)
}

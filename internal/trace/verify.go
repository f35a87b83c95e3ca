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
	"io"
	"slices"
	"strings"
	"time"

	"github.com/purser-cloud/purser/internal/bucket"
)

// Proof says what is to be proved of a bucket.
type Proof struct {
	Store  bucket.Store
	Bucket string // its name; empty: whatever the digests say
	Key    *rsa.PublicKey
	From   time.Time // the chain may begin then; zero: at its first digest
	To     time.Time // the chain must reach that far; zero: the hour that was over Settle ago
	Now    time.Time // real time
	Known  []string  // digests that must be there; nil: not known
}

// Settle is how long after its hour a digest may still not be there.
const Settle = 10 * time.Minute

// slack is how long before its hour's end a file may have been planned that the next digest names.
const slack = 90 * time.Minute

// Report is what came of it.
type Report struct {
	Digests, Files int
	Problems       []string // what is missing, changed or too much; none: nothing is
	Remarks        []string // what was seen beside
}

func (r *Report) wrong(format string, args ...any) {
	r.Problems = append(r.Problems, fmt.Sprintf(format, args...))
}

func (r *Report) remark(format string, args ...any) {
	r.Remarks = append(r.Remarks, fmt.Sprintf(format, args...))
}

// objectMost bounds what is read of a digest, bytes.
const objectMost = 64 << 20

// seen is a digest as it lies in a bucket.
type seen struct {
	document
	key              string
	hash, signature  string
	starts, ends     time.Time
	kept             time.Time
	followed, broken bool
}

// Verify proves that nothing of a bucket is missing or changed: each digest's signature, the chain of digests from the newest to the
// oldest, and the hash of every file that they name; and that there is nothing else.
func Verify(ctx context.Context, p *Proof) (Report, error) {
	var r Report
	chains, files := map[string][]*seen{}, map[string]bool{}
	err := p.Store.List(ctx, "CloudTraces/", func(o bucket.Object) error {
		if !isDigest(o.Key) {
			files[o.Key] = false
			return nil
		}
		d, err := p.read(ctx, &r, o.Key)
		chain := chainOf(o.Key)
		chains[chain] = append(chains[chain], d)
		return err
	})
	if err != nil {
		return r, err
	}
	for _, object := range p.Known {
		if !slices.ContainsFunc(chains[chainOf(object)], func(d *seen) bool { return d.key == object }) {
			r.wrong("%s: missing, the store knows of it", object)
		}
	}
	if len(chains) == 0 {
		r.wrong("there is no digest")
	}
	newest := map[string]time.Time{}
	for _, name := range sortedKeys(chains) {
		newest[name] = p.chain(&r, name, chains[name])
		for _, d := range chains[name] {
			if err := p.files(ctx, &r, d, files); err != nil {
				return r, err
			}
		}
	}
	p.others(&r, files, newest, chains)
	return r, nil
}

func sortedKeys[T any](m map[string]T) []string {
	out := make([]string, 0, len(m))
	for name := range m {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// chainOf is the chain that an object belongs to: region and tracker of its path.
func chainOf(key string) string {
	parts := strings.Split(key, "/")
	if len(parts) < 7 {
		return ""
	}
	return parts[1] + "/" + parts[5]
}

// read reads a digest and checks what it says of itself.
func (p *Proof) read(ctx context.Context, r *Report, key string) (*seen, error) {
	d := &seen{key: key, broken: true}
	r.Digests++
	body, meta, err := p.Store.Get(ctx, key)
	if err != nil {
		return d, err
	}
	text, err := io.ReadAll(io.LimitReader(body, objectMost))
	if err = errors.Join(err, body.Close()); err != nil {
		return d, err
	}
	sum := sha256.Sum256(text)
	d.hash, d.signature = hex.EncodeToString(sum[:]), meta[MetaSignature]
	z, err := gzip.NewReader(bytes.NewReader(text))
	var plain []byte
	if err == nil {
		plain, err = io.ReadAll(io.LimitReader(z, objectMost))
	}
	if err == nil {
		err = json.Unmarshal(plain, &d.document)
	}
	if err != nil {
		r.wrong("%s: cannot be read: %v", key, err)
		return d, nil
	}
	signature, err := hex.DecodeString(d.signature)
	signed := sha256.Sum256([]byte(d.signed(d.hash)))
	var times [2]error
	d.starts, times[0] = time.Parse(stampForm, d.Starts)
	d.ends, times[1] = time.Parse(stampForm, d.Ends)
	d.kept, _ = time.Parse(stampForm, d.KeptFrom)
	switch {
	case err != nil || rsa.VerifyPKCS1v15(p.Key, crypto.SHA256, signed[:], signature) != nil:
		r.wrong("%s: the signature is wrong", key)
	case meta[MetaAlgorithm] != signatureName || d.Algorithm != signatureName:
		r.wrong("%s: signed by %q, not %s", key, meta[MetaAlgorithm], signatureName)
	case d.Object != key || p.Bucket != "" && d.Bucket != p.Bucket:
		r.wrong("%s: belongs to %s of bucket %s", key, d.Object, d.Bucket)
	case times[0] != nil || times[1] != nil:
		r.wrong("%s: its times cannot be read", key)
	default:
		d.broken = false
	}
	return d, nil
}

// chain follows a chain from its newest digest to its oldest, and says when the newest ends.
func (p *Proof) chain(r *Report, name string, all []*seen) (end time.Time) {
	byKey := map[string]*seen{}
	var kept time.Time
	for _, d := range all {
		byKey[d.key] = d
		if d.broken {
			continue
		}
		if d.ends.After(end) {
			end = d.ends
		}
		if d.kept.After(kept) {
			kept = d.kept
		}
	}
	for _, d := range all {
		d.kept = kept
		if d.broken || d.PreviousObject == "" {
			continue
		}
		before := byKey[d.PreviousObject]
		switch {
		case d.PreviousBucket != d.Bucket:
			r.remark("%s: the chain comes from bucket %s", d.key, d.PreviousBucket)
		case before == nil && (!d.starts.After(kept) || !d.starts.After(p.From)):
			r.remark("%s: the chain begins here, what lies before is no longer kept or was not asked for", d.key)
		case before == nil:
			r.wrong("%s: missing, %s names it", d.PreviousObject, d.key)
		default:
			before.followed = true
			if before.hash != d.PreviousHash || before.signature != d.PreviousSignature {
				r.wrong("%s: is not what %s says", before.key, d.key)
			}
		}
	}
	first := 0
	for _, d := range all {
		first += count(!d.broken && d.PreviousObject == "")
		if !d.followed && !d.broken && d.ends.Before(end) {
			r.remark("%s: the chain goes on in another bucket", d.key)
		}
	}
	if first > 1 {
		r.wrong("%s: %d chains begin, one may", name, first)
	}
	if until := p.until(); end.IsZero() {
		r.wrong("%s: there is no digest that proves anything", name)
	} else if end.Before(until) {
		r.wrong("%s: no digest after %s: the end is missing, or the tracker was switched off (say so with --to)", name, end.Format(time.RFC3339))
	}
	return end
}

func (p *Proof) until() time.Time {
	if p.To.IsZero() {
		return p.Now.Add(-Settle).Truncate(time.Hour)
	}
	return p.To
}

func count(b bool) int {
	if b {
		return 1
	}
	return 0
}

// files holds the files that a digest names against their hashes.
func (p *Proof) files(ctx context.Context, r *Report, d *seen, files map[string]bool) error {
	if d.broken {
		return nil
	}
	for _, f := range d.Files {
		if f.Bucket != d.Bucket {
			r.remark("%s: lies in bucket %s", f.Object, f.Bucket)
			continue
		}
		named, there := files[f.Object]
		switch {
		case named:
			r.wrong("%s: two digests name it", f.Object)
			continue
		case !there && !d.ends.After(d.kept):
			continue // no longer kept
		case !there:
			r.wrong("%s: missing, %s names it", f.Object, d.key)
			continue
		}
		files[f.Object] = true
		r.Files++
		body, _, err := p.Store.Get(ctx, f.Object)
		if err != nil {
			return err
		}
		sum := sha256.New()
		_, err = io.Copy(sum, body)
		if err = errors.Join(err, body.Close()); err != nil {
			return err
		}
		if f.Algorithm != hashName || hexOf(sum) != f.Hash {
			r.wrong("%s: changed", f.Object)
		}
	}
	return nil
}

// others looks at files that no digest names: those of the running hour will be, any other is not ours.
func (p *Proof) others(r *Report, files map[string]bool, newest map[string]time.Time, chains map[string][]*seen) {
	for _, key := range sortedKeys(files) {
		if files[key] {
			continue
		}
		chain := chainOf(key)
		if len(chains[chain]) > 0 && !chains[chain][0].kept.IsZero() && !written(key).After(chains[chain][0].kept) {
			r.remark("%s: older than is kept", key)
			continue
		}
		// A file is planned, written, and kept as written: the digest after that names it.
		if at := written(key); at.IsZero() || at.Before(newest[chain].Add(-slack)) {
			r.wrong("%s: no digest names it", key)
		} else {
			r.remark("%s: the next digest will name it", key)
		}
	}
}

// written is when a file was planned, by its name; zero: that does not say.
func written(key string) time.Time {
	parts := strings.Split(key[strings.LastIndexByte(key, '/')+1:], "_")
	if len(parts) < 3 {
		return time.Time{}
	}
	at, err := time.Parse(stampForm, parts[len(parts)-2])
	if err != nil {
		return time.Time{}
	}
	return at
}

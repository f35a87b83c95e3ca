package trace

import (
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"strings"
	"time"

	"github.com/go-faster/jx"

	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/ident"
)

// States of a file and of a digest.
const (
	Planned = "planned"
	Written = "written"
	Removed = "removed" // older than they are kept
)

// File is some lines of a tracker on their way to an object.
type File struct {
	Customer, Project, Tracker string
	Object                     string // its key
	Bucket                     string
	Plain                      bool
	State                      string
	Lines                      int64
	Bytes                      int64  // of the object
	Hash                       string // SHA-256 of the object, hex
	Planned, Written           time.Time
	Digest                     int64 // the digest that names it; 0: none yet
}

// Bounds of transfers.
const (
	LinesMost = 20_000 // of a file
	LeaseTime = 5 * time.Minute
	hashName  = "SHA-256"
)

// Due lists trackers that have something to carry or to prove, and that nobody is at.
func Due(ctx context.Context, r db.Reader, n int) ([]Tracker, error) { return dueTrackers(ctx, r, n) }

// Lease takes a tracker for LeaseTime of real time; false: somebody else has it. Whoever comes later writes the same files again.
func Lease(ctx context.Context, tx *db.Tx, t *Tracker) (bool, error) {
	return lease(ctx, tx, t, tx.Real.Add(LeaseTime))
}

// Release gives a tracker back until next; trouble says what went wrong, empty: nothing.
func Release(ctx context.Context, tx *db.Tx, t *Tracker, next time.Time, trouble string) error {
	return release(ctx, tx, t, next, cut(clean(trouble), idMost))
}

// Waiting lists files that were planned and not yet written.
func Waiting(ctx context.Context, r db.Reader, t *Tracker) ([]File, error) {
	return plannedFiles(ctx, r, t)
}

// stampForm is an instant in the names of objects and in digests, UTC.
const stampForm = "2006-01-02T15-04-05Z"

// folder is where objects of a tracker and an instant lie.
func folder(t *Tracker, at time.Time) string {
	at = at.UTC()
	return fmt.Sprintf("CloudTraces/%s/%d/%d/%d/%s", t.Region, at.Year(), int(at.Month()), at.Day(), t.Name)
}

func objectName(t *Tracker, kind string, at time.Time, rest string) string {
	prefix := t.Prefix
	if prefix != "" {
		prefix += "_"
	}
	return prefix + kind + "_" + t.Region + "_" + at.UTC().Format(stampForm) + rest
}

// Plan gives lines that wait to new files, for each service one, and says how many files there are; at none nothing waits.
func Plan(ctx context.Context, tx *db.Tx, random io.Reader, t *Tracker) (n int, err error) {
	services, err := pendingServices(ctx, tx, t.Customer, t.Project)
	if err != nil || len(services) == 0 {
		return 0, err
	}
	if !t.ByService {
		services = []string{""}
	}
	for _, service := range services {
		suffix, err := ident.NewSecret(random, 16)
		if err != nil {
			return 0, err
		}
		at := folder(t, tx.Real)
		if service != "" {
			at += "/" + service
		}
		ending := ".json.gz"
		if t.Plain {
			ending = ".json"
		}
		f := File{
			Customer: t.Customer, Project: t.Project, Tracker: t.Name, Bucket: t.Bucket, Plain: t.Plain, State: Planned, Planned: tx.Real,
			Object: at + "/" + objectName(t, "CloudTrace", tx.Real, "_"+suffix+ending),
		}
		if f.Lines, err = plan(ctx, tx, &f, service, LinesMost); err != nil {
			return 0, err
		}
		if f.Lines == 0 {
			continue
		}
		if err := insertFile(ctx, tx, &f); err != nil {
			return 0, err
		}
		n++
	}
	return n, nil
}

// Build writes a planned file's object: its lines as one JSON array, compressed or not. The same file gives the same bytes. Reading and
// compressing go on at the same time.
func (f *File) Build(ctx context.Context, r db.Reader, out io.Writer) error {
	sum := sha256.New()
	counted := &counter{to: io.MultiWriter(out, sum)}
	chunks, spent := make(chan []byte, 4), make(chan []byte, 6)
	packed := make(chan error, 1)
	go func() { packed <- pack(counted, f.Plain, chunks, spent) }()
	lines, err := f.read(ctx, r, chunks, spent)
	close(chunks)
	if failed := <-packed; err == nil {
		err = failed
	}
	if err == nil && lines != f.Lines {
		err = fmt.Errorf("trace file %s: %d lines, planned with %d", f.Object, lines, f.Lines)
	}
	f.Bytes, f.Hash = counted.n, hexOf(sum)
	return err
}

// chunkSize is about how much is read before it is compressed, bytes.
const chunkSize = 256 << 10

func (f *File) read(ctx context.Context, r db.Reader, chunks chan<- []byte, spent <-chan []byte) (n int64, err error) {
	rows, err := linesOf(ctx, r, f)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	w := jx.Writer{Buf: make([]byte, 0, chunkSize+chunkSize/4)}
	w.RawStr("[")
	var l Line
	for rows.Next() {
		if err := scanLine(rows, &l); err != nil {
			return n, err
		}
		if n++; n > 1 {
			w.RawStr(",\n")
		}
		l.AppendJSON(&w)
		if len(w.Buf) < chunkSize {
			continue
		}
		chunks <- w.Buf
		select {
		case w.Buf = <-spent:
			w.Buf = w.Buf[:0]
		default:
			w.Buf = make([]byte, 0, chunkSize+chunkSize/4)
		}
	}
	w.RawStr("]")
	chunks <- w.Buf
	return n, rows.Err()
}

// pack compresses chunks as they come; it takes all of them, whatever happens.
func pack(out io.Writer, plain bool, chunks <-chan []byte, spent chan<- []byte) (err error) {
	to := io.Writer(out)
	var z *gzip.Writer
	if !plain {
		z = gzip.NewWriter(out)
		to = z
	}
	for chunk := range chunks {
		if err == nil {
			_, err = to.Write(chunk)
		}
		select {
		case spent <- chunk:
		default:
		}
	}
	if z != nil && err == nil {
		err = z.Close()
	}
	return err
}

type counter struct {
	to io.Writer
	n  int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.to.Write(p)
	c.n += int64(n)
	return n, err
}

func hexOf(sum hash.Hash) string { return hex.EncodeToString(sum.Sum(nil)) }

// Done keeps that a file was written; its lines wait no more.
func (f *File) Done(ctx context.Context, tx *db.Tx) error { return fileWritten(ctx, tx, f) }

// digestFolder is where digests lie below a tracker's folder.
const digestFolder = "/Digest/CTS/"

// isDigest tells digests from files by their key.
func isDigest(key string) bool { return strings.Contains(key, digestFolder) }

package trace

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"strings"
	"time"

	"github.com/go-faster/jx"
	"github.com/klauspost/compress/gzip"

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
	Digest                     int64  // the digest that names it; 0: none yet
	Body                       []byte // of a planned one
	service                    string // whose lines it has; empty: all services'
	last                       place
}

// place is where a line waits.
type place struct {
	service string
	at      int64
	id      string
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

// takenMost is how many lines are taken over at once.
const takenMost = 500

// TakeOver moves lines that an earlier purser let wait to where they wait now; more says that there may be others.
func TakeOver(ctx context.Context, tx *db.Tx, t *Tracker) (more bool, err error) {
	n, err := takeOver(ctx, tx, t.Customer, t.Project, takenMost)
	return n == takenMost, err
}

// Release gives a tracker back until next; trouble says what went wrong, empty: nothing.
func Release(ctx context.Context, tx *db.Tx, t *Tracker, next time.Time, trouble string) error {
	return release(ctx, tx, t, next, cut(clean(trouble), idMost))
}

// Wait lets many lines wait for their tracker's next file, as Record does with one.
func Wait(ctx context.Context, tx *db.Tx, lines []Line) error {
	rows := make([][]any, len(lines))
	for i := range lines {
		l := &lines[i]
		rows[i] = []any{l.Customer, l.Project, l.Service, db.Micros(l.Recorded), l.ID, l.pack()}
	}
	return tx.Load(ctx, "trace_outgoing", waitingColumns, rows)
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

// Services lists whose lines wait for a file of their own; "" stands for all of them together.
func Services(ctx context.Context, r db.Reader, t *Tracker) ([]string, error) {
	services, err := waitingServices(ctx, r, t.Customer, t.Project)
	if err == nil && len(services) > 0 && !t.ByService {
		services = []string{""}
	}
	return services, err
}

// Pack makes a file of the oldest lines that wait, as one JSON array, compressed or not; with before, of those behind that file, which
// need not be planned yet. Reading and compressing go on at the same time. Without lines the file has none.
func Pack(ctx context.Context, r db.Reader, random io.Reader, t *Tracker, service string, before *File) (*File, error) {
	suffix, err := ident.NewSecret(random, 16)
	if err != nil {
		return nil, err
	}
	_, real := r.Instant()
	at, ending := folder(t, real), ".json.gz"
	if service != "" {
		at += "/" + service
	}
	if t.Plain {
		ending = ".json"
	}
	f := &File{
		Customer: t.Customer, Project: t.Project, Tracker: t.Name, Bucket: t.Bucket, Plain: t.Plain, State: Planned, Planned: real, service: service,
		Object: at + "/" + objectName(t, "CloudTrace", real, "_"+suffix+ending),
	}
	var body bytes.Buffer
	chunks, spent := make(chan []byte, 4), make(chan []byte, 6)
	packed := make(chan error, 1)
	go func() { packed <- compress(&body, f.Plain, chunks, spent) }()
	var after place
	if before != nil {
		after = before.last
	}
	err = f.read(ctx, r, t, after, chunks, spent)
	close(chunks)
	if failed := <-packed; err == nil {
		err = failed
	}
	sum := sha256.Sum256(body.Bytes())
	f.Body, f.Bytes, f.Hash = body.Bytes(), int64(body.Len()), hex.EncodeToString(sum[:])
	return f, err
}

// ErrMoved says that a line came to wait among those of a file that was being made.
var ErrMoved = errors.New("trace: another line came in between")

// Keep plans a file: its lines wait no more.
func (f *File) Keep(ctx context.Context, tx *db.Tx) error {
	n, err := waitNoMore(ctx, tx, f)
	if err != nil {
		return err
	}
	if n != f.Lines {
		return ErrMoved
	}
	return insertFile(ctx, tx, f)
}

// Load reads the bytes of a planned file.
func (f *File) Load(ctx context.Context, r db.Reader) error { return readBody(ctx, r, f) }

// chunkSize is about how much is read before it is compressed, bytes.
const chunkSize = 256 << 10

func (f *File) read(ctx context.Context, r db.Reader, t *Tracker, after place, chunks chan<- []byte, spent <-chan []byte) error {
	rows, err := waiting(ctx, r, t, f.service, after, LinesMost)
	if err != nil {
		return err
	}
	defer rows.Close()
	w := jx.Writer{Buf: append(make([]byte, 0, chunkSize+chunkSize/4), '[')}
	var line []byte
	for rows.Next() {
		if err := rows.Scan(&f.last.service, &f.last.at, &f.last.id, &line); err != nil {
			return fmt.Errorf("read the lines of a trace file: %w", err)
		}
		if f.Lines++; f.Lines > 1 {
			w.RawStr(",\n")
		}
		if err := appendWaiting(&w, f.last, line); err != nil {
			return err
		}
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
	chunks <- append(w.Buf, ']')
	return rows.Err()
}

// compress compresses chunks as they come; it takes all of them, whatever happens.
func compress(out io.Writer, plain bool, chunks <-chan []byte, spent chan<- []byte) (err error) {
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

func hexOf(sum hash.Hash) string { return hex.EncodeToString(sum.Sum(nil)) }

// Done keeps that a file was written.
func (f *File) Done(ctx context.Context, tx *db.Tx) error { return fileWritten(ctx, tx, f) }

// digestFolder is where digests lie below a tracker's folder.
const digestFolder = "/Digest/CTS/"

// isDigest tells digests from files by their key.
func isDigest(key string) bool { return strings.Contains(key, digestFolder) }

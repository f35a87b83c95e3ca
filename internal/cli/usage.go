package cli

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/spf13/cobra"

	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/house"
	"github.com/purser-cloud/purser/internal/usage"
)

func (d *desk) usage() *cobra.Command {
	return group("usage", "What resources used: import records, see and replay what is kept aside",
		"Works on the store itself, also while a server runs on it.", d.usageImport(), d.usageQuarantine(), d.usageReplay())
}

// importBatch is how many records are accepted in one transaction.
const importBatch = 1000

func (d *desk) usageImport() *cobra.Command {
	var refusedTo string
	c := &cobra.Command{
		Use: "import FILE", Short: "Import usage records from a file", Args: exactly(1),
		Long: `Imports usage records, one JSON object a line (NDJSON) or as a JSON array, packed by gzip or zstd when the name ends
in .gz or .zst; - reads the standard input. What was accepted is on disk. Run again after it was cut off, it goes on where
it was; records that are there already change nothing. Bad records are named and do not keep the others out; exit code 1
says that there were some.`,
		RunE: func(c *cobra.Command, args []string) error {
			return d.with(c.Context(), func(h *house.House) error { return d.importUsage(c.Context(), h, args[0], refusedTo) })
		},
	}
	c.Flags().StringVar(&refusedTo, "refused", "", "also write refused records, a line each with the reason, to a `file`")
	return c
}

// tally counts what became of records.
type tally struct{ Lines, Accepted, Duplicates, Refused, Quarantined int }

// importing is an import under way.
type importing struct {
	d       *desk
	house   *house.House
	tally   tally
	skip    int    // records done by an earlier run
	mark    string // file that keeps how far it is; empty: it cannot be resumed
	refused io.Writer
	shown   int
	lines   [][]byte // of the batch, for what is refused
	size    int64    // of the file; 0: unknown
	read    *counting
	told    time.Time
}

func (d *desk) importUsage(ctx context.Context, h *house.House, path, refusedTo string) (err error) {
	in := &importing{d: d, house: h}
	var from io.Reader = d.in
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		if err := in.resume(f, path); err != nil {
			return err
		}
		from = f
	}
	in.read = &counting{from: from}
	if refusedTo != "" {
		f, err := os.OpenFile(refusedTo, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, f.Close()) }()
		in.refused = f
	}
	text, end, err := unpacked(in.read, path)
	if err != nil {
		return err
	}
	defer end()
	if err := eachLine(text, func(line []byte) error { return in.add(ctx, line) }); err != nil {
		return err
	}
	if err := in.flush(ctx); err != nil {
		return err
	}
	return in.finish()
}

// resume looks how far an earlier run came with the same file.
func (in *importing) resume(f *os.File, path string) error {
	about, err := f.Stat()
	if err != nil {
		return err
	}
	in.size = about.Size()
	whole, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\n%d\n%d", whole, about.Size(), about.ModTime().UnixNano()))
	in.mark = filepath.Join(in.d.config.Data, "usage-import-"+hex.EncodeToString(sum[:8])+".json")
	text, err := os.ReadFile(in.mark)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = json.Unmarshal(text, &in.tally)
	}
	if err != nil {
		return fmt.Errorf("how far the last import came: %w", err)
	}
	in.skip = in.tally.Lines
	fmt.Fprintf(in.d.err, "going on after %d records\n", in.skip)
	return nil
}

// unpacked undoes the packing that a file's name tells.
func unpacked(from io.Reader, path string) (io.Reader, func(), error) {
	switch filepath.Ext(path) {
	case ".gz":
		z, err := gzip.NewReader(from)
		return z, func() {}, err
	case ".zst":
		z, err := zstd.NewReader(from)
		if err != nil {
			return nil, nil, err
		}
		return z, z.Close, nil
	}
	return from, func() {}, nil
}

// lineMost bounds a line of a file.
const lineMost = 1 << 20

// eachLine calls each with every record of NDJSON or of a JSON array.
func eachLine(from io.Reader, each func([]byte) error) error {
	text := bufio.NewReaderSize(from, 1<<16)
	first, err := text.Peek(1)
	for err == nil && strings.ContainsRune(" \t\r\n\ufeff", rune(first[0])) {
		text.ReadByte() //nolint:errcheck // it was looked at
		first, err = text.Peek(1)
	}
	if errors.Is(err, io.EOF) {
		return nil
	}
	if err != nil {
		return err
	}
	if first[0] == '[' {
		return eachOf(text, each)
	}
	lines := bufio.NewScanner(text)
	lines.Buffer(make([]byte, 1<<16), lineMost)
	for lines.Scan() {
		if len(bytes.TrimSpace(lines.Bytes())) == 0 {
			continue
		}
		if err := each(lines.Bytes()); err != nil {
			return err
		}
	}
	return lines.Err()
}

func eachOf(from io.Reader, each func([]byte) error) error {
	array := json.NewDecoder(from)
	if _, err := array.Token(); err != nil {
		return err
	}
	for array.More() {
		var one json.RawMessage
		if err := array.Decode(&one); err != nil {
			return fmt.Errorf("the file is no JSON array of records: %w", err)
		}
		var flat bytes.Buffer
		if err := json.Compact(&flat, one); err != nil {
			return err
		}
		if err := each(flat.Bytes()); err != nil {
			return err
		}
	}
	_, err := array.Token()
	return err
}

func (in *importing) add(ctx context.Context, line []byte) error {
	if in.skip > 0 {
		in.skip--
		return nil
	}
	in.lines = append(in.lines, bytes.Clone(line))
	if len(in.lines) < importBatch {
		return nil
	}
	return in.flush(ctx)
}

// flush accepts the batch and keeps how far it came.
func (in *importing) flush(ctx context.Context) error {
	if err := ctx.Err(); err != nil || len(in.lines) == 0 {
		return err
	}
	records := usage.Reader{Most: len(in.lines)}
	if err := records.Lines(bytes.Join(in.lines, []byte("\n"))); err != nil {
		return err
	}
	outcomes, err := in.house.Counter.AcceptUsage(ctx, local("AcceptUsage"), records.Records)
	if err != nil {
		return err
	}
	first := in.tally.Lines
	records.Each(outcomes, func(i int, o *usage.Outcome) {
		switch o.Verdict {
		case usage.Accepted:
			in.tally.Accepted++
		case usage.Duplicate:
			in.tally.Duplicates++
		case usage.Quarantined:
			in.tally.Quarantined++
		case usage.Refused:
			in.tally.Refused++
			in.refuse(first+i+1, in.lines[i], o.Why)
		}
	})
	in.tally.Lines += len(in.lines)
	in.lines = in.lines[:0]
	in.progress(false)
	if in.mark == "" {
		return nil
	}
	text, err := json.Marshal(in.tally)
	if err != nil {
		return err
	}
	part := in.mark + ".part"
	return errors.Join(os.WriteFile(part, text, 0o600), os.Rename(part, in.mark))
}

// refusedShown is how many refused records are named.
const refusedShown = 20

func (in *importing) refuse(n int, line []byte, why *fault.Fault) {
	if in.refused != nil {
		json.NewEncoder(in.refused).Encode(map[string]any{"record": n, "code": why.Code, "message": why.Message, "line": string(line)}) //nolint:errcheck // told on the terminal, too
	}
	if in.shown++; in.shown <= refusedShown {
		fmt.Fprintf(in.d.err, "\rrecord %d refused: %s: %s\n", n, why.Code, why.Message)
	} else if in.shown == refusedShown+1 {
		fmt.Fprintln(in.d.err, "\rmore are refused; --refused FILE keeps them all")
	}
}

// progressEvery is how often progress is told.
const progressEvery = 200 * time.Millisecond

func (in *importing) progress(last bool) {
	now := time.Now()
	if !last && (now.Sub(in.told) < progressEvery || !isTerminal(in.d.err)) {
		return
	}
	in.told = now
	const width = 30
	if in.size > 0 {
		done := min(in.read.n, in.size)
		full := int(width * done / in.size)
		fmt.Fprintf(in.d.err, "\r[%s%s] %3d %%  %d records", strings.Repeat("#", full), strings.Repeat(".", width-full), 100*done/in.size, in.tally.Lines)
	} else {
		fmt.Fprintf(in.d.err, "\r%d records", in.tally.Lines)
	}
	if last {
		fmt.Fprintln(in.d.err)
	}
}

// isTerminal says whether somebody may be looking.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	about, err := f.Stat()
	return err == nil && about.Mode()&os.ModeCharDevice != 0
}

func (in *importing) finish() error {
	in.progress(true)
	t := &in.tally
	fmt.Fprintf(in.d.out, "%d records: %d accepted, %d there already, %d kept in quarantine, %d refused\n", t.Lines, t.Accepted, t.Duplicates, t.Quarantined, t.Refused)
	if in.mark != "" {
		if err := os.Remove(in.mark); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	if t.Refused > 0 {
		return fmt.Errorf("%d records were refused", t.Refused)
	}
	return nil
}

// counting counts the bytes that were read.
type counting struct {
	from io.Reader
	n    int64
}

func (c *counting) Read(p []byte) (int, error) {
	n, err := c.from.Read(p)
	c.n += int64(n)
	return n, err
}

func (d *desk) usageQuarantine() *cobra.Command {
	var customer string
	c := &cobra.Command{
		Use: "quarantine", Short: "List usage records that are kept aside", Args: exactly(0),
		RunE: func(c *cobra.Command, _ []string) error {
			return d.with(c.Context(), func(h *house.House) error {
				total, page, err := h.Counter.Quarantine(c.Context(), local("ListQuarantine"), customer, usage.Kept, 0, 1000)
				if err != nil {
					return err
				}
				if total == 0 {
					fmt.Fprintln(d.out, "nothing is kept aside")
					return nil
				}
				err = d.table("ID\tCUSTOMER\tSOURCE\tRECORD\tRESOURCE\tFACTOR\tVALUE\tEND (UTC)\tREASON", func(put func(string, ...any)) {
					for i := range page {
						r := &page[i].Record
						put("%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s %s", page[i].ID, r.Customer, r.Source, r.ID, r.Resource, r.Factor, r.Value, r.End.UTC().Format(time.RFC3339), page[i].Code, page[i].Reason)
					}
				})
				if len(page) < total {
					fmt.Fprintf(d.out, "and %d more\n", total-len(page))
				}
				return err
			})
		},
	}
	c.Flags().StringVar(&customer, "customer", "", "only this `customer`'s")
	return c
}

func (d *desk) usageReplay() *cobra.Command {
	var customer string
	c := &cobra.Command{
		Use: "replay", Short: "Count records that were kept aside, where nothing is wrong with them any more", Args: exactly(0),
		Long: "After a product was added to the catalogue, or a resource was registered. What is still wrong stays where it is. To\nmend a single record, use the API.",
		RunE: func(c *cobra.Command, _ []string) error {
			return d.with(c.Context(), func(h *house.House) error {
				replayed, kept := 0, 0
				for {
					_, page, err := h.Counter.Quarantine(c.Context(), local("ListQuarantine"), customer, usage.Kept, kept, importBatch)
					if err != nil {
						return err
					}
					if len(page) == 0 {
						break
					}
					for i := range page {
						_, err := h.Counter.ReplayUsage(c.Context(), local("ReplayUsage"), page[i].Record.Customer, page[i].ID, nil)
						if _, refused := fault.As(err); refused {
							kept++
						} else if err != nil {
							return err
						} else {
							replayed++
						}
					}
				}
				fmt.Fprintf(d.out, "%d records counted, %d stay in quarantine\n", replayed, kept)
				return nil
			})
		},
	}
	c.Flags().StringVar(&customer, "customer", "", "only this `customer`'s")
	return c
}

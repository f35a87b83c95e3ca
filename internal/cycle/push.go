package cycle

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/purser-cloud/purser/client"
	"github.com/purser-cloud/purser/internal/bill"
	"github.com/purser-cloud/purser/internal/bucket"
	"github.com/purser-cloud/purser/internal/focus"
	"github.com/purser-cloud/purser/internal/operation"
	"github.com/purser-cloud/purser/internal/period"
	"github.com/purser-cloud/purser/internal/sheet"
)

// Push is the daily export of everybody's bills: CUSTOMER/MONTH/FILE in a folder or bucket, each file whole or not there.
type Push struct {
	Store  bucket.Store
	Files  []string                                                         // of PushFiles
	Reader func(*operation.Call) (*client.Client, client.FeesReader, error) // reads as a call's caller
}

// PushFiles are the files that can be exported.
var PushFiles = []string{"focus.parquet", "focus.csv", "details.csv", "summary.xlsx"}

// pushBetween is how often the shift looks whether the day's export is to be made.
const pushBetween = time.Minute

// Export makes the day's export until ctx ends, beside the rounds: it takes as long as it takes.
func (s *Shift) Export(ctx context.Context, p *Push) {
	ticker := time.NewTicker(pushBetween)
	defer ticker.Stop()
	for {
		if _, err := s.PushOnce(ctx, p); err != nil && ctx.Err() == nil {
			s.log.Error("export of bills", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// errTakenOver says that this node was silent for too long.
var errTakenOver = errors.New("another node has taken over")

// PushOnce makes the day's export, or what is left of it, when it is due and no other node is at it, and says how many files it
// has written. A customer that fails is logged, and the rest go on: its files are made the next day.
func (s *Shift) PushOnce(ctx context.Context, p *Push) (files int64, err error) {
	day, mine, err := s.counter.PushDue(ctx, s.clock())
	if err != nil || !mine {
		return 0, err
	}
	before := day.Files
	for ctx.Err() == nil {
		part, done, err := s.counter.PushNext(ctx, s.clock(), &day)
		if err != nil {
			return day.Files - before, err
		}
		if done {
			return day.Files - before, s.counter.PushOver(ctx, s.clock(), &day)
		}
		n, failed := s.pushPart(ctx, p, &day, &part)
		switch {
		case errors.Is(failed, errTakenOver):
			return day.Files - before, nil
		case ctx.Err() != nil:
			return day.Files - before, ctx.Err() // the lease runs out; somebody goes on
		case failed != nil:
			s.log.Error("bills were not exported", "customer", part.Customer, "error", failed)
			day.Failed, day.Trouble = day.Failed+1, part.Customer+": "+failed.Error()
		}
		day.Reached, day.Files = part.Customer, day.Files+n
		if mine, err := s.counter.PushKept(context.WithoutCancel(ctx), s.clock(), &day); err != nil || !mine {
			return day.Files - before, err
		}
	}
	return day.Files - before, ctx.Err()
}

// pushPart writes the files of one customer.
func (s *Shift) pushPart(ctx context.Context, p *Push, day *bill.Push, part *operation.PushPart) (files int64, err error) {
	c, fees, err := p.Reader(part.Call)
	if err != nil {
		return 0, err
	}
	alive := func() error {
		if day.Leased.Sub(s.clock()) > bill.PushLease/2 {
			return nil
		}
		mine, err := s.counter.PushKept(ctx, s.clock(), day)
		if err == nil && !mine {
			err = errTakenOver
		}
		return err
	}
	for _, month := range part.Months {
		for _, name := range p.Files {
			if err := p.write(ctx, c, fees, part.Customer, month, name, alive); err != nil {
				return files, fmt.Errorf("%s of %s: %w", name, month, err)
			}
			files++
		}
	}
	return files, nil
}

// write writes one file aside and puts it into the store.
func (p *Push) write(ctx context.Context, c *client.Client, fees client.FeesReader, customer string, month period.Cycle, name string, alive func() error) error {
	aside, err := os.CreateTemp("", "purser-export-*")
	if err != nil {
		return err
	}
	defer os.Remove(aside.Name()) //nolint:errcheck // a temporary file
	defer aside.Close()           //nolint:errcheck // it was read
	if err := fill(ctx, c, fees, month, name, aside, alive); err != nil {
		return err
	}
	if _, err := aside.Seek(0, io.SeekStart); err != nil {
		return err
	}
	if err := alive(); err != nil {
		return err
	}
	return p.Store.Put(ctx, customer+"/"+month.String()+"/"+name, aside, nil)
}

func fill(ctx context.Context, c *client.Client, fees client.FeesReader, month period.Cycle, name string, to io.Writer, alive func() error) (err error) {
	plain := &sheet.Export{BSS: c.BSS, Fees: fees, Page: focus.PageWithin, Invoices: c.Purser, Cycle: month, Reached: func(int) error { return alive() }}
	switch name {
	case "details.csv":
		_, _, _, err = plain.Details(ctx, to)
		return err
	case "summary.xlsx":
		_, err = plain.Summary(ctx, to)
		return err
	}
	var rows focus.Writer
	if name == "focus.parquet" {
		rows = focus.NewParquet(to)
	} else if rows, err = focus.NewCSV(to, true); err != nil {
		return err
	}
	run := focus.Export{BSS: c.BSS, Fees: fees, Page: focus.PageWithin, Invoices: c.Purser, Cycle: month, Back: focus.LookBackMost, Reached: func(focus.Place) error { return alive() }}
	if _, _, _, err := run.Run(ctx, rows); err != nil {
		return err
	}
	return rows.Close()
}

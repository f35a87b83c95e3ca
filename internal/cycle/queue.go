package cycle

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/purser-cloud/purser/internal/operation"
	"github.com/purser-cloud/purser/internal/queue"
	"github.com/purser-cloud/purser/internal/usage"
)

// Bounds of what is taken in at a time.
const (
	takeBytes = 2 << 20
	takeWait  = 5 * time.Second
	leaveWait = 5 * time.Second
	after     = time.Second      // what went wrong
	lasting   = 10 * time.Second // is no change of leaders any more, or a database that is away for a moment
	sayEvery  = time.Minute      // that a partition cannot be taken in
)

// TakeIn takes in usage out of the queue until ctx ends: of those partitions that are this node's, which changes as nodes come and go.
func (s *Shift) TakeIn(ctx context.Context, from *queue.Queue, node string) {
	at := map[int]context.CancelFunc{}
	var crew sync.WaitGroup
	ticker := time.NewTicker(queue.Beat)
	defer ticker.Stop()
	select {
	case <-ctx.Done():
	case <-from.Reached():
	}
	for ctx.Err() == nil {
		mine, err := s.counter.ShareQueue(ctx, s.clock(), node)
		if err != nil && ctx.Err() == nil { // each transaction looks at its lease: what is held goes on
			s.log.Error("share of the queue", "error", err)
		}
		held := map[int]bool{}
		for _, p := range mine {
			if held[p] = true; at[p] != nil {
				continue
			}
			part, end := context.WithCancel(ctx)
			at[p] = end
			s.log.Debug("partition of the queue taken", "partition", p)
			crew.Go(func() { s.takePartition(part, from, node, p) })
		}
		for p, end := range at {
			if err == nil && !held[p] {
				s.log.Debug("partition of the queue given away", "partition", p)
				end()
				delete(at, p)
			}
		}
		select {
		case <-ctx.Done():
		case <-ticker.C:
		}
	}
	crew.Wait()
	for _, end := range at {
		end()
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaveWait)
	defer cancel()
	if err := s.counter.LeaveQueue(last, s.clock(), node); err != nil {
		s.log.Warn("partitions of the queue were not given back; their leases run out", "error", err)
	}
}

// takePartition takes in what is in one partition until ctx ends.
func (s *Shift) takePartition(ctx context.Context, from *queue.Queue, node string, p int) {
	var since, said time.Time // it has not gone well; that was told of
	for ctx.Err() == nil {
		list, err := from.Take(ctx, p, takeBytes, takeWait)
		if err == nil && len(list) > 0 {
			err = s.takeList(ctx, node, p, list)
		}
		if err == nil {
			since = time.Time{}
		}
		if err != nil && ctx.Err() == nil {
			now := s.clock()
			if since.IsZero() {
				since = now
			}
			switch {
			case errors.Is(err, queue.ErrNotHeld):
			case now.Sub(since) < lasting:
				s.log.Debug("usage out of the queue", "partition", p, "error", err)
			case now.Sub(said) > sayEvery:
				said = now
				s.log.Error("usage out of the queue", "partition", p, "error", err)
			}
			select {
			case <-ctx.Done():
			case <-time.After(after):
			}
		}
	}
}

// takeList takes some messages in, as many records at a time as a batch may have. A message is acknowledged when all of it is in the store.
func (s *Shift) takeList(ctx context.Context, node string, p int, list []queue.Taken) error {
	for len(list) > 0 {
		in := usage.Reader{Most: queuedMost}
		n := 0
		for ; n < len(list) && (n == 0 || len(in.Records) < operation.UsageMost); n++ {
			before := len(in.Records)
			err := in.Lines(list[n].Body)
			for i := before; err == nil && i < len(in.Records); i++ {
				if why := in.Wrong(i); why != nil {
					err = why
				}
			}
			if err != nil { // not ours, or of a purser that is newer: it stays, for whoever can read it
				in.Records = in.Records[:before]
				s.log.Error("a message of the queue cannot be read", "message", list[n].Place(), "error", err)
				if err := list[n].Unread(); err != nil {
					return err
				}
				list[n].Body = nil
			}
		}
		if len(in.Records) > 0 {
			if err := s.counter.AcceptQueued(ctx, s.clock(), node, p, in.Records); err != nil {
				for i := range list {
					err = errors.Join(err, list[i].Back())
				}
				return err
			}
		}
		for i := range list[:n] {
			if list[i].Body == nil {
				continue
			}
			if err := list[i].Done(); err != nil {
				s.log.Debug("not acknowledged: it comes again", "message", list[i].Place(), "error", err)
			}
		}
		list = list[n:]
	}
	return nil
}

// queuedMost is more records than the messages of one step can have.
const queuedMost = 1 << 20

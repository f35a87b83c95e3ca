package operation

import (
	"context"
	"errors"
	"time"

	"github.com/purser-cloud/purser/internal/clock"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/queue"
	"github.com/purser-cloud/purser/internal/usage"
)

// QueueUsage puts usage records into the queue, from where a node takes them in. What it says was accepted is on the disks of
// the queue; what a record's form tells is refused at once, what only the store knows shows later, among what was kept aside. The
// operator's. PURSER.1130: too much is on its way in; PURSER.1131: the queue does not answer.
func (c *Counter) QueueUsage(ctx context.Context, call *Call, records []usage.Record) (out []usage.Outcome, err error) {
	leave, err := c.admitBatch(ctx, call, len(records))
	if err != nil {
		return nil, err
	}
	defer leave()
	out = usage.Shaped(records)
	err = c.Queue.Put(ctx, packed(records, out, c.Queue.BodyMost()))
	if errors.Is(err, queue.ErrAway) {
		c.Log.Error("usage was not queued", "error", err)
		err = &fault.Fault{Kind: fault.Unavailable, Code: "PURSER.1131", Message: "the queue of usage does not answer: send the batch again", Retry: 1}
	}
	return out, err
}

// recordMost is more than the text of any record that passed its checks.
const recordMost = 64 << 10

// packed makes messages of those records of a batch that are not refused, each of one partition and of most bytes at the most.
func packed(records []usage.Record, out []usage.Outcome, most int) (list []queue.Message) {
	var bodies [queue.Partitions][]byte
	put := func(p int) {
		list, bodies[p] = append(list, queue.Message{Partition: p, Body: bodies[p]}), nil
	}
	for i := range records {
		if out[i].Verdict != usage.Accepted {
			continue
		}
		p := queue.PartitionOf(records[i].Customer)
		if bodies[p] == nil {
			bodies[p] = make([]byte, 0, min(most, 512*(len(records)-i)))
		}
		if bodies[p] = usage.AppendLine(bodies[p], &records[i]); len(bodies[p]) > most-recordMost {
			put(p)
		}
	}
	for p := range bodies {
		if len(bodies[p]) > 0 {
			put(p)
		}
	}
	return list
}

// AcceptQueued takes in what messages of a partition say, in one transaction that stands on the node's lease. What is refused is
// kept among what was dropped. queue.ErrNotHeld: the partition is another node's.
func (c *Counter) AcceptQueued(ctx context.Context, real time.Time, node string, partition int, records []usage.Record) error {
	at := db.Instants{Now: real, Real: real, Apart: true}
	if c.Clocks != nil { // those who report have the house's clock
		err := c.DB.View(ctx, at, func(v *db.View) (err error) { at.Now, err = c.Clocks.Now(ctx, v, clock.House); return err })
		if err != nil {
			return err
		}
	}
	var learnt usage.Learnt
	refused := 0
	err := c.DB.Update(ctx, at, func(tx *db.Tx) error {
		refused = 0
		if err := queue.Hold(ctx, tx, partition, node); err != nil {
			return err
		}
		shelf, err := c.Catalogue.At(ctx, tx)
		if err != nil {
			return err
		}
		var out []usage.Outcome
		if out, learnt, err = c.Usage.Accept(ctx, tx, c.Random, shelf, records); err != nil {
			return err
		}
		for i := range out {
			if out[i].Verdict != usage.Refused {
				continue
			}
			refused++
			if err := usage.KeepRefused(ctx, tx, &records[i], out[i].Why); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		c.Usage.Remember(&learnt)
		if refused > 0 {
			c.Log.Warn("usage out of the queue was refused: see GET /purser/v1/usage-quarantine?state=dropped", "records", refused, "partition", partition)
		}
	}
	return err
}

// ShareQueue says that a node lives, and which partitions are its own.
func (c *Counter) ShareQueue(ctx context.Context, real time.Time, node string) (mine []int, err error) {
	err = c.DB.Update(ctx, db.Instants{Now: real, Real: real, About: "queue", Apart: true}, func(tx *db.Tx) error {
		mine, err = queue.Share(ctx, tx, node)
		return err
	})
	return mine, err
}

// LeaveQueue gives a node's partitions to the others.
func (c *Counter) LeaveQueue(ctx context.Context, real time.Time, node string) error {
	return c.DB.Update(ctx, db.Instants{Now: real, Real: real, About: "queue", Apart: true}, func(tx *db.Tx) error { return queue.Leave(ctx, tx, node) })
}

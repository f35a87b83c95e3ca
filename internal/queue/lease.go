package queue

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/purser-cloud/purser/internal/db"
)

// LeaseTime is how long a node may be silent before the others take its partitions over.
const LeaseTime = 10 * time.Second

// Beat is how often a node says that it lives.
const Beat = 2 * time.Second

// ErrNotHeld says that a partition is another node's.
var ErrNotHeld = errors.New("queue: the partition is another node's")

// Lease is who has a partition.
type Lease struct {
	Partition int
	Node      string // empty: nobody
	Until     time.Time
}

// Share says that a node lives and gives it its share of the partitions: it keeps what it has up to its share, gives back what is
// above, and takes what nobody holds. Nodes that were silent are forgotten.
func Share(ctx context.Context, tx *db.Tx, node string) (mine []int, err error) {
	until := tx.Real.Add(LeaseTime)
	if err := seen(ctx, tx, node, until); err != nil {
		return nil, err
	}
	nodes, err := living(ctx, tx)
	if err != nil {
		return nil, err
	}
	leases, err := leases(ctx, tx)
	if err != nil {
		return nil, err
	}
	keep, take, leave := divide(leases, nodes, node, tx.Real)
	for _, p := range leave {
		if _, err := setLease(ctx, tx, p, node, "", time.Time{}); err != nil {
			return nil, err
		}
	}
	for _, p := range keep {
		held, err := setLease(ctx, tx, p, node, node, until)
		if err != nil {
			return nil, err
		}
		if held {
			mine = append(mine, p)
		}
	}
	for _, p := range take {
		taken, err := takeLease(ctx, tx, p, node, until)
		if err != nil {
			return nil, err
		}
		if taken {
			mine = append(mine, p)
		}
	}
	return mine, nil
}

// Leave gives back all that a node has: it stops.
func Leave(ctx context.Context, tx *db.Tx, node string) error { return leave(ctx, tx, node) }

// Hold makes the transaction stand on the node's lease: until it ends nobody else takes the partition over. ErrNotHeld.
func Hold(ctx context.Context, tx *db.Tx, p int, node string) error {
	held, err := setLease(ctx, tx, p, node, node, tx.Real.Add(LeaseTime))
	if err == nil && !held {
		err = ErrNotHeld
	}
	return err
}

// divide says which partitions a node keeps, may take and gives back. Shares differ by one at most, and follow from the names of the
// nodes that live.
func divide(leases []Lease, nodes []string, node string, now time.Time) (keep, take, leave []int) {
	nodes = slices.Clone(nodes)
	slices.Sort(nodes)
	share := Partitions / max(1, len(nodes))
	if slices.Index(nodes, node) < Partitions%max(1, len(nodes)) {
		share++
	}
	held := map[int]bool{}
	for _, l := range leases {
		switch {
		case l.Node == node && len(keep) < share:
			keep = append(keep, l.Partition)
		case l.Node == node:
			leave = append(leave, l.Partition)
		case l.Node == "" || !l.Until.After(now):
			continue
		}
		held[l.Partition] = true
	}
	for p := 0; p < Partitions && len(keep)+len(take) < share; p++ {
		if !held[p] {
			take = append(take, p)
		}
	}
	return keep, take, leave
}

package queue

import (
	"context"
	"fmt"
	"time"

	"github.com/purser-cloud/purser/internal/db"
)

// seen keeps that a node lives, and forgets those that were silent.
func seen(ctx context.Context, tx *db.Tx, node string, until time.Time) error {
	_, err := tx.Exec(ctx, `INSERT INTO queue_node (node, seen_until) VALUES ($1, $2) ON CONFLICT (node) DO UPDATE SET seen_until = excluded.seen_until`, node, db.Micros(until))
	if err == nil {
		_, err = tx.Exec(ctx, `DELETE FROM queue_node WHERE seen_until < $1`, db.Micros(tx.Real))
	}
	if err != nil {
		return fmt.Errorf("say that a node lives: %w", err)
	}
	return nil
}

func living(ctx context.Context, r db.Reader) (nodes []string, err error) {
	rows, err := r.Query(ctx, `SELECT node FROM queue_node ORDER BY node`)
	if err != nil {
		return nil, fmt.Errorf("read the nodes: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var node string
		if err := rows.Scan(&node); err != nil {
			return nil, fmt.Errorf("read the nodes: %w", err)
		}
		nodes = append(nodes, node)
	}
	return nodes, rows.Err()
}

func leases(ctx context.Context, r db.Reader) (list []Lease, err error) {
	rows, err := r.Query(ctx, `SELECT partition, node, leased_until FROM queue_partition ORDER BY partition`)
	if err != nil {
		return nil, fmt.Errorf("read the partitions: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var l Lease
		var until int64
		if err := rows.Scan(&l.Partition, &l.Node, &until); err != nil {
			return nil, fmt.Errorf("read the partitions: %w", err)
		}
		l.Until = db.TimeOf(until)
		list = append(list, l)
	}
	return list, rows.Err()
}

// setLease changes a node's lease of a partition; false: it has none.
func setLease(ctx context.Context, tx *db.Tx, p int, node, to string, until time.Time) (bool, error) {
	n, err := tx.Exec(ctx, `UPDATE queue_partition SET node = $1, leased_until = $2 WHERE partition = $3 AND node = $4`, to, db.Micros(until), int64(p), node)
	if err != nil {
		return false, fmt.Errorf("lease a partition: %w", err)
	}
	return n > 0, nil
}

// takeLease takes a partition that nobody holds; false: somebody does.
func takeLease(ctx context.Context, tx *db.Tx, p int, node string, until time.Time) (bool, error) {
	n, err := tx.Exec(ctx, `INSERT INTO queue_partition (partition, node, leased_until) VALUES ($1, $2, $3)
		ON CONFLICT (partition) DO UPDATE SET node = excluded.node, leased_until = excluded.leased_until
		WHERE queue_partition.node = '' OR queue_partition.leased_until <= $4`, int64(p), node, db.Micros(until), db.Micros(tx.Real))
	if err != nil {
		return false, fmt.Errorf("take a partition: %w", err)
	}
	return n > 0, nil
}

func leave(ctx context.Context, tx *db.Tx, node string) error {
	_, err := tx.Exec(ctx, `UPDATE queue_partition SET node = '', leased_until = 0 WHERE node = $1`, node)
	if err == nil {
		_, err = tx.Exec(ctx, `DELETE FROM queue_node WHERE node = $1`, node)
	}
	if err != nil {
		return fmt.Errorf("give partitions back: %w", err)
	}
	return nil
}

package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"time"

	"github.com/purser-cloud/purser/internal/operation"
	"github.com/purser-cloud/purser/internal/queue"
	"github.com/purser-cloud/purser/internal/usage"
)

// queueHands is how many batches are on their way at a time, through the house and bare: an acknowledgement waits for two other disks.
const queueHands = 16

// benchQueue sends usage through a queue of three servers on this machine, one of them inside the house: a peak of signed batches over
// HTTP until they are acknowledged; then what waits is taken into SQLite. The peer is the bare rate at which the same cluster
// acknowledges messages of the same bytes.
func benchQueue(dir string) ([]line, error) {
	const batches = 250
	var peers []string
	for range 3 {
		on, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer on.Close()
		peers = append(peers, on.Addr().String())
		on.Close() //nolint:errcheck // the address is wanted
	}
	part := func(i int) queue.Config {
		return queue.Config{Listen: peers[i], Peers: peers, Secret: "bench", Replicas: 3, Folder: filepath.Join(dir, fmt.Sprint("queue-", i)), Log: slog.New(slog.DiscardHandler)}
	}
	for i := range 2 {
		q, err := queue.Open(part(i + 1))
		if err != nil {
			return nil, err
		}
		defer q.Close()
	}
	m, err := openMetered(filepath.Join(dir, "metered"), "", part(0))
	if err != nil {
		return nil, err
	}
	defer m.Close() //nolint:errcheck // a bench
	m.hands = queueHands
	var bare, through time.Duration
	var waited uint64
	ctx := context.Background()
	waiting := func() (n uint64, err error) {
		list := m.Counter.Queue.Messages(ctx)
		if len(list) < queue.Partitions {
			return 0, queue.ErrAway
		}
		for _, one := range list {
			n += one
		}
		return n, nil
	}
	m.last = func() error {
		if err := m.Counter.LeaveQueue(ctx, time.Now(), "nobody"); err != nil {
			return err
		}
		var began time.Time // the node has its partitions within a beat: it counts from the first that was taken in
		for most := uint64(0); ; time.Sleep(20 * time.Millisecond) {
			left, err := waiting()
			if err != nil {
				return err
			}
			if most = max(most, left); left < most && began.IsZero() {
				began, waited = time.Now(), left
			}
			if left == 0 {
				break
			}
		}
		through = time.Since(began)
		return nil
	}
	var held error
	taken, err := m.send(batches, func() { // the servers are known once the first batches are in the store; the rest of the peak waits
		for left := uint64(1); left > 0 && held == nil; time.Sleep(20 * time.Millisecond) {
			left, held = waiting()
		}
		if held == nil { // from an hour ahead all partitions are without a node
			_, held = m.Counter.ShareQueue(ctx, time.Now().Add(time.Hour), "nobody")
			time.Sleep(queue.Beat + time.Second) // until the node knows
		}
	})
	if err := errors.Join(err, held); err != nil {
		return nil, err
	}
	alone := part(0) // nobody takes anything in now
	alone.Folder = filepath.Join(dir, "metered", "queue")
	q, err := queue.Open(alone)
	if err != nil {
		return nil, err
	}
	defer q.Close()
	<-q.Reached()
	var messages []queue.Message
	for i := range batches {
		in := usage.Reader{Most: operation.UsageMost}
		if err := in.Array(m.body(i)); err != nil {
			return nil, err
		}
		one := queue.Message{Partition: queue.PartitionOf(in.Records[0].Customer)}
		for r := range in.Records {
			one.Body = usage.AppendLine(one.Body, &in.Records[r])
		}
		messages = append(messages, one)
	}
	put := func(i int) error { return q.Put(context.Background(), messages[i:i+1]) }
	if err := parallel(meteredCustomers, queueHands, put); err != nil {
		return nil, err
	}
	started := time.Now()
	if err := parallel(batches-meteredCustomers, queueHands, func(i int) error { return put(meteredCustomers + i) }); err != nil {
		return nil, err
	}
	bare = time.Since(started)
	rate := func(n int, in time.Duration) float64 { return float64(n*batchSize) / in.Seconds() }
	return []line{
		share("usage through a queue of three nodes, acknowledged over HTTP", rate(batches-meteredCustomers, taken), rate(batches-meteredCustomers, bare), 0.40),
		share("taken out of the queue into the store (SQLite)", rate(int(waited), through), rate(batches-meteredCustomers, bare), 0.40),
	}, nil
}

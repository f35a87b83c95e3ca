// Package queue is where usage waits that was taken in and is not in the store yet: NATS JetStream, an outside cluster or a
// server inside each node that forms one with its peers. And it owns which node takes in which partition.
//
// It does not own what a message says (usage) nor what becomes of it (operation).
//
// A partition is a stream of its own; a customer's usage is always in the same one. Each partition belongs to one node at a
// time, by a lease in the store; Hold makes a transaction stand on it. A message is gone when it was acknowledged, which is
// done behind the commit: one may come twice, never be lost. In a partition they come in order, but what comes again comes
// later.
//
// Leases and acknowledgements go by real time.
//
// Invariants: Put returns when as many servers as there are replicas have the messages on disk (the embedded ones sync before
// they acknowledge; an outside cluster must be set to, see docs/operator.md); of two nodes that hold a partition one only commits.
package queue

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Partitions is how many there are. Another number would be safe too: what is counted once does not depend on it.
const Partitions = 8

// PartitionOf is where a customer's usage waits.
func PartitionOf(customer string) int {
	h := fnv.New32a()
	h.Write([]byte(customer)) //nolint:errcheck // it never fails
	return int(h.Sum32() % Partitions)
}

// Bounds.
const (
	bodyMost    = 512 << 10       // bytes of a message's body; less where the cluster takes less
	putWait     = 9 * time.Second // for acknowledgements, in all
	putPause    = 200 * time.Millisecond
	putAgain    = 3 * time.Second // for one, until the message is sent anew: what went to a leader that is gone is lost
	reachWait   = time.Second     // for an answer whether a partition is there: while there is no leader none comes
	makeWait    = 5 * time.Second // for making it
	reachAgain  = 200 * time.Millisecond
	reachUsual  = 20 * time.Second // that nodes which are started together take at the most, to find their leaders
	ackWait     = 20 * time.Second // until what was taken and not acknowledged is handed out again
	unreadWait  = time.Minute      // until what cannot be read is handed out again
	manyMost    = 256              // messages that are asked for at a time
	unackedMost = 2000             // messages of a partition that are taken and not acknowledged
	between     = time.Second      // tries to reach the cluster
	lookEvery   = 2 * time.Second  // whether all partitions answer
	awayLooks   = 4                // that a partition did not answer in a row: it is away, not changing its leader
)

// Config says where the queue is.
type Config struct {
	URL      string // of an outside cluster, nats://HOST:PORT, several with commas; empty: a server inside
	Listen   string // of the server inside: HOST:PORT, where its peers reach it
	Peers    []string
	Secret   string // that servers inside know each other by; empty, of a house: follows from its key
	Folder   string // of the server inside
	Replicas int    // of each message: 1, 3 or 5
	Log      *slog.Logger
}

// Queue is an open queue. It may not be reached yet: then Put fails, and Take waits.
type Queue struct {
	config  Config
	inside  *inside  // nil: an outside cluster
	folder  *os.File // held while the server inside may run
	conn    *nats.Conn
	js      jetstream.JetStream
	end     context.CancelFunc
	over    sync.WaitGroup
	mu      sync.Mutex
	taking  [Partitions]jetstream.Consumer
	many    [Partitions]int // messages to ask for
	missed  [Partitions]int // looks in a row that it did not answer
	reached chan struct{}   // closed once all streams are there
}

// ErrAway says that the queue is not reached, or did not acknowledge.
var ErrAway = errors.New("queue: JetStream is not reached")

// Open starts the server inside, if there is to be one, and goes on reaching for the cluster until it is there.
func Open(c Config) (*Queue, error) {
	q := &Queue{config: c, reached: make(chan struct{})}
	options := []nats.Option{nats.Name("purser"), nats.RetryOnFailedConnect(true), nats.MaxReconnects(-1), nats.ReconnectWait(between), nats.IgnoreAuthErrorAbort()}
	url := c.URL
	if url == "" {
		q.inside = &inside{config: c}
		if err := q.startInside(); err != nil {
			return nil, err
		}
		options = append(options, nats.InProcessServer(q.inside), nats.UserInfo(insideUser, c.Secret))
	}
	conn, err := nats.Connect(url, options...)
	if err != nil {
		q.stopInside()
		return nil, fmt.Errorf("queue: connect: %w", err)
	}
	q.conn = conn
	if q.js, err = jetstream.New(conn, jetstream.WithPublishAsyncTimeout(putAgain)); err != nil {
		conn.Close()
		q.stopInside()
		return nil, fmt.Errorf("queue: %w", err)
	}
	ctx, end := context.WithCancel(context.Background())
	q.end = end
	q.over.Go(func() { q.reach(ctx); q.look(ctx) })
	if q.inside != nil {
		q.over.Go(func() { q.inside.keep(ctx) })
	}
	return q, nil
}

// Close leaves the cluster. What was put and is not acknowledged stays.
func (q *Queue) Close() {
	q.end()
	q.over.Wait()
	q.conn.Close()
	q.stopInside()
}

// Reached is closed once all partitions are there.
func (q *Queue) Reached() <-chan struct{} { return q.reached }

// reach makes the partitions that are not there yet, until all are. Each waits for a leader of its own: all at once.
func (q *Queue) reach(ctx context.Context) {
	usual, end := context.WithTimeout(ctx, reachUsual)
	defer end()
	var said, warned sync.Once
	var all sync.WaitGroup
	for p := range Partitions {
		all.Go(func() {
			for {
				err := q.ready(ctx, p)
				if err == nil || ctx.Err() != nil {
					return
				}
				said.Do(func() { q.config.Log.Info("the queue is being reached: until then reports of usage are answered 503") })
				if usual.Err() != nil {
					warned.Do(func() { q.config.Log.Warn("the queue is not reached yet", "error", err) })
				}
				select {
				case <-ctx.Done():
					return
				case <-time.After(reachAgain):
				}
			}
		})
	}
	if all.Wait(); ctx.Err() != nil {
		return
	}
	q.config.Log.Info("the queue is reached", "replicas", q.config.Replicas, "partitions", Partitions)
	close(q.reached)
}

// look sees now and then whether all partitions answer, until ctx ends.
func (q *Queue) look(ctx context.Context) {
	for ctx.Err() == nil {
		var all sync.WaitGroup
		for p := range Partitions {
			all.Go(func() {
				asked, cancel := context.WithTimeout(ctx, reachWait)
				defer cancel()
				_, err := q.ask(asked, p)
				q.mu.Lock()
				defer q.mu.Unlock()
				if q.missed[p]++; err == nil {
					q.missed[p] = 0
				}
			})
		}
		all.Wait()
		select {
		case <-ctx.Done():
		case <-time.After(lookEvery):
		}
	}
}

// Away says in words why reports of usage to this node are refused, which they are for longer than a change of leaders takes. Empty: they
// are taken in.
func (q *Queue) Away() string {
	select {
	case <-q.reached:
	default:
		return "the queue is not reached yet"
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	return away(&q.missed)
}

// ask asks for a partition. One without a leader is told of by whoever has a copy, from what that one knows: it takes nothing.
func (q *Queue) ask(ctx context.Context, p int) (jetstream.Stream, error) {
	stream, err := q.js.Stream(ctx, name(p))
	if err != nil {
		return nil, err
	}
	if c := stream.CachedInfo().Cluster; c != nil && c.Leader == "" {
		return nil, errLeaderless
	}
	return stream, nil
}

var errLeaderless = fmt.Errorf("%w: the partition has no leader", ErrAway)

func away(missed *[Partitions]int) string {
	n := 0
	for _, looks := range missed {
		if looks >= awayLooks {
			n++
		}
	}
	switch n {
	case 0:
		return ""
	case Partitions:
		return "the queue does not answer"
	}
	return fmt.Sprintf("%d of %d partitions of the queue do not answer", n, Partitions)
}

func name(p int) string    { return fmt.Sprintf("PURSER-USAGE-%d", p) }
func subject(p int) string { return fmt.Sprintf("purser.usage.%d", p) }

const consumer = "purser"

// ready makes a partition and what it is taken from by, or finds them.
func (q *Queue) ready(ctx context.Context, p int) error {
	ctx, cancel := context.WithTimeout(ctx, makeWait)
	defer cancel()
	asked, end := context.WithTimeout(ctx, reachWait)
	defer end()
	stream, err := q.ask(asked, p)
	if errors.Is(err, jetstream.ErrStreamNotFound) { // one that is there may have been changed by its operator: it stays
		stream, err = q.js.CreateStream(ctx, jetstream.StreamConfig{
			Name: name(p), Subjects: []string{subject(p)}, Retention: jetstream.WorkQueuePolicy, Storage: jetstream.FileStorage,
			Replicas: q.config.Replicas, Discard: jetstream.DiscardNew, Duplicates: time.Second, // known by their records' keys, not here
		})
	}
	if err != nil {
		return err
	}
	one, err := stream.Consumer(ctx, consumer)
	if errors.Is(err, jetstream.ErrConsumerNotFound) {
		one, err = stream.CreateOrUpdateConsumer(ctx, jetstream.ConsumerConfig{Durable: consumer, AckPolicy: jetstream.AckExplicitPolicy, AckWait: ackWait, MaxAckPending: unackedMost, MaxDeliver: -1})
	}
	if err != nil {
		return err
	}
	q.mu.Lock()
	q.taking[p] = one
	q.mu.Unlock()
	return nil
}

// BodyMost is how large the body of a message may be, in bytes.
func (q *Queue) BodyMost() int {
	if most := q.conn.MaxPayload(); most > 0 && most-1024 < bodyMost {
		return int(most - 1024)
	}
	return bodyMost
}

// Message is one on its way in.
type Message struct {
	Partition int
	Body      []byte
}

// Put returns once all messages are on the disks of the cluster; on an error some may be. What is not acknowledged soon is sent
// again, so that a message may be there twice.
func (q *Queue) Put(ctx context.Context, list []Message) error {
	select {
	case <-q.reached:
	default:
		return ErrAway
	}
	again, cancel := context.WithTimeout(ctx, putWait-putAgain) // no more after it
	defer cancel()
	for {
		lost, err := q.put(ctx, list)
		if err == nil || len(lost) == 0 {
			return err
		}
		select { // nobody may be there to be sent to, which is known at once
		case <-time.After(putPause):
		case <-again.Done():
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return errors.Join(ErrAway, err)
		}
		list = lost
	}
}

// put sends messages once. Lost are those that nobody acknowledged, when there is no other error.
func (q *Queue) put(ctx context.Context, list []Message) (lost []Message, err error) {
	waiting := make([]jetstream.PubAckFuture, len(list))
	for i := range list {
		one, err := q.js.PublishAsync(subject(list[i].Partition), list[i].Body)
		if err != nil {
			return nil, errors.Join(ErrAway, err)
		}
		waiting[i] = one
	}
	for i, one := range waiting {
		select {
		case <-one.Ok():
		case said := <-one.Err():
			if !errors.Is(said, jetstream.ErrAsyncPublishTimeout) && !errors.Is(said, jetstream.ErrNoStreamResponse) && !errors.Is(said, nats.ErrNoResponders) {
				return nil, errors.Join(ErrAway, said)
			}
			lost, err = append(lost, list[i]), said
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return lost, err
}

// Taken is a message that was handed out.
type Taken struct {
	Body []byte
	Size int
	from jetstream.Msg
}

// Place names a message for its operator: its stream and number.
func (t *Taken) Place() string {
	m, err := t.from.Metadata()
	if err != nil {
		return t.from.Subject()
	}
	return fmt.Sprintf("%s:%d", m.Stream, m.Sequence.Stream)
}

// Done says that it is in the store. When that is not heard it comes again.
func (t *Taken) Done() error { return t.from.Ack() }

// Back has it handed out again soon.
func (t *Taken) Back() error { return t.from.NakWithDelay(between) }

// Unread has it handed out again later: nobody could read it.
func (t *Taken) Unread() error { return t.from.NakWithDelay(unreadWait) }

// Take hands out messages of a partition: what is there, about as many bytes as are said, else the first that comes within wait.
func (q *Queue) Take(ctx context.Context, p, bytes int, wait time.Duration) (list []Taken, err error) {
	q.mu.Lock()
	from, many := q.taking[p], max(q.many[p], 1, bytes/bodyMost)
	q.mu.Unlock()
	if from == nil {
		select {
		case <-ctx.Done():
		case <-time.After(min(wait, between)):
		}
		return nil, nil
	}
	add := func(batch jetstream.MessageBatch, err error) (int, error) {
		if err != nil {
			return 0, err
		}
		n := 0
		for m := range batch.Messages() {
			list, n = append(list, Taken{Body: m.Data(), Size: len(m.Data()), from: m}), n+1
		}
		return n, batch.Error()
	}
	n, err := add(from.FetchNoWait(many))
	size := 0
	for i := range list {
		size += list[i].Size
	}
	q.mu.Lock()
	q.many[p] = manyNext(many, n, size, bytes)
	q.mu.Unlock()
	if n == 0 && err == nil {
		ctx, cancel := context.WithTimeout(ctx, wait)
		defer cancel()
		_, err = add(from.Fetch(1, jetstream.FetchContext(ctx)))
	}
	if len(list) > 0 || errors.Is(err, nats.ErrTimeout) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		err = nil
	}
	return list, err
}

// manyNext is how many messages to ask for after n came of as many as were asked for, size bytes in all: more of small ones, so that
// what many clients report one by one is taken in together, and few again when they become large.
func manyNext(many, n, size, bytes int) int {
	switch {
	case size > bytes:
		return 1
	case n == many && size <= bytes/2:
		return min(2*many, manyMost)
	}
	return many
}

// Messages is how many wait in each partition, taken ones too. A partition that does not answer until ctx ends is not in it.
func (q *Queue) Messages(ctx context.Context) map[int]uint64 {
	list := map[int]uint64{}
	var mu sync.Mutex
	var all sync.WaitGroup
	for p := range Partitions {
		all.Go(func() {
			if stream, err := q.ask(ctx, p); err == nil {
				mu.Lock()
				defer mu.Unlock()
				list[p] = stream.CachedInfo().State.Msgs
			}
		})
	}
	all.Wait()
	return list
}

// Leads is what of the cluster's the server inside leads: its affairs as a whole (0 or 1), partitions, and what is taken from them
// by. An outside cluster's leaders are not ours to tell: all 0.
func (q *Queue) Leads() (cluster, partitions, consumers int) {
	if q.inside == nil {
		return 0, 0, 0
	}
	s := q.inside.now()
	if s.JetStreamIsLeader() {
		cluster = 1
	}
	for p := range Partitions {
		if s.JetStreamIsStreamLeader(server.DEFAULT_GLOBAL_ACCOUNT, name(p)) {
			partitions++
		}
		if s.JetStreamIsConsumerLeader(server.DEFAULT_GLOBAL_ACCOUNT, name(p), consumer) {
			consumers++
		}
	}
	return cluster, partitions, consumers
}

package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/purser-cloud/purser/client"
	"github.com/purser-cloud/purser/cloud"
	"github.com/purser-cloud/purser/internal/account"
	"github.com/purser-cloud/purser/internal/catalog"
	"github.com/purser-cloud/purser/internal/cycle"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/house"
	"github.com/purser-cloud/purser/internal/identity"
	"github.com/purser-cloud/purser/internal/ledger"
	"github.com/purser-cloud/purser/internal/operation"
	"github.com/purser-cloud/purser/internal/queue"
)

// The usage bench: batches of 1,000 records as JSON, signed beforehand, sent through the server; then the turned clock
// settles them. The peer is the bare driver that runs the very statements of the same batches, grouped alike. The first hour
// makes the servers known and is not timed, neither here nor there: a cloud's servers are new once, their hours are not.

const (
	meteredCustomers = 50
	batchSize        = 1000
	senders          = 4 // connections
)

// metered is a house with customers and what their usage is signed with.
type metered struct {
	*house.House
	key   identity.Key
	boss  string // the operator's domain
	start time.Time
	last  func() error // before the server is stopped; nil: nothing
	hands int          // connections
}

func openMetered(data, database string, waits queue.Config) (*metered, error) {
	ctx, now := context.Background(), time.Now()
	h, err := house.Open(ctx, house.Config{Version: "bench", Data: data, Database: database, Limits: "off", TestClock: true, Log: slog.New(slog.DiscardHandler), Queue: waits})
	if err != nil {
		return nil, err
	}
	c := h.Counter
	content, err := catalog.Read(cloud.Files)
	if err != nil {
		return nil, err
	}
	if _, err := c.ImportCatalogue(ctx, operation.LocalOperator("import", now), func() (*catalog.Content, error) { return content, nil }, false, false); err != nil {
		return nil, err
	}
	m := &metered{House: h, hands: senders, start: now.Truncate(time.Hour)}
	err = c.DB.Update(ctx, db.Instants{Now: now, Real: now}, func(tx *db.Tx) error {
		for i := range meteredCustomers {
			id := meteredCustomer(i)
			if err := account.Open(ctx, tx, rand.Reader, &account.Customer{ID: id, Country: "SG"}); err != nil {
				return err
			}
			if err := ledger.Post(ctx, tx, rand.Reader, &ledger.Entry{Customer: id, Cause: "topup", Reference: "bench", Postings: []ledger.Posting{{Giver: ledger.Topup, Taker: ledger.Cash, Amount: 1_000_000_000 * dollar}}}); err != nil {
				return err
			}
		}
		var err error
		m.boss, m.key, err = operatorKey(ctx, c, tx)
		return err
	})
	return m, err
}

func meteredCustomer(i int) string { return fmt.Sprintf("metered-%024d", i) }

// operatorKey makes an operator account with a key.
func operatorKey(ctx context.Context, c *operation.Counter, tx *db.Tx) (string, identity.Key, error) {
	domain := identity.Domain{Name: "bench-operator", Kind: identity.Operator}
	if _, err := c.Identity.AddDomain(ctx, tx, &domain, []string{"ap-southeast-1"}); err != nil {
		return "", identity.Key{}, err
	}
	user := identity.User{DomainID: domain.ID, Name: "bench", Owner: true, Email: "bench@example.com"}
	if err := c.Identity.AddUser(ctx, tx, &user, []byte("none")); err != nil {
		return "", identity.Key{}, err
	}
	key, err := c.Identity.AddKey(ctx, tx, domain.ID, user.ID, "bench")
	return domain.ID, key, err
}

// body is the n-th batch: an hour of 1,000 servers of a customer.
func (m *metered) body(n int) []byte {
	var b bytes.Buffer
	customer, hour := n%meteredCustomers, n/meteredCustomers
	from := m.start.Add(time.Duration(hour) * time.Hour).UTC()
	b.WriteByte('[')
	for i := range batchSize {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"source":"meter-%d","id":"%08x-%04x-4f6e-9c2d-%012x","customer_id":%q,"resource_id":"4c6b1e0a-7f3d-4b52-a1c9-%04x%08x","cloud_service_type":"hws.service.type.ec2","resource_type":"hws.resource.type.vm","resource_spec":"s3.small.1.linux","region":"ap-southeast-1","enterprise_project_id":"0","usage_factor":"Duration","usage_value":"3600","usage_measure_id":6,"start_time":%q,"end_time":%q}`,
			customer, n*2654435761&0xffffffff, i, i, meteredCustomer(customer), customer, i, from.Format(time.RFC3339), from.Add(time.Hour).Format(time.RFC3339))
	}
	b.WriteByte(']')
	return b.Bytes()
}

// send sends batches through the server, signed before the clock starts; known is called when all servers are known and the
// clock starts.
func (m *metered) send(batches int, known func()) (time.Duration, error) {
	ctx, stop := context.WithCancel(context.Background())
	at, over := make(chan string, 1), make(chan error, 1)
	go func() {
		over <- m.Serve(ctx, func(endpoint, _ string) error { at <- endpoint; return nil })
	}()
	endpoint := <-at
	requests := make([][]byte, batches)
	for i := range requests {
		r, err := http.NewRequest(http.MethodPost, endpoint+"/purser/v1/usage-records", bytes.NewReader(m.body(i)))
		if err != nil {
			stop()
			return 0, err
		}
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("User-Agent", "bench")
		if err := (client.Credential{AccessKey: m.key.Access, SecretKey: m.key.Secret.Reveal(), DomainID: m.boss}).Sign(r, time.Now()); err != nil {
			stop()
			return 0, err
		}
		var text bytes.Buffer
		if err := r.Write(&text); err != nil {
			stop()
			return 0, err
		}
		requests[i] = text.Bytes()
	}
	if m.Counter.Queue != nil { // before there are connections, which the server closes when nothing comes
		<-m.Counter.Queue.Reached()
	}
	conns := make(chan net.Conn, m.hands)
	for range m.hands {
		conn, err := net.Dial("tcp", strings.TrimPrefix(endpoint, "http://"))
		if err != nil {
			stop()
			return 0, err
		}
		defer conn.Close()
		conns <- conn
	}
	post := func(i int) error {
		conn := <-conns
		defer func() { conns <- conn }()
		if _, err := conn.Write(requests[i]); err != nil {
			return err
		}
		answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			return err
		}
		text, err := io.ReadAll(answer.Body)
		var said struct{ Accepted int }
		if err == nil && (answer.StatusCode != http.StatusOK || json.Unmarshal(text, &said) != nil || said.Accepted != batchSize) {
			err = fmt.Errorf("%s: %s", answer.Status, text[:min(len(text), 500)])
		}
		return err
	}
	err := parallel(meteredCustomers, m.hands, post)
	if err == nil {
		known()
	}
	began := time.Now()
	if err == nil {
		err = parallel(len(requests)-meteredCustomers, m.hands, func(i int) error { return post(meteredCustomers + i) })
	}
	took := time.Since(began)
	if err == nil && m.last != nil {
		err = m.last()
	}
	stop()
	return took, errors.Join(err, <-over)
}

// settle turns the clock past the last hour and lets the night shift settle everything.
func (m *metered) settle(batches int) (time.Duration, error) {
	ctx := context.Background()
	m.Counter.Turned = nil // nobody else settles
	hours := (batches + meteredCustomers - 1) / meteredCustomers
	if _, err := m.Counter.MoveClock(ctx, operation.LocalOperator("MoveClock", time.Now()), "", m.start.Add(time.Duration(hours)*time.Hour+2*time.Hour)); err != nil {
		return 0, err
	}
	shift := cycle.New(m.Counter, time.Now, slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError})))
	began := time.Now()
	var err error
	have := 0
	for rounds := 5; rounds > 0 && err == nil && have < batches*batchSize; rounds-- { // what one round leaves the next one takes up
		if err = shift.Round(ctx); err == nil {
			err = m.Counter.DB.View(ctx, db.Instants{Now: time.Now(), Real: time.Now()}, func(v *db.View) error {
				return v.QueryRow(ctx, `SELECT count(*) FROM charge_fee`).Scan(&have)
			})
		}
	}
	took := time.Since(began)
	if err == nil && have != batches*batchSize {
		err = fmt.Errorf("%d fee records, want %d", have, batches*batchSize)
	}
	return took, err
}

// Phases of a run: the first hour, in which servers become known; the hours after it; the settlement of all.
const (
	unknown = iota
	coming
	settling
)

// benchUsage makes the lines of usage on one engine; fresh makes an empty store under a name.
func benchUsage(name, dir string, fresh func(name string) (database string, err error)) ([]line, error) {
	const batches = 250
	open := func(sub string) (*metered, string, string, error) {
		database, err := fresh("usage_" + sub)
		if err != nil {
			return nil, "", "", err
		}
		data := filepath.Join(dir, "usage-"+sub)
		m, err := openMetered(data, database, queue.Config{})
		return m, data, database, err
	}
	run := func(sub string, listen func(int, []db.Statement)) (intake, settled time.Duration, err error) {
		m, _, _, err := open(sub)
		if err != nil {
			return 0, 0, err
		}
		phase := unknown
		if listen != nil {
			var mu sync.Mutex
			m.Counter.DB.Listen(func(tx []db.Statement) {
				mu.Lock()
				defer mu.Unlock()
				listen(phase, slices.Clone(tx))
			})
		}
		if intake, err = m.send(batches, func() { phase = coming }); err == nil {
			phase = settling
			settled, err = m.settle(batches)
		}
		return intake, settled, errors.Join(err, m.Close())
	}
	intake, settled, err := run("ours", nil)
	if err != nil {
		return nil, err
	}
	var heard [3][][]db.Statement
	if _, _, err := run("heard", func(phase int, tx []db.Statement) { heard[phase] = append(heard[phase], tx) }); err != nil {
		return nil, err
	}
	m, data, database, err := open("bare")
	if err == nil {
		err = m.Close()
	}
	if err != nil {
		return nil, err
	}
	if _, err := replayOn(data, database, heard[unknown], senders, pgx.ReadCommitted); err != nil { // as usage is taken in
		return nil, err
	}
	bareIntake, err := replayOn(data, database, heard[coming], senders, pgx.ReadCommitted)
	if err != nil {
		return nil, err
	}
	bareSettled, err := replayOn(data, database, heard[settling], 16, pgx.Serializable)
	if err != nil {
		return nil, err
	}
	taken := func(in time.Duration) float64 { return in.Seconds() / ((batches - meteredCustomers) * batchSize) } // seconds a record
	fee := func(in, settled time.Duration) float64 {
		return 1 / (taken(in) + settled.Seconds()/(batches*batchSize))
	}
	return []line{
		share(name+": usage over HTTP, JSON batches of 1,000, durable", 1/taken(intake), 1/taken(bareIntake), 0.50),
		share(name+": usage accepted and settled into fee records", fee(intake, settled), fee(bareIntake, bareSettled), 0.40),
	}, nil
}

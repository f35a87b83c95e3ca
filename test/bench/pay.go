package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/purser-cloud/purser/client"
	"github.com/purser-cloud/purser/cloud"
	"github.com/purser-cloud/purser/internal/account"
	"github.com/purser-cloud/purser/internal/catalog"
	"github.com/purser-cloud/purser/internal/contract"
	"github.com/purser-cloud/purser/internal/coupon"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/discount"
	"github.com/purser-cloud/purser/internal/house"
	"github.com/purser-cloud/purser/internal/identity"
	"github.com/purser-cloud/purser/internal/ledger"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/operation"
	"github.com/purser-cloud/purser/internal/order"
	"github.com/purser-cloud/purser/internal/rating"
)

// The payment bench: a store with customers who each have a discount, a coupon and unpaid orders. It is copied; on
// one copy the counter pays them all while every statement is written down, on another it pays them against the
// clock, on a third the bare driver replays the statements: the same ones, in transactions grouped alike.

const (
	fewPayers  = 400 // customers
	ordersEach = 5
	hands      = 64 // payments under way at once: a group of the SQLite writer
	pgConns    = 4  // of PostgreSQL: as many as purser opens on this machine
	dollar     = money.Amount(100_000_000)
)

var payEvent = contract.Event{Type: "order", Name: "payCustomerOrderV3"}

// due is an order that is to be paid, with its means.
type due struct {
	customer, order string
	means           order.Means
	key             identity.Key
}

func openShop(data, database string) (*house.House, error) {
	return house.Open(context.Background(), house.Config{Version: "bench", Data: data, Database: database, Limits: "off", Log: slog.New(slog.DiscardHandler)})
}

// callOf is a payment's call at the counter.
func callOf(d *due, now time.Time) *operation.Call {
	return &operation.Call{
		Operation: &contract.Operation{ID: "PayOrders", Event: payEvent}, Caller: identity.Caller{DomainID: d.customer, DomainKind: identity.Customer, UserID: "u", UserName: "bench", Owner: true},
		Source: "127.0.0.1", Real: now, RequestID: "bench", Body: []byte(`{"order_id":"` + d.order + `","use_coupon":"YES","use_discount":"YES"}`),
	}
}

// furnish fills an empty store and returns what is to be paid.
func furnish(h *house.House, payers int) ([]due, error) {
	ctx, now := context.Background(), time.Now()
	c := h.Counter
	content, err := catalog.Read(cloud.Files)
	if err != nil {
		return nil, err
	}
	if _, err := c.ImportCatalogue(ctx, operation.LocalOperator("import", now), func() (*catalog.Content, error) { return content, nil }, false, false); err != nil {
		return nil, err
	}
	out := make([]due, payers*ordersEach)
	err = parallel(payers, hands, func(i int) error {
		name := fmt.Sprintf("payer-%04d", i)
		var key identity.Key
		var means order.Means
		domain := identity.Domain{Name: name, Kind: identity.Customer}
		err := c.DB.Update(ctx, db.Instants{Now: now, Real: now}, func(tx *db.Tx) error {
			domain = identity.Domain{Name: name, Kind: identity.Customer}
			if _, err := c.Identity.AddDomain(ctx, tx, &domain, []string{"ap-southeast-1"}); err != nil {
				return err
			}
			u := identity.User{DomainID: domain.ID, Name: name, Owner: true, Email: name + "@example.com"}
			err := c.Identity.AddUser(ctx, tx, &u, []byte("none"))
			if err != nil {
				return err
			}
			if key, err = c.Identity.AddKey(ctx, tx, domain.ID, u.ID, "bench"); err != nil {
				return err
			}
			if err := account.Open(ctx, tx, rand.Reader, &account.Customer{ID: domain.ID, Country: "SG"}); err != nil {
				return err
			}
			g := discount.Grant{Customer: domain.ID, Name: "contract", Kind: rating.Commercial, Effective: now.Add(-time.Hour), Expires: now.AddDate(1, 0, 0)}
			if g.Value, err = money.ParseDecimal("0.9"); err != nil {
				return err
			}
			if err := discount.Add(ctx, tx, rand.Reader, money.USD, &g); err != nil {
				return err
			}
			one := coupon.Coupon{Customer: domain.ID, Version: 2, Face: 10_000 * dollar, Limits: []coupon.Limit{{Key: "serviceType", Value1: "hws.service.type.ebs"}}} // pays the disks, cash the servers
			if err := coupon.Issue(ctx, tx, rand.Reader, money.USD, &one, false); err != nil {
				return err
			}
			means = order.Means{Discount: g.ID, DiscountType: order.PayCommercial, Coupon: one.ID}
			return ledger.Post(ctx, tx, rand.Reader, &ledger.Entry{Customer: domain.ID, Cause: "topup", Reference: "bench", Postings: []ledger.Posting{{Giver: ledger.Topup, Taker: ledger.Cash, Amount: 1_000_000 * dollar}}})
		})
		if err != nil {
			return err
		}
		for k := range ordersEach {
			d := due{customer: domain.ID, means: means, key: key}
			placed, err := c.PlaceOrder(ctx, callOf(&d, now), &operation.NewOrder{Draft: order.Draft{Items: []order.Item{{
				Wanted: catalog.Wanted{ID: "1", Service: "hws.service.type.ec2", ResourceType: "hws.resource.type.vm", Spec: "s3.small.1.linux", Region: "ap-southeast-1", Num: 1, PeriodType: 2, Periods: 12},
				Attached: []order.Item{{Wanted: catalog.Wanted{
					ID: "2", Service: "hws.service.type.ebs", ResourceType: "hws.resource.type.volume", Spec: "SAS", Region: "ap-southeast-1", Num: 1, Size: rating.Size{Value: money.DecimalOf(40), Unit: 17},
				}}},
			}}}})
			if err != nil {
				return err
			}
			d.order = placed.Order.ID
			out[k*payers+i] = d // neighbours are of different customers
		}
		return nil
	})
	c.Discounts.Changed()
	c.Identity.Changed()
	return out, err
}

// parallel does n things by so many hands.
func parallel(n, hands int, deed func(i int) error) error {
	var next atomic.Int64
	var wg sync.WaitGroup
	errs := make([]error, hands)
	for hand := range hands {
		wg.Go(func() {
			for errs[hand] == nil {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				errs[hand] = deed(i)
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// stores makes copies of one furnished store; each is opened on its own.
type stores struct {
	dir, admin, base string // base: SQLite file's folder, or the PostgreSQL database
	payers           int
	dues             []due
	n                int
}

func furnishedSQLite(dir string) (*stores, error) {
	s := &stores{dir: dir, base: filepath.Join(dir, "base"), payers: fewPayers}
	return s, s.furnish(s.base, "")
}

func furnishedPostgres(dir, admin string, payers int) (*stores, error) {
	s := &stores{dir: dir, admin: admin, base: fmt.Sprintf("bench_%d_%d", os.Getpid(), payers), payers: payers}
	if err := s.command("CREATE DATABASE " + s.base); err != nil {
		return nil, err
	}
	return s, s.furnish(filepath.Join(dir, "pg-base"), s.address(s.base))
}

func (s *stores) address(database string) string {
	at := s.admin[:strings.LastIndex(s.admin, "/")+1] + database
	if i := strings.Index(s.admin, "?"); i >= 0 {
		at += s.admin[i:]
	}
	return at
}

func (s *stores) command(text string) error {
	conn, err := pgx.Connect(context.Background(), s.admin)
	if err != nil {
		return err
	}
	defer conn.Close(context.Background())
	_, err = conn.Exec(context.Background(), text)
	return err
}

// fresh makes an empty database and says where it is.
func (s *stores) fresh(name string) (string, error) {
	name = fmt.Sprintf("%s_%d", name, os.Getpid())
	return s.address(name), s.command("CREATE DATABASE " + name)
}

func (s *stores) furnish(data, database string) error {
	h, err := openShop(data, database)
	if err != nil {
		return err
	}
	s.dues, err = furnish(h, s.payers)
	return errors.Join(err, h.Close())
}

// copy makes a copy and says where it is.
func (s *stores) copy() (data, database string, err error) {
	s.n++
	data = filepath.Join(s.dir, fmt.Sprintf("copy-%d-%s", s.n, filepath.Base(s.base)))
	if s.admin != "" {
		name := fmt.Sprintf("%s_%d", s.base, s.n)
		if err := s.command("CREATE DATABASE " + name + " TEMPLATE " + s.base); err != nil {
			return "", "", err
		}
		if err := os.CopyFS(data, os.DirFS(filepath.Join(s.dir, "pg-base"))); err != nil {
			return "", "", err
		}
		return data, s.address(name), nil
	}
	return data, "", os.CopyFS(data, os.DirFS(s.base))
}

// away takes a copy away again: the large ones are gigabytes.
func (s *stores) away(data, database string) error {
	err := os.RemoveAll(data)
	if database == "" {
		return err
	}
	at, _, _ := strings.Cut(database, "?")
	return errors.Join(err, s.command("DROP DATABASE "+at[strings.LastIndex(at, "/")+1:]+" WITH (FORCE)"))
}

// payAll pays everything at the counter and says how long it took.
func payAll(h *house.House, dues []due) (time.Duration, error) {
	now := time.Now()
	err := parallel(len(dues), hands, func(i int) error {
		return h.Counter.PayOrder(context.Background(), callOf(&dues[i], now), dues[i].order, dues[i].means)
	})
	return time.Since(now), err
}

// benchPayments makes the payment lines of one engine.
func benchPayments(name string, s *stores) (lines []line, paying float64, err error) {
	heard, err := record(s)
	if err != nil {
		return nil, 0, err
	}
	statements := 0
	for _, tx := range heard {
		statements += len(tx)
	}
	var bare, counter, wire time.Duration
	var hot float64
	for range 3 { // the best of three each, turn by turn
		a, err := replay(s, heard)
		if err != nil {
			return nil, 0, fmt.Errorf("bare: %w", err)
		}
		b, err := atCounter(s)
		if err != nil {
			return nil, 0, fmt.Errorf("counter: %w", err)
		}
		c, err := throughHTTP(s)
		if err != nil {
			return nil, 0, fmt.Errorf("HTTP: %w", err)
		}
		h, err := benchHot(s)
		if err != nil {
			return nil, 0, fmt.Errorf("one hot customer: %w", err)
		}
		bare, counter, wire, hot = least(bare, a), least(counter, b), least(wire, c), max(hot, h)
	}
	rate := func(d time.Duration) float64 { return float64(len(s.dues)) / d.Seconds() }
	perSecond := float64(statements) / bare.Seconds()
	return []line{
		share(fmt.Sprintf("%s: paying orders at the counter, %d statements each", name, statements/len(heard)), rate(counter), rate(bare), 0.50),
		share(name+": paying orders over HTTP, signed", rate(wire), rate(bare), 0.35),
		share(name+": one hot customer, payments and top-ups, statements", hot, perSecond, 0.40),
	}, rate(counter), nil
}

func least(a, b time.Duration) time.Duration {
	if a == 0 {
		return b
	}
	return min(a, b)
}

// share is a rate as a part of the bare engine's.
func share(what string, ours, bare, bar float64) line {
	return line{what, fmt.Sprintf("%.0f/s", ours), fmt.Sprintf("%.0f/s", bare), fmt.Sprintf("%.0f %%", 100*ours/bare), fmt.Sprintf("%.0f %%", 100*bar), ours/bare >= bar}
}

func record(s *stores) (heard [][]db.Statement, err error) {
	data, database, err := s.copy()
	if err != nil {
		return nil, err
	}
	h, err := openShop(data, database)
	if err != nil {
		return nil, err
	}
	var mu sync.Mutex
	h.Counter.DB.Listen(func(tx []db.Statement) {
		kept := append([]db.Statement(nil), tx...)
		mu.Lock()
		defer mu.Unlock()
		heard = append(heard, kept)
	})
	_, err = payAll(h, s.dues)
	return heard, errors.Join(err, h.Close())
}

func atCounter(s *stores) (time.Duration, error) {
	data, database, err := s.copy()
	if err != nil {
		return 0, err
	}
	h, err := openShop(data, database)
	if err != nil {
		return 0, err
	}
	took, err := payAll(h, s.dues)
	return took, errors.Join(err, h.Close())
}

// replay runs the statements on the bare driver: on SQLite one writer with prepared statements, a savepoint for each
// payment and a commit for each group; on PostgreSQL serializable transactions on as many connections as purser opens.
func replay(s *stores, heard [][]db.Statement) (time.Duration, error) {
	data, database, err := s.copy()
	if err != nil {
		return 0, err
	}
	return replayOn(data, database, heard, hands, pgx.Serializable)
}

// replayOn is replay on a store, with so many transactions in a group.
func replayOn(data, database string, heard [][]db.Statement, hands int, level pgx.TxIsoLevel) (time.Duration, error) {
	if database != "" {
		return replayPostgres(database, heard, level)
	}
	ctx := context.Background()
	pool, err := sql.Open("sqlite", "file:"+filepath.Join(data, "purser.db")+"?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=foreign_keys(1)&_pragma=temp_store(MEMORY)&_pragma=cache_size(-65536)&_pragma=wal_autocheckpoint(4000)")
	if err != nil {
		return 0, err
	}
	defer pool.Close()
	conn, err := pool.Conn(ctx)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	prepared := map[string]*sql.Stmt{}
	run := func(text string, args []any, query bool) error {
		st := prepared[text]
		if st == nil {
			if st, err = conn.PrepareContext(ctx, text); err != nil {
				return err
			}
			prepared[text] = st
		}
		if !query {
			_, err := st.ExecContext(ctx, args...)
			return err
		}
		rows, err := st.QueryContext(ctx, args...)
		if err != nil {
			return err
		}
		for rows.Next() {
		}
		return rows.Close()
	}
	began := time.Now()
	for from := 0; from < len(heard); from += hands {
		if err := run("BEGIN IMMEDIATE", nil, false); err != nil {
			return 0, err
		}
		for _, tx := range heard[from:min(from+hands, len(heard))] {
			if err := run("SAVEPOINT deed", nil, false); err != nil {
				return 0, err
			}
			for _, st := range tx {
				if err := run(st.Text, st.Args, st.Query); err != nil {
					return 0, fmt.Errorf("%.80s: %w", st.Text, err)
				}
			}
			if err := run("RELEASE deed", nil, false); err != nil {
				return 0, err
			}
		}
		if err := run("COMMIT", nil, false); err != nil {
			return 0, err
		}
	}
	return time.Since(began), nil
}

func replayPostgres(database string, heard [][]db.Statement, level pgx.TxIsoLevel) (time.Duration, error) {
	ctx := context.Background()
	conns := make([]*pgx.Conn, pgConns)
	for i := range conns {
		var err error
		if conns[i], err = pgx.Connect(ctx, database); err != nil {
			return 0, err
		}
		defer conns[i].Close(ctx)
	}
	free := make(chan *pgx.Conn, pgConns)
	for _, c := range conns {
		free <- c
	}
	began := time.Now()
	err := parallel(len(heard), pgConns, func(i int) error {
		c := <-free
		defer func() { free <- c }()
		for {
			err := pgx.BeginTxFunc(ctx, c, pgx.TxOptions{IsoLevel: level}, func(tx pgx.Tx) error {
				for _, st := range heard[i] {
					if st.Rows != nil {
						if _, err := tx.CopyFrom(ctx, pgx.Identifier{st.Text}, st.Columns, pgx.CopyFromRows(st.Rows)); err != nil {
							return err
						}
						continue
					}
					if !st.Query {
						if _, err := tx.Exec(ctx, st.Text, st.Args...); err != nil {
							return err
						}
						continue
					}
					rows, err := tx.Query(ctx, st.Text, st.Args...)
					if err != nil {
						return err
					}
					for rows.Next() {
					}
					rows.Close()
					if rows.Err() != nil {
						return rows.Err()
					}
				}
				return nil
			})
			if err == nil || !strings.Contains(err.Error(), "40001") && !strings.Contains(err.Error(), "40P01") {
				return err
			}
		}
	})
	return time.Since(began), err
}

func signedPayment(d *due, endpoint string) ([]byte, error) {
	body := fmt.Sprintf(`{"order_id":"%s","use_coupon":"YES","coupon_infos":[{"id":"%s","type":301}],"use_discount":"YES","discount_infos":[{"id":"%s","type":2}]}`, d.order, d.means.Coupon, d.means.Discount)
	r, err := http.NewRequest(http.MethodPost, endpoint+"/v3/orders/customer-orders/pay", strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "bench")
	if err := (client.Credential{AccessKey: d.key.Access, SecretKey: d.key.Secret.Reveal(), DomainID: d.customer}).Sign(r, time.Now()); err != nil {
		return nil, err
	}
	var text strings.Builder
	err = r.Write(&text)
	return []byte(text.String()), err
}

// benchHot lets many hands pay one customer's orders and top it up at once; it says how many statements a second.
func benchHot(s *stores) (float64, error) {
	data, database, err := s.copy()
	if err != nil {
		return 0, err
	}
	h, err := openShop(data, database)
	if err != nil {
		return 0, err
	}
	defer h.Close()
	now := time.Now()
	hot := s.dues[0]
	const deeds = 800
	orders := make([]string, deeds)
	err = parallel(deeds, hands, func(i int) error {
		placed, err := h.Counter.PlaceOrder(context.Background(), callOf(&hot, now), &operation.NewOrder{Draft: order.Draft{Items: []order.Item{{
			Wanted: catalog.Wanted{ID: "1", Service: "hws.service.type.ec2", ResourceType: "hws.resource.type.vm", Spec: "s3.small.1.linux", Region: "ap-southeast-1", Num: 1, PeriodType: 2, Periods: 12},
		}}}})
		orders[i] = placed.Order.ID
		return err
	})
	if err != nil {
		return 0, err
	}
	operator := operation.LocalOperator("TopUp", now)
	var statements atomic.Int64
	h.Counter.DB.Listen(func(tx []db.Statement) { statements.Add(int64(len(tx))) })
	began := time.Now()
	err = parallel(2*deeds, hands, func(i int) error {
		if i%2 == 0 {
			return h.Counter.PayOrder(context.Background(), callOf(&hot, now), orders[i/2], order.Means{Discount: hot.means.Discount, DiscountType: order.PayCommercial})
		}
		_, err := h.Counter.TopUp(context.Background(), operator, operation.Movement{Customer: hot.customer, Amount: dollar, Reference: fmt.Sprint("hot-", i)})
		return err
	})
	return float64(statements.Load()) / time.Since(began).Seconds(), err
}

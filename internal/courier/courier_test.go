package courier_test

import (
	"context"
	"crypto/rand"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/purser-cloud/purser/internal/courier"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/db/dbtest"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/identity"
	"github.com/purser-cloud/purser/internal/operation"
	"github.com/purser-cloud/purser/internal/outbox"
)

// desk is a counter with a receiver outside it.
type desk struct {
	*testing.T
	counter *operation.Counter
	hook    operation.NewWebhook
	now     time.Time
	mu      sync.Mutex
	heard   []string // deliveries taken, in their order
	fail    int      // how many are refused first
	server  *httptest.Server
}

func open(t *testing.T, d *db.DB, topics ...string) *desk {
	t.Helper()
	sealer, err := identity.NewSealer(make([]byte, 32), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	s := &desk{T: t, now: time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC), counter: &operation.Counter{
		DB: d, Random: rand.Reader, Log: slog.New(slog.DiscardHandler), Identity: identity.NewDesk(sealer, rand.Reader),
	}}
	s.server = httptest.NewServer(http.HandlerFunc(s.receive))
	t.Cleanup(s.server.Close)
	if s.hook, err = s.counter.AddWebhook(t.Context(), operation.LocalOperator("AddWebhook", s.now), s.server.URL+"/hook", topics); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *desk) receive(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail > 0 {
		s.fail--
		http.Error(w, "not now", http.StatusServiceUnavailable)
		return
	}
	if want := "v1=" + courier.Sign(s.hook.Secret, r.Header.Get("X-Purser-Timestamp"), string(body)); r.Header.Get("X-Purser-Signature") != want {
		s.Errorf("signature %s", r.Header.Get("X-Purser-Signature"))
	}
	s.heard = append(s.heard, r.Header.Get("X-Purser-Topic")+" "+string(body))
}

func (s *desk) put(customer, topic, key, body string) {
	s.Helper()
	err := s.counter.DB.Update(s.Context(), dbtest.At(s.now), func(tx *db.Tx) error {
		return outbox.Put(s.Context(), tx, rand.Reader, &outbox.Message{Customer: customer, Topic: topic, Key: key, Body: body})
	})
	if err != nil {
		s.Fatal(err)
	}
	s.now = s.now.Add(time.Millisecond)
}

func (s *desk) courier() *courier.Courier {
	loopback := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	return courier.New(s.counter, func() time.Time { return s.now }, slog.New(slog.DiscardHandler), loopback)
}

func (s *desk) rounds(c *courier.Courier) (tried int) {
	s.Helper()
	for {
		n, err := c.Round(context.Background())
		if err != nil {
			s.Fatal(err)
		}
		if tried += n; n == 0 {
			return tried
		}
	}
}

// Messages of a customer arrive in their order, signed, once each; a refused one is tried again later and holds back
// only its customer's others.
func TestDeliver(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, "order.*")
		s.put("a", "order.paid", "1", `{"n":1}`)
		s.put("a", "order.paid", "1", `{"n":1}`) // again
		s.put("a", "order.cancelled", "2", `{"n":2}`)
		s.put("a", "ping", "3", `{}`) // not wanted
		c := s.courier()
		s.fail = 2
		if n := s.rounds(c); n != 1 || len(s.heard) != 0 {
			t.Errorf("%d tried, heard %v", n, s.heard)
		}
		s.put("b", "order.paid", "1", `{"n":3}`)
		s.now = s.now.Add(time.Second)
		s.rounds(c)
		if !slices.Equal(s.heard, []string{`order.paid {"n":3}`}) {
			t.Errorf("heard %v", s.heard)
		}
		s.now = s.now.Add(5 * time.Second)
		s.rounds(s.courier()) // another process: what was undelivered is in the store
		if !slices.Equal(s.heard, []string{`order.paid {"n":3}`, `order.paid {"n":1}`, `order.cancelled {"n":2}`}) {
			t.Errorf("heard %v", s.heard)
		}
		s.now = s.now.AddDate(0, 0, 1)
		if n := s.rounds(c); n != 0 {
			t.Errorf("%d tried again", n)
		}
		operator := operation.LocalOperator("x", s.now)
		total, page, err := s.counter.Deliveries(t.Context(), operator, s.hook.ID, outbox.Delivered, 0, 10)
		if err != nil || total != 3 || page[2].Attempts != 3 {
			t.Errorf("%v, %+v", err, page)
		}
	})
}

// What nobody takes for three days is given up, and can be tried again by hand; a webhook that is off is left alone.
func TestGiveUp(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, "*")
		s.put("a", "order.paid", "1", `{}`)
		s.fail = 1000
		c := s.courier()
		tried := 0
		for range 100 {
			tried += s.rounds(c)
			s.now = s.now.Add(time.Hour)
		}
		operator := operation.LocalOperator("x", s.now)
		_, page, err := s.counter.Deliveries(t.Context(), operator, "", outbox.GivenUp, 0, 10)
		if err != nil || len(page) != 1 || tried < 70 || tried > 80 || !strings.Contains(page[0].Answer, "503") {
			t.Fatalf("%v, %d tries, %+v", err, tried, page)
		}
		if _, err := s.counter.ChangeWebhook(t.Context(), operator, s.hook.ID, func(t *outbox.Target) { t.Active = false }); err != nil {
			t.Fatal(err)
		}
		if err := s.counter.RetryDelivery(t.Context(), operator, page[0].Target, page[0].Customer, page[0].Message); err != nil {
			t.Fatal(err)
		}
		if n := s.rounds(c); n != 0 {
			t.Errorf("%d tried while it is off", n)
		}
		if _, err := s.counter.ChangeWebhook(t.Context(), operator, s.hook.ID, func(t *outbox.Target) { t.Active = true }); err != nil {
			t.Fatal(err)
		}
		s.fail = 0
		if s.rounds(c); len(s.heard) != 1 {
			t.Errorf("heard %v", s.heard)
		}
		for name, err := range map[string]error{
			"PURSER.0902": s.counter.RetryDelivery(t.Context(), operator, page[0].Target, page[0].Customer, page[0].Message),
			"PURSER.0901": s.counter.RemoveWebhook(t.Context(), operator, "WH0"),
		} {
			if !fault.Is(err, name) {
				t.Errorf("%v, want %s", err, name)
			}
		}
	})
}

// Several couriers at once: each message is taken once.
func TestManyCouriers(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, "*")
		for i := range 30 {
			s.put(strings.Repeat("c", 1+i%7), "order.paid", strings.Repeat("k", i+1), `{}`)
		}
		s.now = s.now.Add(time.Second)
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				c := s.courier()
				for range 30 {
					if _, err := c.Round(context.Background()); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		if len(s.heard) != 30 {
			t.Errorf("%d heard, want 30", len(s.heard))
		}
	})
}

// A webhook that leads inside is not called, however its address is written.
func TestNotInside(t *testing.T) {
	d := dbtest.SQLite(t)
	s := open(t, d, "*")
	s.put("a", "order.paid", "1", `{}`)
	c := courier.New(s.counter, func() time.Time { return s.now }, slog.New(slog.DiscardHandler), nil)
	s.rounds(c)
	_, page, err := s.counter.Deliveries(t.Context(), operation.LocalOperator("x", s.now), "", "", 0, 10)
	if err != nil || len(s.heard) != 0 || !strings.Contains(page[0].Answer, "not one to call") {
		t.Errorf("%v, heard %v, %+v", err, s.heard, page)
	}
}

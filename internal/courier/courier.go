// Package courier delivers the outbox: signed webhooks, through the one guarded way out of the house.
//
// It does not own messages and deliveries (outbox): it takes due ones through operations of the counter, sends them,
// and says how it went.
//
// A request carries X-Purser-Topic, X-Purser-Delivery (the message's id: receivers know by it what they have had),
// X-Purser-Timestamp (seconds since 1970, UTC) and X-Purser-Signature: v1= and the hex HMAC-SHA256 of
// timestamp.body under the webhook's secret. An answer 2xx is taken as heard; redirects are not followed.
//
// Invariants: what is not heard is tried again, at least once and perhaps twice; nothing of the answer but its status
// and first bytes is kept.
package courier

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/purser-cloud/purser/internal/operation"
)

// Courier delivers for one process.
type Courier struct {
	counter *operation.Counter
	clock   func() time.Time
	log     *slog.Logger
	client  *http.Client
	nudged  chan struct{}
}

// Bounds.
const (
	between    = 5 * time.Second // how often it looks when nobody nudges it
	atOnce     = 8               // deliveries under way
	limit      = 10 * time.Second
	answerMost = 1 << 10
)

// New makes a courier; open are ranges of addresses that it may call although they are inside.
func New(counter *operation.Counter, clock func() time.Time, log *slog.Logger, open []netip.Prefix) *Courier {
	return &Courier{counter: counter, clock: clock, log: log, nudged: make(chan struct{}, 1), client: &http.Client{
		Transport: Transport(open), Timeout: limit,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Nudge says that there may be something to deliver. It never waits.
func (c *Courier) Nudge() {
	select {
	case c.nudged <- struct{}{}:
	default:
	}
}

// Run delivers until ctx ends; what is under way then is finished.
func (c *Courier) Run(ctx context.Context) {
	ticker := time.NewTicker(between)
	defer ticker.Stop()
	for {
		n, err := c.Round(ctx)
		if err != nil && ctx.Err() == nil {
			c.log.Error("courier", "error", err)
		}
		c.counter.Pulse.Beat(operation.Courier, c.clock(), err)
		if n > 0 && ctx.Err() == nil {
			continue // more may be due behind what was delivered
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		case <-c.nudged:
		}
	}
}

// Round delivers what is due, up to a bound, and says how many it tried.
func (c *Courier) Round(ctx context.Context) (tried int, err error) {
	list, err := c.counter.LeaseDeliveries(ctx, c.clock(), atOnce)
	if err != nil {
		return 0, err
	}
	var wg sync.WaitGroup
	for i := range list {
		wg.Go(func() {
			d := &list[i]
			answer, heard := c.send(context.WithoutCancel(ctx), d)
			if err := c.counter.SettleDelivery(context.WithoutCancel(ctx), c.clock(), d, heard, answer); err != nil {
				c.log.Error("courier", "delivery", d.Message, "error", err)
			}
			if !heard {
				c.log.Warn("webhook did not take a message", "webhook", d.Target, "message", d.Message, "answer", answer)
			}
		})
	}
	wg.Wait()
	return len(list), nil
}

// send makes one request and says what came of it.
func (c *Courier) send(ctx context.Context, d *operation.Delivery) (answer string, heard bool) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, d.URL, strings.NewReader(d.Body))
	if err != nil {
		return cut(err.Error()), false
	}
	stamp := strconv.FormatInt(c.clock().Unix(), 10)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "purser")
	r.Header.Set("X-Purser-Topic", d.Topic)
	r.Header.Set("X-Purser-Delivery", d.Message)
	r.Header.Set("X-Purser-Timestamp", stamp)
	r.Header.Set("X-Purser-Signature", "v1="+Sign(d.Secret.Reveal(), stamp, d.Body))
	got, err := c.client.Do(r)
	if err != nil {
		return cut(err.Error()), false
	}
	defer got.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(got.Body, answerMost))
	if got.StatusCode/100 == 2 {
		return got.Status, true
	}
	return cut(fmt.Sprintf("%s %s", got.Status, text)), false
}

// Sign is the signature of a body sent at a moment, in hex.
func Sign(secret, stamp, body string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(stamp + "." + body))
	return hex.EncodeToString(mac.Sum(nil))
}

func cut(text string) string { return strings.ToValidUTF8(text[:min(len(text), 255)], "") }

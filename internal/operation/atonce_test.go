package operation_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/purser-cloud/purser/internal/coupon"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/operation"
	"github.com/purser-cloud/purser/internal/order"
)

// The same deed by four at once, each a request of its own, is done once: the others are told why not, or what is so already, and the
// books add up.
func TestTheSameDeedAtOnce(t *testing.T) {
	furnished.Each(t, func(t *testing.T, d *db.DB) {
		s := &storm{T: t, office: open(t, d), ctx: t.Context(), refusals: map[string]int{}}
		owner, operator := s.by("cedar-labs", now), s.by("purser-operator", now)
		s.customer = owner.Caller.DomainID
		server := s.several(t, "cedar-labs", 1)[0]
		turned := s.several(t, "cedar-labs", 1)[0]
		placed, err := s.PlaceOrder(s.ctx, owner, oneServer(1))
		if err != nil {
			t.Fatal(err)
		}
		raced, err := s.PlaceOrder(s.ctx, owner, oneServer(1))
		if err != nil {
			t.Fatal(err)
		}
		offline, err := s.IssueCoupons(s.ctx, operator, []string{s.customer}, coupon.Coupon{Version: 2, Face: 15 * dollar}, true)
		if err != nil {
			t.Fatal(err)
		}
		for _, deed := range []struct {
			what string
			fine int // answers
			do   func(hand int) error
		}{
			{"unsubscribe a server", 1, func(int) error {
				_, err := s.Unsubscribe(s.ctx, s.by("cedar-labs", now), []string{server}, false, "")
				return err
			}},
			{"turn a server pay-per-use at its end", 4, func(int) error {
				failed, err := s.ToOnDemand(s.ctx, s.by("cedar-labs", now), []string{turned}, false)
				if err == nil && len(failed) > 0 {
					err = failed[0].Why
				}
				return err
			}},
			{"cancel an order", 1, func(int) error { return s.CancelOrder(s.ctx, s.by("cedar-labs", now), placed.Order.ID) }},
			{"pay an order while it is cancelled", 1, func(hand int) error {
				if hand%2 == 0 {
					return s.CancelOrder(s.ctx, s.by("cedar-labs", now), raced.Order.ID)
				}
				return s.PayOrder(s.ctx, s.by("cedar-labs", now), raced.Order.ID, order.Means{})
			}},
			{"activate a coupon", 4, func(int) error {
				return s.ActOnCoupon(s.ctx, s.by("cedar-labs", now), s.customer, offline[0].ID, coupon.Activate)
			}},
			{"withdraw with one reference", 1, func(hand int) error {
				_, err := s.Withdraw(s.ctx, s.by("purser-operator", now), operation.Movement{Customer: s.customer, Amount: dollar, Reference: "the same"})
				return err
			}},
		} {
			codes := map[string]int{}
			var mu sync.Mutex
			var hands sync.WaitGroup
			for hand := range 4 {
				hands.Go(func() {
					err := deed.do(hand)
					mu.Lock()
					defer mu.Unlock()
					codes[code(err)]++
				})
			}
			hands.Wait()
			if codes[""] != deed.fine {
				t.Errorf("%s: %v", deed.what, codes)
			}
			for c := range codes {
				if c != "" && !strings.HasPrefix(c, "CBC.") && !strings.HasPrefix(c, "PURSER.") {
					t.Errorf("%s: %s", deed.what, c)
				}
			}
		}
		s.addUp()
	})
}

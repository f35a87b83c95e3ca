package operation_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/purser-cloud/purser/internal/catalog"
	"github.com/purser-cloud/purser/internal/charge"
	"github.com/purser-cloud/purser/internal/coupon"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/db/dbtest"
	"github.com/purser-cloud/purser/internal/ledger"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/operation"
	"github.com/purser-cloud/purser/internal/order"
	"github.com/purser-cloud/purser/internal/subscription"
)

func oneServer(num int32) *operation.NewOrder {
	return &operation.NewOrder{Draft: order.Draft{Items: []order.Item{{Wanted: catalog.Wanted{
		ID: "1", Service: "hws.service.type.ec2", ResourceType: "hws.resource.type.vm", Spec: "s3.small.1.linux", Region: "ap-southeast-1", Num: num, PeriodType: 2, Periods: 1,
	}}}}}
}

// storm is one customer whose orders, coupons and money many hands pull at.
type storm struct {
	*testing.T
	*office
	ctx             context.Context
	customer        string
	mu              sync.Mutex
	orders, coupons []string
	refusals        map[string]int
}

// may accepts the refusals that a storm brings and counts them; anything else fails the test.
func (s *storm) may(what string, err error) bool {
	if err == nil {
		return true
	}
	switch c := code(err); c {
	case "CBC.99003106", "CBC.99005003", "CBC.99003112", "CBC.99005010", "CBC.30000067", "CBC.99003651", "PURSER.0401", "PURSER.0402":
		s.mu.Lock()
		s.refusals[c]++
		s.mu.Unlock()
	default:
		s.Errorf("%s: %v", what, err)
	}
	return false
}

func pick(r *rand.Rand, list []string) string { return list[r.IntN(len(list))] }

func (s *storm) one(r *rand.Rand, i int) {
	owner, operator := s.by("cedar-labs", now), s.by("purser-operator", now)
	s.mu.Lock()
	id, coupons := pick(r, s.orders), s.coupons
	s.mu.Unlock()
	switch r.IntN(10) {
	case 0, 1:
		placed, err := s.PlaceOrder(s.ctx, owner, oneServer(1+r.Int32N(3)))
		if s.may("place", err) {
			s.mu.Lock()
			s.orders = append(s.orders, placed.Order.ID)
			s.mu.Unlock()
		}
	case 2, 3, 4:
		s.may("pay", s.PayOrder(s.ctx, owner, id, order.Means{}))
	case 5:
		s.may("pay with a coupon", s.PayOrder(s.ctx, owner, id, order.Means{Coupon: pick(r, coupons)}))
	case 6:
		s.may("cancel", s.CancelOrder(s.ctx, owner, id))
	case 7:
		_, err := s.TopUp(s.ctx, operator, operation.Movement{Customer: s.customer, Amount: money.Amount(1+r.IntN(20)) * dollar, Reference: fmt.Sprint("t", i)})
		s.may("top up", err)
	case 8:
		_, err := s.Withdraw(s.ctx, operator, operation.Movement{Customer: s.customer, Amount: money.Amount(1+r.IntN(40)) * dollar, Reference: fmt.Sprint("w", i)})
		s.may("withdraw", err)
	default:
		list, err := s.ListResources(s.ctx, owner, "", subscription.Query{Order: id}, 0, 10)
		if err == nil && len(list.Resources) > 0 {
			_, err = s.Unsubscribe(s.ctx, owner, []string{pick(r, []string{list.Resources[0].ID})}, false, "")
			s.may("unsubscribe", err)
		}
	}
}

// Many hands at once on one customer: pay (with coupons and without), cancel, unsubscribe, top up, withdraw. Afterwards
// postings balance, no account is below zero, no coupon is over its face, every order is the sum of its parts and was
// paid once, and the house's books agree with the fee records.
func TestStormOnOneCustomer(t *testing.T) {
	furnished.Each(t, func(t *testing.T, d *db.DB) {
		s := &storm{T: t, office: open(t, d), ctx: t.Context(), refusals: map[string]int{}}
		owner, operator := s.by("cedar-labs", now), s.by("purser-operator", now)
		s.customer = owner.Caller.DomainID
		issued, err := s.IssueCoupons(s.ctx, operator, []string{s.customer}, coupon.Coupon{Version: 2, Face: 15 * dollar}, false)
		if err != nil {
			t.Fatal(err)
		}
		once, err := s.IssueCoupons(s.ctx, operator, []string{s.customer}, coupon.Coupon{Version: 1, Face: 9 * dollar}, false)
		if err != nil {
			t.Fatal(err)
		}
		s.coupons = []string{issued[0].ID, once[0].ID}
		if _, err := s.Withdraw(s.ctx, operator, operation.Movement{Customer: s.customer, Amount: 9_950 * dollar, Reference: "most"}); err != nil {
			t.Fatal(err)
		}
		for range 6 {
			placed, err := s.PlaceOrder(s.ctx, owner, oneServer(2))
			if err != nil {
				t.Fatal(err)
			}
			s.orders = append(s.orders, placed.Order.ID)
		}
		const hands, deeds = 8, 40
		var wg sync.WaitGroup
		for hand := range hands {
			wg.Go(func() {
				r := rand.New(rand.NewPCG(uint64(hand), 7))
				for i := range deeds {
					s.one(r, hand*deeds+i)
				}
			})
		}
		wg.Wait()
		t.Logf("refused: %v", s.refusals)
		s.addUp()
	})
}

// addUp holds everything that is kept against everything it is made of.
func (s *storm) addUp() {
	s.Helper()
	operator := s.by("purser-operator", now)
	if _, err := s.CheckBooks(s.ctx, operator, false, func(w operation.Wrong) { s.Error(w) }); err != nil {
		s.Fatal(err)
	}
	err := s.DB.View(s.ctx, dbtest.At(now), func(v *db.View) error {
		held, err := ledger.Of(s.ctx, v, s.customer)
		if err != nil || held.Cash < 0 || held.Debt != 0 || held.Credit != 0 {
			s.Errorf("%v, held %+v", err, held)
		}
		revenue, err := ledger.Spent(s.ctx, v, s.customer, now.Add(-time.Hour), now.AddDate(1, 0, 0)) // what the demo had spent before is not the storm's
		if err != nil {
			return err
		}
		_, orders, err := order.List(s.ctx, v, s.customer, &order.Query{}, 0, 100_000)
		if err != nil {
			return err
		}
		var charged, coupons money.Amount
		for i := range orders {
			o := &orders[i]
			fees, err := charge.OfTrade(s.ctx, v, s.customer, o.ID)
			if err != nil {
				return err
			}
			var amount money.Amount
			for _, f := range fees {
				amount += f.Amount
				charged += f.Amount
				coupons += f.Parts.Coupon
			}
			sum, _ := o.Paid.Sum()
			switch {
			case o.Status == order.Completed && o.Type == order.New && (sum != o.Amount || amount != o.Amount):
				s.Errorf("order %s: %s, paid %s, charged %s", o.ID, o.Amount, sum, amount)
			case o.Type == order.Unsubscribe && (sum != o.Amount || amount != -o.Amount):
				s.Errorf("unsubscription %s: %s, back %s, charged %s", o.ID, o.Amount, sum, amount)
			case o.Status == order.Unpaid || o.Status == order.Cancelled:
				if sum != 0 || len(fees) != 0 {
					s.Errorf("order %s in status %d has %d fees, %s paid", o.ID, o.Status, len(fees), sum)
				}
			}
		}
		if charged != revenue {
			s.Errorf("fee records come to %s, the books to %s", charged, revenue)
		}
		_, list, err := coupon.List(s.ctx, v, s.customer, coupon.Query{}, 0, 100)
		var used money.Amount
		for _, c := range list {
			used += c.Face - c.Balance
		}
		if err != nil || used != coupons {
			s.Errorf("%v: coupons paid %s, %s is gone from them", err, coupons, used)
		}
		return nil
	})
	if err != nil {
		s.Fatal(err)
	}
}

// Two payments of one order at once: one wins, the other is told that the status has changed.
func TestTwoPaymentsAtOnce(t *testing.T) {
	furnished.Each(t, func(t *testing.T, d *db.DB) {
		o := open(t, d)
		for range 5 {
			owner := o.by("cedar-labs", now)
			placed, err := o.PlaceOrder(t.Context(), owner, oneServer(1))
			if err != nil {
				t.Fatal(err)
			}
			codes := map[string]int{}
			var mu sync.Mutex
			var wg sync.WaitGroup
			for range 4 {
				wg.Go(func() {
					err := o.PayOrder(context.Background(), o.by("cedar-labs", now), placed.Order.ID, order.Means{})
					mu.Lock()
					defer mu.Unlock()
					codes[code(err)]++
				})
			}
			wg.Wait()
			if codes[code(nil)] != 1 || codes["CBC.99003106"] != 3 {
				t.Errorf("%v", codes)
			}
		}
	})
}

package order_test

import (
	"context"
	"crypto/rand"
	"testing"
	"time"

	"github.com/purser-cloud/purser/cloud"
	"github.com/purser-cloud/purser/internal/account"
	"github.com/purser-cloud/purser/internal/catalog"
	"github.com/purser-cloud/purser/internal/charge"
	"github.com/purser-cloud/purser/internal/coupon"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/order"
	"github.com/purser-cloud/purser/internal/subscription"
	"github.com/purser-cloud/purser/internal/tax"
)

func (s *shop) end(resource string) (o order.Order, err error) {
	c := s.customer("c")
	err = s.try(func(ctx context.Context, tx *db.Tx) (err error) {
		o, err = s.desk.End(ctx, tx, &c, resource, "alice", "")
		return err
	})
	return o, err
}

func (s *shop) bought(m order.Means, items ...order.Item) (order.Order, []subscription.Resource) {
	s.Helper()
	o, err := s.pay(s.place(items...).ID, m)
	if err != nil {
		s.Fatal(err)
	}
	return o, s.resources(o.ID)
}

// The guide's example: bought 2024-01-01 10:30 for a month, unsubscribed 01-15 18:40: 344 of 758 hours (billing-rules 2.8).
func TestRefundToTheHour(t *testing.T) {
	stocked.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d)
		s.at = time.Date(2026, 1, 1, 2, 30, 0, 0, time.UTC)
		s.topUp("c", 1000*dollar)
		c := s.issue(coupon.Coupon{Face: 3 * dollar})
		o, list := s.bought(order.Means{Coupon: c.ID}, server(1, 1, 100))
		paid := o.Paid.Cash
		s.at = time.Date(2026, 1, 15, 10, 40, 0, 0, time.UTC)
		back, err := s.end(list[0].ID)
		if err != nil {
			t.Fatal(err)
		}
		if back.Status != order.Completed || back.Type != order.Unsubscribe || back.Base != o.ID || back.Official != back.Amount || back.Paid.Cash != back.Amount || back.Paid.Coupon != 0 {
			t.Errorf("%+v", back)
		}
		if back.Amount+back.Fee+back.Consumed != paid {
			t.Errorf("refund %s, fee %s, consumed %s of %s paid", back.Amount, back.Fee, back.Consumed, paid)
		}
		consumed, _ := money.ShareHalfUp(paid, 344, 758, money.USD)
		if d := back.Consumed - consumed; d < -cent || d > cent { // two resources, each rounded once
			t.Errorf("consumed %s, want about %s", back.Consumed, consumed)
		}
		if got := s.held("c").Cash; got != 1000*dollar-paid+back.Amount {
			t.Errorf("%s left", got)
		}
		for _, r := range s.resources(o.ID) {
			if r.Status != subscription.Closed {
				t.Errorf("resource %+v", r)
			}
		}
		var rows []order.RefundRow
		var fees []charge.Fee
		s.do(func(ctx context.Context, tx *db.Tx) (err error) {
			if rows, err = s.desk.Refunds(ctx, tx, "c", back.ID); err != nil {
				return err
			}
			fees, err = charge.OfTrade(ctx, tx, "c", back.ID)
			return err
		})
		var sum, fee money.Amount
		for _, r := range rows {
			if r.Kind == "refund" {
				sum += r.Amount
			}
			if r.Base != o.ID {
				t.Errorf("row %+v", r)
			}
		}
		for _, f := range fees {
			fee += f.Amount
		}
		if len(rows) != 6 || sum != -back.Amount || fee != -back.Amount {
			t.Errorf("%d rows come to %s, fee records to %s, refund %s", len(rows), sum, fee, back.Amount)
		}
		for name, k := range map[string]struct{ id, want string }{"again": {list[0].ID, "CBC.30000067"}, "unknown": {"nothing", "CBC.99003012"}} {
			if _, err := s.end(k.id); code(err) != k.want {
				t.Errorf("%s: %v", name, err)
			}
		}
		if err := s.try(func(ctx context.Context, tx *db.Tx) error { _, err := s.desk.Refunds(ctx, tx, "c", o.ID); return err }); code(err) != "CBC.99005026" {
			t.Errorf("refunds of a purchase: %v", err)
		}
		_, list = s.bought(order.Means{}, server(1, 1, 40))
		if _, err := s.end(list[1].ID); code(err) != "CBC.99003185" {
			t.Errorf("an attached one alone: %v", err)
		}
		s.sound()
	})
}

// A large refund waits: approved, it is that of the day it was asked for; refused, the resource goes on.
func TestLargeRefundIsReviewed(t *testing.T) {
	stocked.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d)
		s.desk.Rules.ReviewRefunds = dollar
		s.topUp("c", 1000*dollar)
		o, list := s.bought(order.Means{}, server(1, 3, 0))
		s.at = now.AddDate(0, 0, 5)
		asked, err := s.end(list[0].ID)
		if err != nil || asked.Status != order.Approving || s.held("c").Cash != 1000*dollar-o.Paid.Cash {
			t.Fatalf("%v, %+v", err, asked)
		}
		if _, err := s.end(list[0].ID); code(err) != "CBC.99003651" {
			t.Errorf("asked twice: %v", err)
		}
		act := func(what func(ctx context.Context, tx *db.Tx) (order.Order, error)) order.Order {
			t.Helper()
			var out order.Order
			s.do(func(ctx context.Context, tx *db.Tx) (err error) { out, err = what(ctx, tx); return err })
			return out
		}
		refused := act(func(ctx context.Context, tx *db.Tx) (order.Order, error) {
			return s.desk.Refuse(ctx, tx, "c", asked.ID, "no")
		})
		if r := s.resources(o.ID)[0]; refused.Status != order.Cancelled || r.Status != subscription.InUse || r.BusyWith != "" {
			t.Errorf("refused: %+v, %+v", refused, r)
		}
		asked, err = s.end(list[0].ID)
		if err != nil {
			t.Fatal(err)
		}
		s.at = s.at.AddDate(0, 0, 3)
		done := act(func(ctx context.Context, tx *db.Tx) (order.Order, error) {
			return s.desk.Approve(ctx, tx, "c", asked.ID)
		})
		if done.Status != order.Completed || done.Amount != asked.Amount || s.held("c").Cash != 1000*dollar-o.Paid.Cash+asked.Amount {
			t.Errorf("approved: %+v, asked %+v", done, asked)
		}
		err = s.try(func(ctx context.Context, tx *db.Tx) error {
			_, err := s.desk.Approve(ctx, tx, "c", asked.ID)
			return err
		})
		if code(err) != "PURSER.0801" {
			t.Errorf("approved twice: %v", err)
		}
		s.sound()
	})
}

// An order that is approved or confirmed can be paid; one that is refused is cancelled.
func TestApproveAndConfirm(t *testing.T) {
	stocked.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d)
		s.desk.Rules.ReviewOrders = dollar
		s.topUp("c", 1000*dollar)
		o := s.place(server(1, 1, 0))
		if _, err := s.pay(o.ID, order.Means{}); o.Status != order.Approving || code(err) != "CBC.99003106" {
			t.Errorf("%v, %+v", err, o)
		}
		s.do(func(ctx context.Context, tx *db.Tx) error { _, err := s.desk.Approve(ctx, tx, "c", o.ID); return err })
		if _, err := s.pay(o.ID, order.Means{}); err != nil {
			t.Error(err)
		}
		refused := s.place(server(1, 1, 0))
		s.do(func(ctx context.Context, tx *db.Tx) error {
			_, err := s.desk.Refuse(ctx, tx, "c", refused.ID, "no")
			return err
		})
		proxied := s.draft(order.Draft{Items: []order.Item{server(1, 1, 0)}, Confirm: true})
		if s.find(refused.ID).Status != order.Cancelled || proxied.Status != order.Confirming {
			t.Errorf("%d, %d", s.find(refused.ID).Status, proxied.Status)
		}
		s.do(func(ctx context.Context, tx *db.Tx) error {
			_, err := s.desk.Confirm(ctx, tx, "c", proxied.ID)
			return err
		})
		if _, err := s.pay(proxied.ID, order.Means{}); err != nil {
			t.Error(err)
		}
		s.sound()
	})
}

// An external provisioner answers resource by resource; what fails is given back whole, coupon and tax included.
func TestExternalProvisioner(t *testing.T) {
	stocked.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d)
		s.desk.Rules.External = true
		var told []string
		s.desk.Tell = func(_ context.Context, _ *db.Tx, m *order.Told) error { told = append(told, m.Topic); return nil }
		s.topUp("c", 1000*dollar)
		s.do(func(ctx context.Context, tx *db.Tx) error {
			return tax.Set(ctx, tx, &tax.Rate{Country: "SG", Rate: ratio("0.09")})
		})
		c := s.issue(coupon.Coupon{Version: 2, Face: 2 * dollar})
		o, list := s.bought(order.Means{Coupon: c.ID}, server(2, 1, 0))
		if o.Status != order.Processing || list[0].Status != subscription.Provisioning || o.Tax == 0 {
			t.Fatalf("%+v, %+v", o, list[0])
		}
		if _, err := s.end(list[0].ID); code(err) != "CBC.99003012" {
			t.Errorf("unsubscribed before it is there: %v", err)
		}
		report := func(outcomes ...order.Outcome) error {
			return s.try(func(ctx context.Context, tx *db.Tx) error {
				_, err := s.desk.Fulfil(ctx, tx, "c", o.ID, outcomes)
				return err
			})
		}
		good := order.Outcome{Instance: list[0].Instance, Resource: "vm-1", Name: "web"}
		s.at = now.Add(time.Hour)
		for range 2 { // a report may be repeated
			if err := report(good); err != nil {
				t.Fatal(err)
			}
		}
		if r := s.resources(o.ID)[0]; r.ID != "vm-1" || r.Name != "web" || r.Status != subscription.InUse || !r.Anchor.Equal(s.at) || s.find(o.ID).Status != order.Processing {
			t.Errorf("%+v", r)
		}
		if err := report(order.Outcome{Instance: list[1].Instance, Resource: "vm-1"}); code(err) != "PURSER.0803" {
			t.Errorf("two resources of one id: %v", err)
		}
		if err := report(order.Outcome{Instance: "nothing"}); code(err) != "CBC.0100" {
			t.Errorf("of nobody: %v", err)
		}
		for range 2 {
			if err := report(order.Outcome{Instance: list[1].Instance, Failed: true, Reason: "no room"}); err != nil {
				t.Fatal(err)
			}
		}
		if s.find(o.ID).Status != order.Completed {
			t.Error("not complete")
		}
		var total int
		var page []order.Order
		s.do(func(ctx context.Context, tx *db.Tx) (err error) {
			total, page, err = order.List(ctx, tx, "c", &order.Query{Type: order.Unsubscribe}, 0, 10)
			return err
		})
		if total != 1 || page[0].Fee != 0 || page[0].Consumed != 0 || page[0].Source != order.BySystem || page[0].Reason != "no room" || page[0].Paid.Coupon == 0 || page[0].Tax == 0 {
			t.Fatalf("%d, %+v", total, page)
		}
		back := page[0]
		if got := s.held("c").Cash; got != 1000*dollar-o.Paid.Cash+back.Paid.Cash {
			t.Errorf("%s left", got)
		}
		if len(told) != 2 || told[0] != "order.paid" || told[1] != "order.unsubscribed" {
			t.Errorf("told %v", told)
		}
		s.sound()
	})
}

// What is no longer sold cannot be paid for, and the refusal says which.
func TestNoLongerSold(t *testing.T) {
	stocked.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d)
		s.topUp("c", 1000*dollar)
		o := s.place(server(1, 1, 0))
		content, err := catalog.Read(cloud.Files)
		if err != nil {
			t.Fatal(err)
		}
		kept := content.Products[:0]
		for _, p := range content.Products {
			if p.Spec != "s3.small.1.linux" {
				kept = append(kept, p)
			}
		}
		content.Products = kept
		s.at = now.Add(time.Hour)
		s.do(func(ctx context.Context, tx *db.Tx) error {
			_, err := catalog.Import(ctx, tx, content, false)
			return err
		})
		s.desk.Catalogue.Changed()
		_, err = s.pay(o.ID, order.Means{})
		f, ok := fault.As(err)
		if !ok || f.Code != "CBC.99003141" || len(f.Detail["quota_infos"].([]map[string]any)) != 1 {
			t.Errorf("%v", err)
		}
	})
}

func TestFeesByYearsUsed(t *testing.T) {
	stocked.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d)
		s.do(func(ctx context.Context, tx *db.Tx) error {
			return account.Open(ctx, tx, rand.Reader, &account.Customer{ID: "x"})
		})
		s.topUp("c", 100_000*dollar)
		year := func(n int32) order.Item {
			item := server(1, 1, 0)
			item.PeriodType, item.Periods = 3, n
			return item
		}
		for _, k := range []struct {
			years   int32
			after   time.Time
			percent int64
		}{
			{1, now.AddDate(0, 6, 0), 10},
			{2, now.AddDate(0, 6, 0), 15}, {2, now.AddDate(1, 6, 0), 10},
			{3, now.AddDate(0, 6, 0), 15}, {3, now.AddDate(1, 6, 0), 10}, {3, now.AddDate(2, 6, 0), 5},
		} {
			s.at = now
			o, list := s.bought(order.Means{}, year(k.years))
			s.at = k.after
			back, err := s.end(list[0].ID)
			if err != nil {
				t.Fatal(err)
			}
			want, _ := money.ShareHalfUp(o.Paid.Cash, k.percent, 100, money.USD)
			if back.Fee != want {
				t.Errorf("%d years, until %s: fee %s of %s, want %d %%", k.years, k.after, back.Fee, o.Paid.Cash, k.percent)
			}
		}
		s.sound()
	})
}

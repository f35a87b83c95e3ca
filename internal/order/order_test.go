package order_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"testing"
	"time"

	"github.com/purser-cloud/purser/cloud"
	"github.com/purser-cloud/purser/internal/account"
	"github.com/purser-cloud/purser/internal/catalog"
	"github.com/purser-cloud/purser/internal/charge"
	"github.com/purser-cloud/purser/internal/coupon"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/db/dbtest"
	"github.com/purser-cloud/purser/internal/discount"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/ledger"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/order"
	"github.com/purser-cloud/purser/internal/rating"
	"github.com/purser-cloud/purser/internal/subscription"
)

const (
	dollar = money.Amount(100_000_000)
	cent   = dollar / 100
)

var now = time.Date(2026, 1, 1, 2, 30, 0, 0, time.UTC) // 10:30 GMT+8

// shop is a store with the shipped catalogue and one customer, c.
type shop struct {
	*testing.T
	d    *db.DB
	desk *order.Desk
	at   time.Time
}

var stocked = dbtest.Template{Fill: func(t testing.TB, d *db.DB) {
	content, err := catalog.Read(cloud.Files)
	if err != nil {
		t.Fatal(err)
	}
	err = d.Update(context.Background(), dbtest.At(now), func(tx *db.Tx) error {
		if _, err := catalog.Import(context.Background(), tx, content, false); err != nil {
			return err
		}
		return account.Open(context.Background(), tx, rand.Reader, &account.Customer{ID: "c", Country: "SG"})
	})
	if err != nil {
		t.Fatal(err)
	}
}}

// open is the shop in a stocked store.
func open(t *testing.T, d *db.DB) *shop {
	t.Helper()
	return &shop{T: t, d: d, at: now, desk: &order.Desk{
		Random: rand.Reader, Currency: money.USD, Catalogue: &catalog.Shelf{}, Discounts: &discount.Book{}, Rules: order.StandardRules(),
	}}
}

// try runs a deed at the shop's instant.
func (s *shop) try(deed func(ctx context.Context, tx *db.Tx) error) error {
	defer s.desk.Discounts.Changed()
	ctx := context.Background()
	return s.d.Update(ctx, db.Instants{Now: s.at, Real: s.at}, func(tx *db.Tx) error { return deed(ctx, tx) })
}

func (s *shop) do(deed func(ctx context.Context, tx *db.Tx) error) {
	s.Helper()
	if err := s.try(deed); err != nil {
		s.Fatal(err)
	}
}

func (s *shop) topUp(customer string, amount money.Amount) {
	s.Helper()
	s.do(func(ctx context.Context, tx *db.Tx) error {
		return ledger.Post(ctx, tx, rand.Reader, &ledger.Entry{Customer: customer, Cause: "topup", Reference: rand.Text(), Postings: []ledger.Posting{{Giver: ledger.Topup, Taker: ledger.Cash, Amount: amount}}})
	})
}

func (s *shop) customer(id string) (c account.Customer) {
	s.Helper()
	s.do(func(ctx context.Context, tx *db.Tx) (err error) { c, err = account.Find(ctx, tx, id); return err })
	return c
}

// server is one server for a number of months, with a disk attached when there is a size.
func server(num, months int32, disk int64) order.Item {
	item := order.Item{Wanted: catalog.Wanted{
		ID: "vm", Service: "hws.service.type.ec2", ResourceType: "hws.resource.type.vm", Spec: "s3.small.1.linux", Region: "ap-southeast-1", Num: num, PeriodType: 2, Periods: months,
	}}
	if disk > 0 {
		item.Attached = []order.Item{{Wanted: catalog.Wanted{
			ID: "disk", Service: "hws.service.type.ebs", ResourceType: "hws.resource.type.volume", Spec: "SAS", Region: "ap-southeast-1", Num: 1,
			Size: rating.Size{Value: money.DecimalOf(disk), Unit: 17},
		}}}
	}
	return item
}

func (s *shop) place(items ...order.Item) order.Order {
	s.Helper()
	return s.draft(order.Draft{Items: items})
}

func (s *shop) draft(draft order.Draft) (o order.Order) {
	s.Helper()
	draft.Source, draft.Project = order.ByCustomer, "0"
	if draft.Customer.ID == "" {
		draft.Customer = s.customer("c")
	}
	s.do(func(ctx context.Context, tx *db.Tx) (err error) {
		o, _, err = s.desk.Place(ctx, tx, &draft)
		return err
	})
	return o
}

func (s *shop) pay(id string, m order.Means) (o order.Order, err error) {
	c := s.customer("c")
	err = s.try(func(ctx context.Context, tx *db.Tx) (err error) {
		o, err = s.desk.Pay(ctx, tx, &c, &c, id, m)
		return err
	})
	return o, err
}

func (s *shop) grant(g discount.Grant) discount.Grant {
	s.Helper()
	g.Customer, g.Name = "c", "test"
	if g.Effective.IsZero() {
		g.Effective, g.Expires = s.at.Add(-time.Hour), s.at.AddDate(1, 0, 0)
	}
	s.do(func(ctx context.Context, tx *db.Tx) error { return discount.Add(ctx, tx, rand.Reader, money.USD, &g) })
	return g
}

func (s *shop) issue(c coupon.Coupon) coupon.Coupon {
	s.Helper()
	c.Customer = "c"
	if c.Version == 0 {
		c.Version = 2
	}
	s.do(func(ctx context.Context, tx *db.Tx) error {
		return coupon.Issue(ctx, tx, rand.Reader, money.USD, &c, false)
	})
	return c
}

func (s *shop) find(id string) (o order.Order) {
	s.Helper()
	s.do(func(ctx context.Context, tx *db.Tx) (err error) { o, err = order.Find(ctx, tx, "c", id); return err })
	return o
}

func (s *shop) held(customer string) (b ledger.Balances) {
	s.Helper()
	s.do(func(ctx context.Context, tx *db.Tx) (err error) { b, err = ledger.Of(ctx, tx, customer); return err })
	return b
}

func (s *shop) resources(order string) (list []subscription.Resource) {
	s.Helper()
	s.do(func(ctx context.Context, tx *db.Tx) (err error) {
		list, err = subscription.OfOrder(ctx, tx, "c", order)
		return err
	})
	return list
}

// sound checks everything that is kept beside its source.
func (s *shop) sound(customers ...string) {
	s.Helper()
	s.do(func(ctx context.Context, tx *db.Tx) error {
		for _, c := range append(customers, "c") {
			differs, err := ledger.Check(ctx, tx, c)
			if err != nil {
				return err
			}
			uses, err := coupon.CheckUses(ctx, tx, c)
			if err != nil {
				return err
			}
			terms, err := subscription.Check(ctx, tx, c)
			if err != nil {
				return err
			}
			counts, err := order.CheckCounts(ctx, tx, c)
			if err != nil {
				return err
			}
			if len(differs)+len(uses)+len(counts)+len(terms) > 0 {
				s.Errorf("books of %s: %v %v %v %v", c, differs, uses, counts, terms)
			}
		}
		return nil
	})
}

func code(err error) string {
	if f, ok := fault.As(err); ok {
		return f.Code
	}
	return fmt.Sprint(err)
}

func ratio(text string) money.Decimal {
	d, err := money.ParseDecimal(text)
	if err != nil {
		panic(err)
	}
	return d
}

// A server with a disk, paid with discount, coupon and cash: every sum is borne out by every other.
func TestPayAnOrder(t *testing.T) {
	stocked.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d)
		s.topUp("c", 1000*dollar)
		g := s.grant(discount.Grant{Kind: rating.Commercial, Value: ratio("0.9")})
		c := s.issue(coupon.Coupon{Face: 5 * dollar})
		o := s.place(server(3, 2, 40))
		if o.Status != order.Unpaid || o.Official <= 0 || o.Amount != o.Official || !o.Deadline.Equal(now.Add(7*24*time.Hour)) || o.Service != "hws.service.type.ec2" {
			t.Fatalf("placed %+v", o)
		}
		paid, err := s.pay(o.ID, order.Means{Discount: g.ID, DiscountType: order.PayCommercial, Coupon: c.ID})
		if err != nil {
			t.Fatal(err)
		}
		kept := s.find(o.ID)
		if kept != paid {
			t.Errorf("kept %+v\nsaid %+v", kept, paid)
		}
		if kept.Status != order.Completed || kept.Amount >= o.Official || kept.Paid.Coupon != 5*dollar || kept.Paid.Cash != kept.Amount-5*dollar || kept.CouponID != c.ID || kept.DiscountID != g.ID {
			t.Errorf("paid %+v", kept)
		}
		if got := s.held("c").Cash; got != 1000*dollar-kept.Paid.Cash {
			t.Errorf("%s left", got)
		}
		list := s.resources(o.ID)
		if len(list) != 6 {
			t.Fatalf("%d resources, want 3 servers with a disk each", len(list))
		}
		primaries := map[string]bool{}
		for _, r := range list[:3] {
			primaries[r.Instance] = r.Parent == ""
		}
		for _, r := range list {
			if r.Status != subscription.InUse || r.ID == "" || !r.Anchor.Equal(now) || !r.Expires.Equal(time.Date(2026, 3, 1, 16, 0, 0, 0, time.UTC)) {
				t.Errorf("resource %+v", r)
			}
		}
		for _, r := range list[3:] {
			if !primaries[r.Parent] {
				t.Errorf("a disk of nobody: %+v", r)
			}
			delete(primaries, r.Parent)
		}
		var fees []charge.Fee
		s.do(func(ctx context.Context, tx *db.Tx) (err error) {
			fees, err = charge.OfTrade(ctx, tx, "c", o.ID)
			return err
		})
		var amount, couponPart money.Amount
		for _, f := range fees {
			amount, couponPart = amount+f.Amount, couponPart+f.Parts.Coupon
		}
		if len(fees) != 6 || amount != kept.Amount || couponPart != 5*dollar {
			t.Errorf("%d fee records come to %s, coupon %s", len(fees), amount, couponPart)
		}
		var lines []order.Line
		s.do(func(ctx context.Context, tx *db.Tx) (err error) {
			_, lines, err = order.Lines(ctx, tx, &kept, 0, 10)
			return err
		})
		if len(lines) != 2 || lines[0].Amount+lines[1].Amount != kept.Amount || lines[0].Coupon+lines[1].Coupon != 5*dollar || lines[0].Effective.IsZero() || lines[1].Num != 3 || lines[1].Parent != 1 {
			t.Errorf("lines %+v", lines)
		}
		if _, err := s.pay(o.ID, order.Means{}); code(err) != "CBC.99003106" {
			t.Errorf("paid twice: %v", err)
		}
		s.sound()
	})
}

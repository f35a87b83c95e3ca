package order_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/purser-cloud/purser/cloud"
	"github.com/purser-cloud/purser/internal/catalog"
	"github.com/purser-cloud/purser/internal/charge"
	"github.com/purser-cloud/purser/internal/coupon"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/order"
	"github.com/purser-cloud/purser/internal/period"
	"github.com/purser-cloud/purser/internal/rating"
	"github.com/purser-cloud/purser/internal/subscription"
)

func (s *shop) modify(resource, spec string, size int64) (o order.Order, err error) {
	c := s.customer("c")
	var to rating.Size
	if size > 0 {
		to = rating.Size{Value: money.DecimalOf(size), Unit: 17}
	}
	err = s.try(func(ctx context.Context, tx *db.Tx) (err error) {
		o, err = s.desk.Modify(ctx, tx, &c, resource, spec, to, "alice")
		return err
	})
	return o, err
}

func (s *shop) terms(r *subscription.Resource) (list []subscription.Term) {
	s.Helper()
	s.do(func(ctx context.Context, tx *db.Tx) (err error) {
		list, err = subscription.Terms(ctx, tx, r.Customer, r.Instance)
		return err
	})
	return list
}

func (s *shop) lineOf(o order.Order, no int32) order.Line {
	s.Helper()
	var lines []order.Line
	s.do(func(ctx context.Context, tx *db.Tx) (err error) {
		_, lines, err = order.Lines(ctx, tx, &o, 0, 0)
		return err
	})
	return lines[no-1]
}

// An upgrade pays the difference for the hours that remain; a degrade gives it back; both in the middle of a term and over a
// renewal that has not begun. The money of all terms is what all orders took and gave.
func TestUpgradeAndDegrade(t *testing.T) {
	stocked.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d)
		s.topUp("c", 10_000*dollar)
		bought, list := s.bought(order.Means{}, server(1, 1, 100))
		disk := list[1]
		c := s.customer("c")
		var renewal order.Order
		s.do(func(ctx context.Context, tx *db.Tx) (err error) {
			renewal, err = s.desk.Renew(ctx, tx, &c, list[0].ID, period.Month, 1, order.ByCustomer, "alice")
			return err
		})
		if _, err := s.modify(disk.ID, "", 200); code(err) != "CBC.99003100" {
			t.Errorf("in an unpaid order: %v", err)
		}
		renewal, err := s.pay(renewal.ID, order.Means{})
		if err != nil {
			t.Fatal(err)
		}
		spent := bought.Paid.Cash + renewal.Paid.Cash
		month := renewal.Amount - s.lineOf(renewal, 1).Amount // of the disk
		s.at = now.Add(379 * time.Hour)                       // half of the 758 hours
		up, err := s.modify(disk.ID, "", 200)
		if err != nil || up.Type != order.Change || up.Status != order.Unpaid {
			t.Fatalf("%v, %+v", err, up)
		}
		// Twice the size costs twice the price: half a month and the whole renewal more.
		half, _ := money.ShareHalfUp(month, 379, 758, money.USD)
		if up.Official != half+month {
			t.Errorf("the difference is %s, want %s and %s", up.Official, half, month)
		}
		if _, err := s.modify(disk.ID, "", 300); code(err) != "CBC.99003100" {
			t.Errorf("twice: %v", err)
		}
		if up, err = s.pay(up.ID, order.Means{}); err != nil || up.Status != order.Completed {
			t.Fatal(err)
		}
		spent += up.Paid.Cash
		if r := s.resources(bought.ID)[1]; r.Size.Value.String() != "200" || r.BusyWith != "" || !r.Expires.Equal(list[1].Expires.AddDate(0, 1, 0)) && r.Expires.Before(list[1].Expires) {
			t.Errorf("%+v", r)
		}
		s.at = s.at.Add(100 * time.Hour)
		down, err := s.modify(disk.ID, "", 50)
		if err != nil || down.Type != order.Change || down.Status != order.Completed || down.Amount >= 0 {
			t.Fatalf("%v, %+v", err, down)
		}
		spent += down.Paid.Cash // below zero
		if got := s.held("c").Cash; got != 10_000*dollar-spent {
			t.Errorf("%s left, %s spent", got, spent)
		}
		var kept money.Amount
		for i := range list {
			for _, term := range s.terms(&list[i]) {
				kept += term.Parts.Cash
			}
		}
		if kept != spent {
			t.Errorf("terms hold %s, %s was spent", kept, spent)
		}
		var rows []order.RefundRow
		s.do(func(ctx context.Context, tx *db.Tx) (err error) {
			rows, err = s.desk.Refunds(ctx, tx, "c", down.ID)
			return err
		})
		if len(rows) != 2 || rows[0].Amount+rows[1].Amount != down.Amount {
			t.Errorf("%+v", rows)
		}
		if _, err := s.modify(disk.ID, "", 50); code(err) != "CBC.0100" {
			t.Errorf("to what it is: %v", err)
		}
		// What is left is given back to the last hour, with its fee; the books and the terms agree.
		back, err := s.end(list[0].ID)
		if err != nil || back.Amount+back.Fee+back.Consumed != kept {
			t.Errorf("%v: %s, %s, %s of %s", err, back.Amount, back.Fee, back.Consumed, kept)
		}
		s.sound()
	})
}

// What an upgrade costs belongs to the terms that it is for: a renewal that is unsubscribed before it begins gives back what was
// paid for it by both orders, coupon included. A degrade is of bill type 20 and returns no coupon.
func TestUpgradeOfARenewal(t *testing.T) {
	stocked.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d)
		s.topUp("c", 1000*dollar)
		_, list := s.bought(order.Means{}, server(1, 1, 100))
		renewal, err := s.renew(list[0].ID, period.Month, 1)
		if err == nil {
			renewal, err = s.pay(renewal.ID, order.Means{})
		}
		if err != nil {
			t.Fatal(err)
		}
		month := s.lineOf(renewal, 2).Amount // of the disk
		s.at = now.Add(379 * time.Hour)      // half of the 758 hours
		c := s.issue(coupon.Coupon{Face: 3 * dollar})
		up, err := s.modify(list[1].ID, "", 200)
		if err == nil {
			up, err = s.pay(up.ID, order.Means{Coupon: c.ID})
		}
		if half, _ := money.ShareHalfUp(month, 379, 758, money.USD); err != nil || up.Amount != half+month || up.Paid.Coupon != 3*dollar {
			t.Fatalf("%v, %+v", err, up)
		}
		before := s.held("c").Cash
		back, err := s.endRenewals(list[0].ID)
		if err != nil || back.Amount != renewal.Amount+month || back.Fee != 0 || back.Consumed != 0 || back.Paid.Coupon == 0 || s.held("c").Cash != before+back.Paid.Cash {
			t.Errorf("%v: %s back, want %s and %s; %+v", err, back.Amount, renewal.Amount, month, back.Paid)
		}
		s.sound()
		s.at = s.at.Add(100 * time.Hour)
		var held coupon.Coupon
		s.do(func(ctx context.Context, tx *db.Tx) (err error) {
			held, err = coupon.Find(ctx, tx, "c", c.ID)
			return err
		})
		down, err := s.modify(list[1].ID, "", 50)
		if err != nil || down.Amount >= 0 || down.Paid.Coupon != 0 {
			t.Fatalf("%v, %+v", err, down)
		}
		s.do(func(ctx context.Context, tx *db.Tx) error {
			fees, err := charge.OfTrade(ctx, tx, "c", down.ID)
			if len(fees) != 1 || fees[0].Bill != 20 || fees[0].Amount != down.Amount || fees[0].Parts.Coupon != 0 {
				t.Errorf("%+v", fees)
			}
			after, err2 := coupon.Find(ctx, tx, "c", c.ID)
			if after.Balance != held.Balance {
				t.Errorf("the coupon held %s, after the degrade %s", held.Balance, after.Balance)
			}
			return errors.Join(err, err2)
		})
		s.sound()
	})
}

// A change in between does not begin the years anew by which the fee of an unsubscription goes, nor what renews by itself.
func TestChangeKeepsTheYears(t *testing.T) {
	stocked.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d)
		s.topUp("c", 100_000*dollar)
		item := server(1, 1, 100)
		item.PeriodType, item.Periods = 3, 3
		item.Attached[0].PeriodType, item.Attached[0].Periods = 3, 3
		_, list := s.bought(order.Means{}, item)
		for _, months := range []int{6, 18} {
			s.at = now.AddDate(0, months, 0)
			up, err := s.modify(list[1].ID, "", 100+10*int64(months))
			if err == nil {
				_, err = s.pay(up.ID, order.Means{})
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		s.at = now.AddDate(0, 30, 0)
		var left money.Amount // in the open terms that have not ended
		for i := range list {
			for _, term := range s.terms(&list[i]) {
				if term.Span.End.After(s.at) {
					left += term.Parts.Cash
				}
			}
		}
		back, err := s.end(list[0].ID)
		want, _ := money.ShareHalfUp(left, 5, 100, money.USD)
		if d := back.Fee - want; err != nil || d < -cent || d > cent { // two resources, each rounded once
			t.Errorf("%v: in the third year the fee is %s of %s, want %s", err, back.Fee, left, want)
		}
		_, list = s.bought(order.Means{}, server(1, 1, 100))
		year, err := s.renew(list[0].ID, period.Year, 1)
		if err == nil {
			_, err = s.pay(year.ID, order.Means{})
		}
		if err != nil {
			t.Fatal(err)
		}
		s.at = s.at.AddDate(0, 0, 3)
		if down, err := s.modify(list[1].ID, "", 50); err != nil || down.Status != order.Completed {
			t.Fatal(err)
		}
		s.autoRenewed(list[0].ID)
		if terms := s.terms(&list[0]); terms[len(terms)-1].Unit != period.Year {
			t.Errorf("renewed by itself by a %s, its last order was for a year", terms[len(terms)-1].Unit)
		}
		if terms := s.terms(&list[1]); terms[len(terms)-1].Unit != period.Year {
			t.Errorf("its disk: %+v", terms[len(terms)-1])
		}
		s.sound()
	})
}

// autoRenewed lets a resource renew by itself now.
func (s *shop) autoRenewed(id string) (o order.Order) {
	s.Helper()
	owner := s.customer("c")
	s.do(func(ctx context.Context, tx *db.Tx) error {
		r, err := subscription.Find(ctx, tx, "c", id)
		if err == nil {
			o, err = s.desk.AutoRenew(ctx, tx, &owner, &owner, &r)
		}
		return err
	})
	return o
}

// Automatic renewals are counted by themselves, renewals by hand are not; when they are used up the resource and its disk are
// renewed by hand again. What is no longer sold renews by itself as before, by hand it does not.
func TestAutomaticRenewalsAreUsedUp(t *testing.T) {
	stocked.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d)
		s.topUp("c", 1000*dollar)
		o, list := s.bought(order.Means{}, server(1, 1, 100))
		owner := s.customer("c")
		s.do(func(ctx context.Context, tx *db.Tx) error {
			return s.desk.SetPolicy(ctx, tx, list, &owner, subscription.AutoRenew, 2, period.None)
		})
		hand, err := s.renew(list[0].ID, period.Month, 1)
		if err == nil {
			_, err = s.pay(hand.ID, order.Means{})
		}
		if r := s.resources(o.ID)[0]; err != nil || r.AutoLeft != 2 || r.Policy != subscription.AutoRenew {
			t.Fatalf("%v, renewed by hand: %+v", err, r)
		}
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
		if _, err := s.renew(list[0].ID, period.Month, 1); code(err) != "CBC.30010069" {
			t.Errorf("by hand, no longer sold: %v", err)
		}
		for left, want := range []struct {
			policy subscription.Policy
			left   int
		}{{subscription.AutoRenew, 1}, {subscription.Grace, subscription.Unlimited}} {
			if paid := s.autoRenewed(list[0].ID); paid.Status != order.Completed || paid.Amount != hand.Amount {
				t.Errorf("%d: %+v", left, paid)
			}
			for _, r := range s.resources(o.ID) {
				if r.Policy != want.policy || r.AutoLeft != want.left {
					t.Errorf("%d: policy %d, %d left", left, r.Policy, r.AutoLeft)
				}
			}
		}
		s.sound()
	})
}

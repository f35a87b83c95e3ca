package order_test

import (
	"context"
	"testing"
	"time"

	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/db/dbtest"
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
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
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

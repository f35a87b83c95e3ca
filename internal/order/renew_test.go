package order_test

import (
	"context"
	"testing"

	"github.com/purser-cloud/purser/internal/account"
	"github.com/purser-cloud/purser/internal/catalog"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/order"
	"github.com/purser-cloud/purser/internal/period"
	"github.com/purser-cloud/purser/internal/subscription"
)

func (s *shop) renew(resource string, unit period.Unit, n int) (o order.Order, err error) {
	c := s.customer("c")
	err = s.try(func(ctx context.Context, tx *db.Tx) (err error) {
		o, err = s.desk.Renew(ctx, tx, &c, resource, unit, n, order.ByCustomer, "alice")
		return err
	})
	return o, err
}

// asked is the code with which the price of a renewal of a resource by a month or a year is refused; empty: it has one.
func (s *shop) asked(resource string, unit period.Unit) string {
	s.Helper()
	c := s.customer("c")
	var price order.RenewalPrice
	s.do(func(ctx context.Context, tx *db.Tx) (err error) {
		price, err = s.desk.RenewalPrice(ctx, tx, &c, []string{resource}, false, unit, 1, nil)
		return err
	})
	if len(price.Failed) == 0 {
		return ""
	}
	return price.Failed[0].Why.Code
}

func (s *shop) endRenewals(resource string) (o order.Order, err error) {
	c := s.customer("c")
	err = s.try(func(ctx context.Context, tx *db.Tx) (err error) {
		o, err = s.desk.EndRenewals(ctx, tx, &c, resource, "alice", "")
		return err
	})
	return o, err
}

// In whatever state a resource is: each of the operations on it names that state by its own documented code.
func TestWhatAResourceRefuses(t *testing.T) {
	stocked.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d)
		s.topUp("c", 10_000*dollar)
		fresh := func(disk int64) []subscription.Resource {
			_, list := s.bought(order.Means{}, server(1, 1, disk))
			return list
		}
		gone := fresh(0)[0].ID
		if _, err := s.end(gone); err != nil {
			t.Fatal(err)
		}
		renewing := fresh(0)[0].ID
		if _, err := s.renew(renewing, period.Month, 1); err != nil {
			t.Fatal(err)
		}
		changing := fresh(40)
		if _, err := s.modify(changing[1].ID, "", 100); err != nil {
			t.Fatal(err)
		}
		s.desk.Rules.ReviewRefunds = 1
		reviewed := fresh(0)[0].ID
		if o, err := s.end(reviewed); err != nil || o.Status != order.Approving {
			t.Fatalf("%+v, %v", o, err)
		}
		s.desk.Rules.ReviewRefunds = 0
		long := fresh(0)[0].ID
		for range 3 {
			o, err := s.renew(long, period.Year, 3)
			if err == nil {
				_, err = s.pay(o.ID, order.Means{})
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		s.desk.Rules.External = true
		o, waiting := s.bought(order.Means{}, server(1, 1, 40))
		s.do(func(ctx context.Context, tx *db.Tx) error { // its disk is not there yet
			_, err := s.desk.Fulfil(ctx, tx, "c", o.ID, []order.Outcome{{Instance: waiting[0].Instance, Resource: "vm-1"}})
			return err
		})
		s.desk.Rules.External = false
		packs, err := s.pay(s.place(storage()).ID, order.Means{})
		if err != nil {
			t.Fatal(err)
		}
		attached := fresh(40)
		_, gateways := s.bought(order.Means{}, order.Item{Wanted: catalog.Wanted{
			ID: "1", Service: "hws.service.type.vpn", ResourceType: "hws.resource.type.vpn.vgw", Spec: "vpn.vgw.s", Region: "ap-southeast-1", Num: 1, PeriodType: period.Day.Code(), Periods: 3,
		}})
		daily := gateways[0].ID
		for _, k := range []struct {
			name, id                       string
			unit                           period.Unit
			renew, asked, end, endRenewals string
		}{
			{"unknown", "nothing", period.Month, "CBC.99003016", "CBC.30050009", "CBC.99003012", "CBC.99003012"},
			{"a package", s.packages(packs.ID)[0].ID, period.Month, "", "", "CBC.99003647", "CBC.99003647"},
			{"unsubscribed", gone, period.Month, "CBC.99003016", "CBC.30050009", "CBC.30000067", "CBC.30000067"},
			{"attached", attached[1].ID, period.Month, "CBC.30010036", "CBC.30050007", "CBC.99003185", "CBC.99003185"},
			{"in an unpaid renewal", renewing, period.Month, "CBC.99003100", "CBC.30050010", "CBC.99003100", "CBC.99003100"},
			{"attached in an unpaid change", changing[0].ID, period.Month, "CBC.99003100", "CBC.30050010", "CBC.99003100", "CBC.99003100"},
			{"its refund is reviewed", reviewed, period.Month, "CBC.99003144", "CBC.30050011", "CBC.99003651", "CBC.99003651"},
			{"attached being provisioned", "vm-1", period.Month, "CBC.99003144", "CBC.30050011", "CBC.99003651", "CBC.99003651"},
			{"paid too far ahead", long, period.Year, "CBC.99003154", "CBC.30050008", "", ""}, // also: renewals end in the very instant in which the resource began
			{"bought by days", daily, period.Year, "CBC.30010069", "CBC.30050008", "", "CBC.99003128"},
		} {
			if _, err := s.renew(k.id, k.unit, 1); err == nil && k.renew != "" || err != nil && code(err) != k.renew {
				t.Errorf("renew, %s: %v, want %s", k.name, err, k.renew)
			}
			if got := s.asked(k.id, k.unit); got != k.asked {
				t.Errorf("price, %s: %s, want %s", k.name, got, k.asked)
			}
			if _, err := s.endRenewals(k.id); err == nil && k.endRenewals != "" || err != nil && code(err) != k.endRenewals {
				t.Errorf("unsubscribe renewals, %s: %v, want %s", k.name, err, k.endRenewals)
			}
			if _, err := s.end(k.id); err == nil && k.end != "" || err != nil && code(err) != k.end {
				t.Errorf("unsubscribe, %s: %v, want %s", k.name, err, k.end)
			}
		}

		s.change(func(c *account.Customer) { c.Standing = account.Frozen })
		if _, err := s.renew(attached[0].ID, period.Month, 1); code(err) != "CBC.0155" {
			t.Errorf("renew, frozen account: %v", err)
		}
		if _, err := s.end(attached[0].ID); code(err) != "CBC.30000052" {
			t.Errorf("unsubscribe, frozen account: %v", err)
		}
		s.change(func(c *account.Customer) { c.Standing = account.Active })
		s.at = now.AddDate(0, 3, 0)
		s.do(func(ctx context.Context, tx *db.Tx) error {
			c, err := account.Find(ctx, tx, "c")
			if err != nil {
				return err
			}
			for range 2 { // expired, frozen
				r, err := subscription.Find(ctx, tx, "c", attached[0].ID)
				if err == nil {
					_, err = s.desk.Age(ctx, tx, &c, &r)
				}
				if err != nil {
					return err
				}
			}
			return nil
		})
		if _, err := s.end(attached[0].ID); code(err) != "CBC.99003656" {
			t.Errorf("unsubscribe, frozen: %v", err)
		}
		s.sound()
	})
}

// A resource that is released takes the unpaid orders along of what is attached to it.
func TestReleaseCancelsOrdersOfAttached(t *testing.T) {
	stocked.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d)
		s.topUp("c", 1000*dollar)
		_, list := s.bought(order.Means{}, server(1, 1, 40))
		s.at = list[0].Expires.AddDate(0, 0, -3)
		up, err := s.modify(list[1].ID, "", 100)
		if err != nil {
			t.Fatal(err)
		}
		for _, days := range []int{0, 15, 30} {
			s.at = list[0].Expires.AddDate(0, 0, days)
			s.do(func(ctx context.Context, tx *db.Tx) error {
				c, err := account.Find(ctx, tx, "c")
				if err != nil {
					return err
				}
				r, err := subscription.Find(ctx, tx, "c", list[0].ID)
				if err != nil {
					return err
				}
				_, err = s.desk.Age(ctx, tx, &c, &r)
				return err
			})
		}
		if r := s.resources(list[0].Order)[1]; r.Status != subscription.Closed || r.BusyWith != "" {
			t.Fatalf("%+v", r)
		}
		if o := s.find(up.ID); o.Status != order.Cancelled {
			t.Errorf("its order is in status %d", o.Status)
		}
		s.sound()
	})
}

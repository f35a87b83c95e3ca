package order_test

import (
	"context"
	"testing"

	"github.com/purser-cloud/purser/internal/catalog"
	"github.com/purser-cloud/purser/internal/charge"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/order"
	"github.com/purser-cloud/purser/internal/period"
	"github.com/purser-cloud/purser/internal/quota"
)

func traffic(num, years int32) order.Item {
	return order.Item{Wanted: catalog.Wanted{
		ID: "cdn", Service: "hws.service.type.cdn", ResourceType: "hws.resource.type.cdn", Spec: "cdn.package.500gb", Region: "ap-southeast-1", Num: num, PeriodType: 3, Periods: years,
	}}
}

func (s *shop) packages(order string) (list []quota.Package) {
	s.Helper()
	s.do(func(ctx context.Context, tx *db.Tx) (err error) {
		list, err = quota.OfOrder(ctx, tx, "c", order)
		return err
	})
	return list
}

// A package is granted when its order is paid, beside the resources of the same order: paid for, on the fee records,
// but no resource and not to be unsubscribed.
func TestPackageIsGranted(t *testing.T) {
	stocked.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d)
		s.topUp("c", 1000*dollar)
		o := s.place(server(1, 1, 0), traffic(2, 3))
		if len(s.packages(o.ID)) != 0 {
			t.Error("granted before it was paid")
		}
		paid, err := s.pay(o.ID, order.Means{})
		if err != nil || paid.Status != order.Completed {
			t.Fatalf("%+v, %v", paid, err)
		}
		if r := s.resources(o.ID); len(r) != 1 || r[0].Spec != "s3.small.1.linux" {
			t.Errorf("resources: %+v", r)
		}
		held := s.packages(o.ID)
		if len(held) != 2 {
			t.Fatalf("%d packages, want 2", len(held))
		}
		for i := range held {
			p := &held[i]
			if p.Source != quota.ByOrder || p.Project != "" || p.Items[0].Amount.String() != "1500" || p.Items[0].Unit != 10 || p.Status(s.at) != quota.InEffect {
				t.Errorf("%+v", p)
			}
			if got := p.Expires.UTC().Format("2006-01-02T15:04:05Z"); got != "2029-01-01T16:00:00Z" { // the end of 1 January in GMT+8
				t.Errorf("until %s", got)
			}
		}
		s.do(func(ctx context.Context, tx *db.Tx) error {
			_, lines, err := order.Lines(ctx, tx, &paid, 0, 0)
			if err == nil && (!lines[1].Expires.Equal(held[0].Expires) || !lines[1].Effective.Equal(s.at)) {
				t.Errorf("the line: %+v", lines[1])
			}
			return err
		})
		s.do(func(ctx context.Context, tx *db.Tx) error {
			fees, err := charge.OfTrade(ctx, tx, "c", o.ID)
			named := 0
			for _, f := range fees {
				if f.Instance == held[0].ID || f.Instance == held[1].ID {
					named++
				}
			}
			if err == nil && named != 2 {
				t.Errorf("%d fee records of packages", named)
			}
			return err
		})
		c := s.customer("c")
		for id, want := range map[string]string{held[0].ID: "CBC.99003647", "RP1": "CBC.99003012"} {
			err := s.try(func(ctx context.Context, tx *db.Tx) error {
				_, err := s.desk.End(ctx, tx, &c, id, "", "")
				return err
			})
			if !fault.Is(err, want) {
				t.Errorf("unsubscribe %s: %v, want %s", id, err, want)
			}
		}
		s.sound()
	})
}

// Nothing hangs on a package, and a provisioner is not asked for one.
func TestPackageStandsAlone(t *testing.T) {
	stocked.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d)
		s.topUp("c", 1000*dollar)
		attached, primary := server(1, 1, 0), traffic(1, 1)
		attached.Attached, primary.Attached = []order.Item{storage()}, []order.Item{server(1, 1, 0)}
		for _, item := range []order.Item{attached, primary} {
			draft := order.Draft{Customer: s.customer("c"), Source: order.ByCustomer, Project: "0", Items: []order.Item{item}}
			err := s.try(func(ctx context.Context, tx *db.Tx) error {
				_, _, err := s.desk.Place(ctx, tx, &draft)
				return err
			})
			if !fault.Is(err, "CBC.0100") {
				t.Errorf("%+v: %v", item, err)
			}
		}
		s.desk.Rules.External = true
		var told []order.Told
		s.desk.Tell = func(_ context.Context, _ *db.Tx, m *order.Told) error { told = append(told, *m); return nil }
		alone, both := s.place(storage()), s.place(storage(), server(1, 1, 0))
		for _, k := range []struct {
			id        string
			want      order.Status
			resources int
		}{{alone.ID, order.Completed, 0}, {both.ID, order.Processing, 1}} {
			told = nil
			o, err := s.pay(k.id, order.Means{})
			if err != nil || o.Status != k.want || len(s.packages(k.id)) != 1 || len(told) != 1 || len(told[0].Resources) != k.resources {
				t.Errorf("%+v, %v, %+v", o, err, told)
			}
		}
		s.sound()
	})
}

func storage() order.Item {
	return order.Item{Wanted: catalog.Wanted{
		ID: "obs", Service: "hws.service.type.obs", ResourceType: "hws.resource.type.obs", Spec: "obs.package.100gb", Region: "ap-southeast-1", Num: 1, PeriodType: 2, Periods: 1,
	}}
}

// A renewal of a resettable package lets it go on; one of a one-off package holds an amount of its own from where the old one
// ends.
func TestPackageIsRenewed(t *testing.T) {
	stocked.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d)
		s.topUp("c", 1000*dollar)
		storage := order.Item{Wanted: catalog.Wanted{
			ID: "obs", Service: "hws.service.type.obs", ResourceType: "hws.resource.type.obs", Spec: "obs.package.100gb", Region: "ap-southeast-1", Num: 1, PeriodType: 2, Periods: 1,
		}}
		paid, err := s.pay(s.place(traffic(1, 1), storage).ID, order.Means{})
		if err != nil {
			t.Fatal(err)
		}
		byProduct := map[string]quota.Package{}
		for _, p := range s.packages(paid.ID) {
			byProduct[p.Spec] = p
		}
		once, again := byProduct["cdn.package.500gb"], byProduct["obs.package.100gb"]
		if _, err := s.renew(once.ID, period.Month, 1); !fault.Is(err, "CBC.30010069") {
			t.Errorf("by the month: %v", err)
		}
		for _, p := range []quota.Package{once, again} {
			unit := period.Year
			if p.ID == again.ID {
				unit = period.Month
			}
			o, err := s.renew(p.ID, unit, 2)
			if err != nil || o.Type != order.Renew || o.Official == 0 {
				t.Fatalf("%+v, %v", o, err)
			}
			if o, err = s.pay(o.ID, order.Means{}); err != nil || o.Status != order.Completed {
				t.Fatalf("%+v, %v", o, err)
			}
			more := s.packages(o.ID)
			var now quota.Package
			s.do(func(ctx context.Context, tx *db.Tx) (err error) {
				now, err = quota.Find(ctx, tx, "c", p.ID)
				return err
			})
			if p.ID == again.ID {
				if want := period.End(p.Effective, period.Month, 3); len(more) != 0 || !now.Expires.Equal(want) {
					t.Errorf("resettable: %+v, %+v", now, more)
				}
				continue
			}
			if len(more) != 1 || !more[0].Effective.Equal(p.Expires) || !more[0].Expires.Equal(period.End(p.Effective, period.Year, 3)) || more[0].Items[0].Amount.String() != "1000" || !now.Expires.Equal(p.Expires) {
				t.Errorf("one-off: %+v, %+v", now, more)
			}
		}
		s.at = s.at.AddDate(4, 0, 0)
		if _, err := s.renew(once.ID, period.Year, 1); !fault.Is(err, "CBC.99003016") {
			t.Errorf("an expired one: %v", err)
		}
		s.sound("c")
	})
}

package order_test

import (
	"context"
	"slices"
	"testing"

	"github.com/purser-cloud/purser/internal/catalog"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/order"
	"github.com/purser-cloud/purser/internal/period"
	"github.com/purser-cloud/purser/internal/rating"
)

// address is one public address a month with its bandwidth of 8 Mbit/s, which goes with another product of the order.
func address(num int32, with string) order.Item {
	product := func(id, resourceType, spec string) catalog.Wanted {
		return catalog.Wanted{ID: id, Service: "hws.service.type.vpc", ResourceType: resourceType, Spec: spec, Region: "ap-southeast-1", Num: num, PeriodType: 2, Periods: 1}
	}
	bandwidth := product("mbit", "hws.resource.type.bandwidth", "19_bgp")
	bandwidth.Num, bandwidth.Size = 1, rating.Size{Value: money.DecimalOf(8), Unit: 15}
	return order.Item{Wanted: product("ip", "hws.resource.type.ip", "5_bgp"), RelatedTo: with, Attached: []order.Item{{Wanted: bandwidth}}}
}

func (s *shop) renewalPrice(relatives bool, resources ...string) (out order.RenewalPrice) {
	s.Helper()
	c := s.customer("c")
	s.do(func(ctx context.Context, tx *db.Tx) (err error) {
		out, err = s.desk.RenewalPrice(ctx, tx, &c, resources, relatives, period.Month, 1, nil)
		return err
	})
	return out
}

// Addresses go with servers in turn. Asked to, the price of renewing either has the other too, once; by itself it has not.
func TestRenewalPriceWithRelatives(t *testing.T) {
	stocked.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d)
		s.topUp("c", 10_000*dollar)
		var told order.Told
		s.desk.Tell = func(_ context.Context, _ *db.Tx, m *order.Told) error { told = *m; return nil }
		o, list := s.bought(order.Means{}, server(2, 1, 100), address(2, "vm"))
		if len(list) != 8 { // servers, disks, addresses, bandwidths
			t.Fatalf("%d resources", len(list))
		}
		vm, ip := list[:2], list[4:6]
		if ip[0].Related != vm[0].Instance {
			slices.Reverse(vm)
		}
		for i := range vm {
			if ip[i].Related != vm[i].Instance || vm[i].Related != "" || ip[i].Parent != "" {
				t.Errorf("%+v does not go with %+v", ip[i], vm[i])
			}
		}
		if k := slices.IndexFunc(told.Resources, func(r order.ToldResource) bool { return r.Instance == ip[0].Instance }); k < 0 || told.Resources[k].Related != vm[0].Instance {
			t.Errorf("told %+v", told)
		}
		alone, both := s.renewalPrice(false, vm[0].ID), s.renewalPrice(true, vm[0].ID)
		if len(alone.Resources) != 1 || len(both.Resources) != 2 || both.Resources[0].Amount != alone.Resources[0].Amount || both.Resources[1].Resource != ip[0].ID ||
			both.List.Amount.String() != "117.87" || both.Resources[1].Amount.String() != "102.63" { // 9.74 and 5.5; 2.4, five at 8.64 and three at 19.01
			t.Errorf("alone %+v\nboth %+v", alone, both)
		}
		if back := s.renewalPrice(true, ip[0].ID); len(back.Resources) != 2 || back.Resources[1].Resource != vm[0].ID {
			t.Errorf("of the address: %+v", back)
		}
		if all := s.renewalPrice(true, vm[0].ID, vm[1].ID, ip[1].ID, "nothing"); len(all.Resources) != 4 || len(all.Failed) != 1 {
			t.Errorf("all: %+v", all)
		}
		if _, err := s.end(ip[0].ID); err != nil {
			t.Fatal(err)
		}
		if left := s.renewalPrice(true, vm[0].ID); len(left.Resources) != 1 || len(left.Failed) != 0 {
			t.Errorf("the address is gone: %+v", left)
		}
		if line := s.lineOf(o, 3); line.Related != 1 {
			t.Errorf("%+v", line)
		}
	})
}

// A product goes only with an earlier primary one of its region, and a package with nothing.
func TestRelatedToNothing(t *testing.T) {
	d := stocked.SQLite(t)
	s := open(t, d)
	elsewhere := address(1, "vm")
	elsewhere.Region, elsewhere.Attached = "ap-southeast-3", nil
	pack := traffic(1, 1)
	pack.RelatedTo = "vm"
	for name, items := range map[string][]order.Item{
		"later": {address(1, "vm"), server(1, 1, 0)}, "attached": {server(1, 1, 10), address(1, "disk")}, "itself": {address(1, "ip")},
		"another region": {server(1, 1, 0), elsewhere}, "a package": {server(1, 1, 0), pack}, "with a package": {traffic(1, 1), address(1, "cdn")},
	} {
		draft := order.Draft{Customer: s.customer("c"), Source: order.ByCustomer, Project: "0", Items: items}
		err := s.try(func(ctx context.Context, tx *db.Tx) error {
			_, _, err := s.desk.Place(ctx, tx, &draft)
			return err
		})
		if code(err) != "CBC.0100" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

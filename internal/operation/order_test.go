package operation_test

import (
	"strings"
	"testing"
	"time"

	"github.com/purser-cloud/purser/internal/account"
	"github.com/purser-cloud/purser/internal/charge"
	"github.com/purser-cloud/purser/internal/contract"
	"github.com/purser-cloud/purser/internal/coupon"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/db/dbtest"
	"github.com/purser-cloud/purser/internal/operation"
	"github.com/purser-cloud/purser/internal/order"
	"github.com/purser-cloud/purser/internal/period"
	"github.com/purser-cloud/purser/internal/trace"
)

// A member under unified accounting orders, its master pays, with its own coupon; the master sees what it paid for.
func TestMasterPaysForMember(t *testing.T) {
	furnished.Each(t, func(t *testing.T, d *db.DB) {
		o, ctx := open(t, d), t.Context()
		operator, master, member := o.by("purser-operator", now), o.by("alpine-robotics", now), o.by("cedar-labs", now)
		own := member.Caller.DomainID
		if _, err := o.JoinMaster(ctx, operator, own, master.Caller.DomainID, account.Unified, time.Time{}); err != nil {
			t.Fatal(err)
		}
		if _, err := o.IssueCoupons(ctx, operator, []string{master.Caller.DomainID}, coupon.Coupon{Version: 2, Face: 500 * dollar}, false); err != nil {
			t.Fatal(err)
		}
		before, err := o.ShowBalances(ctx, member)
		if err != nil {
			t.Fatal(err)
		}
		placed, err := o.PlaceOrder(ctx, member, oneServer(1))
		if err != nil {
			t.Fatal(err)
		}
		if err := o.PayOrder(ctx, member, placed.Order.ID, order.Means{}); err != nil {
			t.Fatal(err)
		}
		if after, err := o.ShowBalances(ctx, member); err != nil || after.Cash != before.Cash {
			t.Errorf("the member paid: %v", err)
		}
		list, err := o.ListOrders(ctx, master, own, true, order.Query{}, 0, 10)
		if err != nil || list.Total != 1 || list.Orders[0].Payer != master.Caller.DomainID || list.Orders[0].Paid.Coupon != list.Orders[0].Amount {
			t.Errorf("%v, %+v", err, list.Orders)
		}
		if _, err := o.ListOrders(ctx, master, own, false, order.Query{}, 0, 10); code(err) != "CBC.0151" {
			t.Errorf("all orders of a member: %v", err)
		}
		if _, err := o.CheckBooks(ctx, operator, false, func(w operation.Wrong) { t.Error(w) }); err != nil {
			t.Error(err)
		}
	})
}

// Every operation with an event leaves its line, done or refused; the line of a refusal says why.
func TestTraces(t *testing.T) {
	furnished.Each(t, func(t *testing.T, d *db.DB) {
		o, ctx := open(t, d), t.Context()
		call := func(id, event string) *operation.Call {
			c := o.by("cedar-labs", now)
			c.Operation = &contract.Operation{ID: id, Event: contract.Event{Type: "order", Name: event}}
			c.Body = []byte(`{"order_id":"CS1","password":"hunter2"}`)
			return c
		}
		placed, err := o.PlaceOrder(ctx, o.by("cedar-labs", now), oneServer(1))
		if err != nil {
			t.Fatal(err)
		}
		id := placed.Order.ID
		steps := []struct {
			do   func() error
			want string
		}{
			{func() error {
				return o.PayOrder(ctx, call("PayOrders", "payCustomerOrderV3"), id, order.Means{Coupon: "CP-NONE"})
			}, "payCustomerOrderV3 warning 400 CBC.99003112 " + id},
			{func() error { return o.PayOrder(ctx, call("PayOrders", "payCustomerOrderV3"), id, order.Means{}) }, "payCustomerOrderV3 normal 200  " + id},
			{func() error { return o.CancelOrder(ctx, call("CancelCustomerOrder", "cancelCustomerOrder"), id) }, "cancelCustomerOrder warning 400 CBC.99005010 " + id},
		}
		for i, step := range steps {
			step.do() //nolint:errcheck // the trace says how it ended
			err := d.View(ctx, dbtest.At(now), func(v *db.View) error {
				list, err := trace.Latest(ctx, v, o.by("cedar-labs", now).Caller.DomainID, 100)
				if err != nil || len(list) != i+1 {
					t.Fatalf("%d lines, %v", len(list), err)
				}
				found := false
				for _, l := range list {
					found = found || strings.Join([]string{l.Name, l.Rating, l.Code, strings.Split(l.Message, ":")[0], l.ResourceID}, " ") == step.want
					if strings.Contains(l.Request, "hunter2") || l.ResourceType != "order" || l.Caller == "" {
						t.Errorf("%+v", l)
					}
				}
				if !found {
					t.Errorf("no line %q in %+v", step.want, list)
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	})
}

// A combined purchase is paid or cancelled whole; several single orders are paid together, and those that have moved on
// are skipped.
func TestPayTogether(t *testing.T) {
	furnished.Each(t, func(t *testing.T, d *db.DB) {
		o, ctx := open(t, d), t.Context()
		me := func() *operation.Call { return o.by("cedar-labs", now) }
		combine := func(n int) (string, []operation.Placed) {
			t.Helper()
			in := &operation.NewCombined{}
			for range n {
				in.Orders = append(in.Orders, *oneServer(1))
			}
			trade, list, err := o.PlaceCombined(ctx, me(), in)
			if err != nil {
				t.Fatal(err)
			}
			return trade, list
		}
		trade, list := combine(3)
		if err := o.PayOrder(ctx, me(), list[0].Order.ID, order.Means{}); code(err) != "CBC.99000089" {
			t.Errorf("one of them alone: %v", err)
		}
		if err := o.CancelOrder(ctx, me(), list[0].Order.ID); code(err) != "CBC.99000089" {
			t.Errorf("one of them cancelled: %v", err)
		}
		if _, err := o.PayTogether(ctx, me(), trade, []operation.PayLine{{Order: "CS-OTHER"}}, false); code(err) != "CBC.30000010" {
			t.Errorf("with another's order: %v", err)
		}
		results, err := o.PayTogether(ctx, me(), trade, nil, false)
		if err != nil || len(results) != 3 || results[0].Paid <= 0 {
			t.Fatalf("%v, %+v", err, results)
		}
		if _, err := o.PayTogether(ctx, me(), trade, nil, false); code(err) != "CBC.99003106" {
			t.Errorf("paid twice: %v", err)
		}
		if fees, err := o.ListFees(ctx, me(), &operation.FeeAsk{Cycle: period.CycleOf(now), Filter: charge.Filter{Trade: &list[1].Order.ID}, Limit: 10}); err != nil || len(fees.Fees) != 1 || fees.Combined[list[1].Order.ID] != trade {
			t.Errorf("on the bill: %v, %+v, %v", err, fees.Fees, fees.Combined)
		}
		trade, list = combine(2)
		if err := o.CancelTogether(ctx, me(), trade); err != nil {
			t.Fatal(err)
		}
		if details, err := o.ShowOrder(ctx, me(), "", list[1].Order.ID, 0, 10); err != nil || details.Status != order.Cancelled {
			t.Errorf("%v, %+v", err, details.Order)
		}
		var ids []operation.PayLine
		for range 3 {
			placed, err := o.PlaceOrder(ctx, me(), oneServer(1))
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, operation.PayLine{Order: placed.Order.ID})
		}
		if err := o.CancelOrder(ctx, me(), ids[1].Order); err != nil {
			t.Fatal(err)
		}
		results, err = o.PayTogether(ctx, me(), "", ids, true)
		if err != nil || len(results) != 3 || results[0].Refused != nil || results[1].Refused == nil || results[1].Refused.Code != "CBC.99003106" || results[2].Refused != nil {
			t.Errorf("%v, %+v", err, results)
		}
		// Money for one of two: nothing is paid.
		if _, err := o.Withdraw(ctx, o.by("purser-operator", now), operation.Movement{Customer: me().Caller.DomainID, Amount: 9_940 * dollar, Reference: "most"}); err != nil {
			t.Fatal(err)
		}
		first, _ := o.PlaceOrder(ctx, me(), oneServer(1))
		second, _ := o.PlaceOrder(ctx, me(), oneServer(50))
		if _, err := o.PayTogether(ctx, me(), "", []operation.PayLine{{Order: first.Order.ID}, {Order: second.Order.ID}}, false); code(err) != "CBC.99005003" {
			t.Errorf("not enough for both: %v", err)
		}
		if details, err := o.ShowOrder(ctx, me(), "", first.Order.ID, 0, 10); err != nil || details.Status != order.Unpaid {
			t.Errorf("half of it was paid: %v, %+v", err, details.Order)
		}
	})
}

// Placed on a customer's behalf an order waits for the customer; an automatic payment that is refused leaves it unpaid.
func TestPlaceOrders(t *testing.T) {
	furnished.Each(t, func(t *testing.T, d *db.DB) {
		o, ctx := open(t, d), t.Context()
		partner, carol, operator := o.by("demo-partner", now), o.by("cedar-labs", now), o.by("purser-operator", now)
		before, err := o.Waiting(ctx, operator, 0, 10)
		if err != nil || before.Total != 2 { // the demo's own
			t.Fatalf("%v, %+v", err, before)
		}
		proxied := oneServer(1)
		proxied.Customer, proxied.AutoPay = carol.Caller.DomainID, true
		placed, err := o.PlaceOrder(ctx, partner, proxied)
		if err != nil || placed.Order.Status != order.Confirming || placed.Order.Source != order.ByProxy {
			t.Fatalf("%v, %+v", err, placed.Order)
		}
		if waiting, err := o.Waiting(ctx, operator, 0, 10); err != nil || waiting.Total != before.Total+1 || waiting.Orders[before.Total].ID != placed.Order.ID {
			t.Errorf("%v, %+v", err, waiting)
		}
		if _, err := o.JudgeOrder(ctx, carol, carol.Caller.DomainID, placed.Order.ID, operation.Confirm, ""); code(err) != "CBC.0151" {
			t.Errorf("by the customer: %v", err)
		}
		if confirmed, err := o.JudgeOrder(ctx, operator, carol.Caller.DomainID, placed.Order.ID, operation.Confirm, ""); err != nil || confirmed.Status != order.Unpaid {
			t.Errorf("%v, %+v", err, confirmed)
		}
		dear := oneServer(500)
		dear.Items[0].Periods, dear.AutoPay = 9, true
		dear.Items[0].PeriodType = 2
		placed, err = o.PlaceOrder(ctx, carol, dear)
		if err != nil || placed.Refused == nil || placed.Refused.Code != "CBC.99005003" || placed.Order.Status != order.Unpaid {
			t.Errorf("%v, %+v", err, placed.Refused)
		}
		for name, k := range map[string]struct {
			change func(*operation.NewOrder)
			want   string
		}{
			"another's account":     {func(n *operation.NewOrder) { n.Customer = o.by("blue-harbour", now).Caller.DomainID }, "PURSER.0104"},
			"another's project":     {func(n *operation.NewOrder) { n.CloudProject = "x" }, "CBC.0100"},
			"no enterprise project": {func(n *operation.NewOrder) { n.Project = "x" }, "CBC.99006073"},
			"no such product":       {func(n *operation.NewOrder) { n.Items[0].Spec = "x" }, "CBC.99006006"},
			"too many":              {func(n *operation.NewOrder) { n.Items[0].Num = 501 }, "CBC.0100"},
			"nothing":               {func(n *operation.NewOrder) { n.Items = nil }, "CBC.0100"},
			"no such coupon":        {func(n *operation.NewOrder) { n.Coupon = "x" }, "CBC.99003112"},
			"begins in the past":    {func(n *operation.NewOrder) { n.Effective = now.Add(-time.Hour) }, "CBC.0100"},
			"begins too late":       {func(n *operation.NewOrder) { n.Effective = now.AddDate(10, 0, 1) }, "CBC.0100"},
		} {
			in := oneServer(1)
			k.change(in)
			if _, err := o.PlaceOrder(ctx, carol, in); code(err) != k.want {
				t.Errorf("%s: %v, want %s", name, err, k.want)
			}
		}
		key := o.by("cedar-labs", now)
		key.IdempotencyKey, key.Body = "one", []byte("{}")
		a, err := o.PlaceOrder(ctx, key, oneServer(1))
		b, err2 := o.PlaceOrder(ctx, key, oneServer(1))
		if err != nil || err2 != nil || a.Order.ID != b.Order.ID || len(b.Lines) != 1 {
			t.Errorf("the same key: %v %v, %s %s", err, err2, a.Order.ID, b.Order.ID)
		}
		key.Body = []byte(`{"x":1}`)
		if _, err := o.PlaceOrder(ctx, key, oneServer(1)); code(err) != "PURSER.0110" {
			t.Errorf("the same key for another order: %v", err)
		}
	})
}

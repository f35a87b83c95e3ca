package operation_test

import (
	"testing"
	"time"

	"github.com/purser-cloud/purser/internal/account"
	"github.com/purser-cloud/purser/internal/catalog"
	"github.com/purser-cloud/purser/internal/coupon"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/operation"
	"github.com/purser-cloud/purser/internal/order"
	"github.com/purser-cloud/purser/internal/period"
	"github.com/purser-cloud/purser/internal/quota"
	"github.com/purser-cloud/purser/internal/rating"
	"github.com/purser-cloud/purser/internal/subscription"
)

// several buys servers for a customer and returns their ids.
func (o *office) several(t *testing.T, who string, n int32, attached ...order.Item) (ids []string) {
	t.Helper()
	call, in := o.by(who, now), oneServer(n)
	in.Items[0].Attached = attached
	in.AutoPay = true
	placed, err := o.PlaceOrder(t.Context(), call, in)
	if err != nil || placed.Refused != nil {
		t.Fatalf("%v, %+v", err, placed.Refused)
	}
	list, err := o.ListResources(t.Context(), call, "", subscription.Query{Order: placed.Order.ID}, 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range list.Resources {
		ids = append(ids, r.ID)
	}
	return ids
}

// Of several resources those that cannot be unsubscribed are named and the others go on; what concerns all refuses all.
func TestUnsubscribeSeveral(t *testing.T) {
	furnished.Each(t, func(t *testing.T, d *db.DB) {
		o, ctx := open(t, d), t.Context()
		me, operator := o.by("cedar-labs", now), o.by("purser-operator", now)
		ids := o.several(t, "cedar-labs", 3)
		done, err := o.Unsubscribe(ctx, me, []string{"nothing", ids[0], ids[1]}, false, "")
		if err != nil || len(done.Orders) != 2 || len(done.Failed) != 1 || done.Failed[0].Resource != "nothing" || done.Failed[0].Why.Code != "CBC.99003012" {
			t.Errorf("%+v, %v", done, err)
		}
		for name, k := range map[string]struct {
			ids  []string
			want string
		}{
			"twice":                {[]string{ids[2], ids[2]}, "CBC.0100"},
			"none can: the first":  {[]string{ids[0], "nothing"}, "CBC.30000067"},
			"none can: the second": {[]string{"nothing", ids[0]}, "CBC.99003012"},
		} {
			if _, err := o.Unsubscribe(ctx, me, k.ids, false, ""); code(err) != k.want {
				t.Errorf("%s: %v, want %s", name, err, k.want)
			}
		}
		disk := with(vm("d", "1"), func(w *catalog.Wanted) {
			w.Service, w.ResourceType, w.Spec, w.Size = "hws.service.type.ebs", "hws.resource.type.volume", "SAS", rating.Size{Value: money.DecimalOf(40), Unit: 17}
		})
		whole := o.several(t, "cedar-labs", 1, order.Item{Wanted: disk})
		if done, err := o.Unsubscribe(ctx, me, whole, false, ""); err != nil || len(done.Orders) != 1 || len(done.Failed) != 0 {
			t.Errorf("with its disk: %+v, %v", done, err)
		}
		if _, err := o.ChangeCustomer(ctx, operator, me.Caller.DomainID, func(c *account.Customer) { c.Standing = account.Frozen }); err != nil {
			t.Fatal(err)
		}
		if _, err := o.Unsubscribe(ctx, me, ids[2:], false, ""); code(err) != "CBC.30000052" {
			t.Errorf("frozen account: %v", err)
		}
		if _, err := o.ToOnDemand(ctx, me, ids[2:], false); code(err) != "CBC.99003626" {
			t.Errorf("frozen account, pay-per-use: %v", err)
		}
		if _, err := o.RenewResources(ctx, me, ids[2:], 2, 1, false); code(err) != "CBC.0155" {
			t.Errorf("frozen account, renewal: %v", err)
		}
		if _, err := o.CheckBooks(ctx, operator, false, func(w operation.Wrong) { t.Error(w) }); err != nil {
			t.Error(err)
		}
	})
}

// Each resource that cannot turn pay-per-use is named with why; so is an automatic payment that is refused.
func TestFailedResources(t *testing.T) {
	furnished.Each(t, func(t *testing.T, d *db.DB) {
		o, ctx := open(t, d), t.Context()
		me := o.by("alpine-robotics", now)
		packs, err := o.ListPackages(ctx, me, quota.Query{}, 0, 1)
		if err != nil || len(packs.Packages) == 0 {
			t.Fatal(err)
		}
		ids := o.several(t, "alpine-robotics", 3)
		if _, err := o.Unsubscribe(ctx, me, ids[:1], false, ""); err != nil {
			t.Fatal(err)
		}
		if _, err := o.RenewResources(ctx, me, ids[1:2], 2, 1, false); err != nil {
			t.Fatal(err)
		}
		failed, err := o.ToOnDemand(ctx, me, []string{ids[0], ids[1], ids[2], "nothing", packs.Packages[0].ID}, false)
		want := []string{"CBC.99003012", "CBC.99003623", "CBC.99003012", "CBC.99003611"}
		if err != nil || len(failed) != len(want) {
			t.Fatalf("%+v, %v", failed, err)
		}
		for i, f := range failed {
			if f.Why.Code != want[i] {
				t.Errorf("%s: %v, want %s", f.Resource, f.Why, want[i])
			}
		}
		if list, err := o.ListResources(ctx, me, "", subscription.Query{IDs: ids[2:]}, 0, 1); err != nil || list.Resources[0].Policy != subscription.ToOnDemand {
			t.Errorf("%+v, %v", list, err)
		}
		if failed, err := o.ToOnDemand(ctx, me, []string{ids[1], ids[2]}, true); err != nil || len(failed) != 1 || failed[0].Why.Code != "CBC.99003623" {
			t.Errorf("%+v, %v", failed, err)
		}
		if failed, err := o.ToOnDemand(ctx, me, ids[2:], true); err != nil || len(failed) != 1 || failed[0].Why.Code != "CBC.99003609" {
			t.Errorf("taken back twice: %+v, %v", failed, err)
		}
		for _, k := range []struct {
			err  error
			want string
		}{
			{o.CancelAutoRenewal(ctx, me, ids[2]), "CBC.99003605"},
			{o.SetAutoRenewal(ctx, me, "nothing", nil, period.None), "CBC.99003012"},
			{o.SetRenewConfig(ctx, me, "EXPIRE_DATE", "0"), "CBC.0100"},
			{o.SetRenewConfig(ctx, me, "EXPIRE_DATE", "+3"), "CBC.0100"},
			{o.SetRenewConfig(ctx, me, "DEDUCTION_DATE", "03"), "CBC.0100"},
		} {
			if code(k.err) != k.want {
				t.Errorf("%v, want %s", k.err, k.want)
			}
		}
		bob := o.by("blue-harbour", now)
		server := o.several(t, "cedar-labs", 1)
		if _, err := o.RenewResources(ctx, bob, server, 2, 1, false); code(err) != "CBC.99003016" {
			t.Errorf("another's: %v", err)
		}
		carol, operator := o.by("cedar-labs", now), o.by("purser-operator", now)
		held, err := o.ShowBalances(ctx, carol)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := o.ChangeCustomer(ctx, operator, carol.Caller.DomainID, func(c *account.Customer) { c.CreditLimit = 0 }); err != nil {
			t.Fatal(err)
		}
		if _, err := o.Withdraw(ctx, operator, operation.Movement{Customer: carol.Caller.DomainID, Amount: held.Cash, Reference: "all"}); err != nil {
			t.Fatal(err)
		}
		made, err := o.RenewResources(ctx, carol, server, 3, 3, true) // more than a coupon holds
		if err != nil || len(made.Orders) != 1 || len(made.Failed) != 1 || made.Failed[0].Why.Code != "CBC.30050006" {
			t.Fatalf("%+v, %v", made, err)
		}
		if left, err := o.ShowOrder(ctx, carol, "", made.Orders[0], 0, 1); err != nil || left.Status != order.Unpaid {
			t.Errorf("%+v, %v", left.Order, err)
		}
	})
}

// Who gives a renewal back keeps what lies before it, also when a change of the resource came after the renewal (the simulation's seed 601);
// each coupon has what it paid.
func TestRenewalGivenBackAfterAChange(t *testing.T) {
	furnished.Each(t, func(t *testing.T, d *db.DB) {
		o, ctx := open(t, d), t.Context()
		me := o.by("cedar-labs", now)
		server := o.several(t, "cedar-labs", 1)
		expires := func() time.Time {
			t.Helper()
			list, err := o.ListResources(ctx, me, "", subscription.Query{IDs: server}, 0, 10)
			if err != nil || len(list.Resources) != 1 {
				t.Fatalf("%v: %d", err, len(list.Resources))
			}
			return list.Resources[0].Expires
		}
		coupons := func() (left money.Amount) {
			t.Helper()
			_, page, _, err := o.Coupons(ctx, me, coupon.Query{}, 0, 100)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range page {
				left += c.Balance
			}
			return left
		}
		bought, atFirst := expires(), coupons()
		if _, err := o.RenewResources(ctx, me, server, 2, 2, true); err != nil {
			t.Fatal(err)
		}
		if !expires().After(bought) {
			t.Fatal("not renewed")
		}
		renewed := coupons()
		later := o.by("cedar-labs", now.AddDate(0, 0, 10))
		if _, err := o.ChangeResource(ctx, later, server[0], "s3.large.2.linux", rating.Size{}, true); err != nil {
			t.Fatal(err)
		}
		changed := coupons()
		done, err := o.Unsubscribe(ctx, o.by("cedar-labs", now.AddDate(0, 0, 11)), server, true, "")
		if err != nil || len(done.Orders) != 1 {
			t.Fatalf("%+v, %v", done, err)
		}
		if at := expires(); !at.Equal(bought) {
			t.Errorf("it expires at %s, was bought until %s", at, bought)
		}
		// What a coupon paid of the renewal is back, and of the change what was for the renewal, not what was for the running month.
		if back := coupons() - changed; atFirst == renewed || renewed == changed || back <= atFirst-renewed || back >= atFirst-changed {
			t.Errorf("coupons held %s, %s after the renewal, %s after the change, %s now", atFirst, renewed, changed, coupons())
		}
		if _, err := o.CheckBooks(ctx, o.by("purser-operator", now), false, func(w operation.Wrong) { t.Error(w) }); err != nil {
			t.Error(err)
		}
	})
}

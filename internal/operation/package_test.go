package operation_test

import (
	"testing"
	"time"

	"github.com/purser-cloud/purser/internal/account"
	"github.com/purser-cloud/purser/internal/catalog"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/db/dbtest"
	"github.com/purser-cloud/purser/internal/operation"
	"github.com/purser-cloud/purser/internal/period"
	"github.com/purser-cloud/purser/internal/quota"
)

// The operator gives packages, for the lengths of time that they are sold for; the customer sees them, another does not.
func TestGivePackage(t *testing.T) {
	furnished.Each(t, func(t *testing.T, d *db.DB) {
		o, ctx := open(t, d), t.Context()
		operator, customer := o.by("purser-operator", now), o.by("cedar-labs", now)
		gift := func(service, spec string, change func(*operation.Gift)) operation.Gift {
			g := operation.Gift{Customer: customer.Caller.DomainID, OwnTerm: true, Wanted: catalog.Wanted{
				ID: spec, Service: "hws.service.type." + service, ResourceType: "hws.resource.type." + service, Spec: spec, Region: "ap-southeast-1", Num: 1, Periods: 2,
			}}
			if change != nil {
				change(&g)
			}
			return g
		}
		monthly, err := o.GivePackage(ctx, operator, gift("obs", "obs.package.100gb", nil))
		if err != nil || monthly.Source != quota.Gift || monthly.Order != "" || !monthly.Expires.Equal(period.End(now, period.Month, 2)) || monthly.Items[0].Amount.String() != "100" {
			t.Errorf("%+v, %v", monthly, err)
		}
		yearly, err := o.GivePackage(ctx, operator, gift("cdn", "cdn.package.500gb", nil))
		if err != nil || !yearly.Expires.Equal(period.End(now, period.Year, 2)) || yearly.Items[0].Amount.String() != "1000" {
			t.Errorf("%+v, %v", yearly, err)
		}
		for _, k := range []struct {
			call *operation.Call
			gift operation.Gift
			want string
		}{
			{customer, gift("obs", "obs.package.100gb", nil), "CBC.0151"},
			{o.by("alpine-robotics", now), gift("obs", "obs.package.100gb", nil), "CBC.0151"},
			{operator, gift("obs", "obs.package.none", nil), "CBC.99006006"},
			{operator, gift("obs", "obs.standard.single", nil), "CBC.99006006"},
			{operator, gift("cdn", "cdn.package.500gb", func(g *operation.Gift) { g.OwnTerm, g.PeriodType = false, 2 }), "CBC.99006006"},
			{operator, gift("obs", "obs.package.100gb", func(g *operation.Gift) { g.Wanted = oneServer(1).Items[0].Wanted }), "CBC.0100"},
			{operator, gift("obs", "obs.package.100gb", func(g *operation.Gift) { g.Customer = "nobody" }), "PURSER.0104"},
		} {
			if _, err := o.GivePackage(ctx, k.call, k.gift); code(err) != k.want {
				t.Errorf("%+v: %v, want %s", k.gift, err, k.want)
			}
		}
		list, err := o.ListPackages(ctx, customer, quota.Query{Project: "0", Services: []string{"HWS.Service.Type.OBS"}}, 0, 10)
		if err != nil || list.Total != 1 || list.Packages[0].ID != monthly.ID || !list.Now.Equal(now) {
			t.Errorf("%+v, %v", list, err)
		}
		other := o.by("alpine-robotics", now)
		if list, err := o.ListPackages(ctx, other, quota.Query{Services: []string{"hws.service.type.obs"}}, 0, 10); err != nil || list.Total != 1 || list.Packages[0].Customer != other.Caller.DomainID {
			t.Errorf("the demo's own: %+v, %v", list, err)
		}
		shut := func(tx *db.Tx) error {
			_, err := account.Change(ctx, tx, customer.Caller.DomainID, func(c *account.Customer) { c.Standing = account.Closed })
			return err
		}
		if err := d.Update(ctx, dbtest.At(now), shut); err != nil {
			t.Fatal(err)
		}
		if _, err := o.GivePackage(ctx, o.by("purser-operator", now.Add(time.Hour)), gift("obs", "obs.package.100gb", nil)); code(err) != "PURSER.0106" {
			t.Errorf("to a closed account: %v", err)
		}
	})
}

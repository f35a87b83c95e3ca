package order_test

import (
	"context"
	"testing"

	"github.com/purser-cloud/purser/internal/account"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/order"
	"github.com/purser-cloud/purser/internal/subscription"
)

// Each tier has the days of its site, from expiry to the release, to the instant.
func TestDaysOfSiteAndTier(t *testing.T) {
	stocked.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d)
		s.topUp("c", 10_000*dollar)
		for _, k := range []struct {
			site, tier       string
			grace, retention int
		}{
			{order.International, "", 15, 15}, {order.International, "V3", 15, 15},
			{order.China, "", 1, 1}, {order.China, "V0", 1, 1}, {order.China, "V1", 1, 7}, {order.China, "V2", 1, 7},
			{order.China, "V3", 7, 7}, {order.China, "V4", 7, 15}, {order.China, "V5", 7, 15},
		} {
			if !s.desk.Rules.Follow(k.site) {
				t.Fatal(k.site)
			}
			s.at = now
			s.do(func(ctx context.Context, tx *db.Tx) error {
				_, err := account.Change(ctx, tx, "c", func(c *account.Customer) { c.Tier = k.tier })
				return err
			})
			o, list := s.bought(order.Means{}, server(1, 1, 0))
			expires, owner := list[0].Expires, s.customer("c")
			for _, step := range []struct {
				days int
				want subscription.Status
			}{{0, subscription.Expired}, {k.grace, subscription.Frozen}, {k.grace + k.retention, subscription.Closed}} {
				s.at = expires.AddDate(0, 0, step.days)
				r := s.resources(o.ID)[0]
				if !r.Next.Equal(s.at) {
					t.Errorf("%s %s: due at %s, want %s", k.site, k.tier, r.Next, s.at)
				}
				s.do(func(ctx context.Context, tx *db.Tx) error { _, err := s.desk.Age(ctx, tx, &owner, &r); return err })
				if got := s.resources(o.ID)[0].Status; got != step.want {
					t.Errorf("%s %s, %d days after expiry: status %d, want %d", k.site, k.tier, step.days, got, step.want)
				}
			}
		}
		if s.desk.Rules.Follow("moon") {
			t.Error("there is no such site")
		}
	})
}

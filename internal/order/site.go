package order

import "github.com/purser-cloud/purser/internal/subscription"

// Sites whose defaults Rules.Follow knows.
const (
	International = "international"
	China         = "china"
)

// Follow sets what differs between the provider's sites to a site's defaults: days of grace and retention (billing-rules 2.2) and
// the days of unconditional unsubscription (2.8). On the China site the days go by the customer's tier; one without a tier has
// those of V0. It says false, and changes nothing, for a site that it does not know.
func (r *Rules) Follow(site string) bool {
	switch site {
	case International:
		r.Grace, r.Retention, r.Tiers, r.FreeDays = 15, 15, nil, 0
	case China:
		days := func(grace, retention int) subscription.Life {
			return subscription.Life{Grace: grace, Retention: retention}
		}
		r.Grace, r.Retention, r.FreeDays = 1, 1, 5
		r.Tiers = map[string]subscription.Life{
			"V5": days(7, 15), "V4": days(7, 15), "V3": days(7, 7), "V2": days(1, 7), "V1": days(1, 7), "V0": days(1, 1),
		}
	default:
		return false
	}
	return true
}

package subscription

import (
	"context"
	"fmt"

	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/period"
)

// Paid names what an order paid for: a term of a resource.
type Paid struct{ Instance, Order string }

// Billed are resources and terms of a customer that fee records name, those that have ended included.
type Billed struct {
	Resources map[string]Resource // by instance; the parents of these are there too
	Terms     map[Paid]PaidTerm
}

// PaidTerm is the time that an order paid for, of however many terms.
type PaidTerm struct {
	Span    period.Span
	Unit    period.Unit
	Periods int
}

// BilledOf finds what fee records of a customer name by instance. What is not there is left out.
func BilledOf(ctx context.Context, r db.Reader, customer string, instances []string) (out Billed, err error) {
	out = Billed{Resources: map[string]Resource{}, Terms: map[Paid]PaidTerm{}}
	if err := byInstances(ctx, r, customer, instances, out.Resources); err != nil {
		return out, err
	}
	var parents []string
	for _, x := range out.Resources {
		if _, ok := out.Resources[x.Parent]; x.Parent != "" && !ok {
			parents = append(parents, x.Parent)
		}
	}
	if err := byInstances(ctx, r, customer, parents, out.Resources); err != nil {
		return out, err
	}
	return out, paidTerms(ctx, r, customer, instances, out.Terms)
}

// InstancesOf lists the ids inside the house of all resources that a customer has or had under a cloud's id.
func InstancesOf(ctx context.Context, r db.Reader, customer, id string) (out []string, err error) {
	rows, err := r.Query(ctx, `SELECT instance FROM subscription_resource WHERE customer = $1 AND resource = $2 AND resource <> ''`, customer, id)
	if err != nil {
		return nil, fmt.Errorf("find resource %s: %w", id, err)
	}
	defer rows.Close()
	for rows.Next() {
		var instance string
		if err := rows.Scan(&instance); err != nil {
			return nil, fmt.Errorf("find resource %s: %w", id, err)
		}
		out = append(out, instance)
	}
	return out, rows.Err()
}

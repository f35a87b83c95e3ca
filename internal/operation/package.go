package operation

import (
	"context"
	"time"

	"github.com/purser-cloud/purser/internal/account"
	"github.com/purser-cloud/purser/internal/catalog"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/identity"
	"github.com/purser-cloud/purser/internal/period"
	"github.com/purser-cloud/purser/internal/quota"
)

// PackagePage is a page of packages with the names that go with their codes, and the business instant at which their
// states are to be seen.
type PackagePage struct {
	Total    int
	Packages []quota.Package
	Shelf    *catalog.Snapshot
	Now      time.Time
}

// ListPackages pages through the caller's resource packages: those that serve all its enterprise projects, or those of
// the project that is named.
func (c *Counter) ListPackages(ctx context.Context, call *Call, q quota.Query, offset, limit int) (out PackagePage, err error) {
	err = c.read(ctx, call, func(v *db.View, scope identity.Scope) error {
		if out.Shelf, err = c.Catalogue.At(ctx, v); err != nil {
			return err
		}
		out.Now = v.Now
		for i := range q.Services {
			q.Services[i] = out.Shelf.ServiceCode(q.Services[i])
		}
		q.Within = scope.Within()
		if q.Project == DefaultProject {
			q.Project = "" // bought there, a package serves all
		}
		out.Total, out.Packages, err = quota.List(ctx, v, scope.Customer, &q, offset, limit)
		return err
	})
	return out, err
}

// Gift is a package that the operator gives.
type Gift struct {
	Customer string
	catalog.Wanted
	Project string // enterprise project that alone it serves; empty: all
	OwnTerm bool   // PeriodType is not said: the product's own
}

// GivePackage gives a customer a resource package that nobody pays for. The operator's. It is refused where an order of
// the same product would be.
func (c *Counter) GivePackage(ctx context.Context, call *Call, g Gift) (quota.Package, error) {
	call.About(g.Customer, "")
	return write(ctx, c, call, func(tx *db.Tx, scope identity.Scope) (quota.Package, error) {
		if err := operatorOnly(scope); err != nil {
			return quota.Package{}, err
		}
		who, err := account.Find(ctx, tx, g.Customer)
		if err != nil {
			return quota.Package{}, err
		}
		if who.Standing == account.Closed {
			return quota.Package{}, fault.New(fault.Conflict, "PURSER.0106", "customer %s is closed", g.Customer)
		}
		shelf, err := c.Catalogue.At(ctx, tx)
		if err != nil {
			return quota.Package{}, err
		}
		if g.Project != "" {
			if _, err := takes(ctx, tx, identity.Scope{AllProjects: true}, g.Customer, g.Project); err != nil {
				return quota.Package{}, err
			}
		}
		p, err := g.wrap(shelf, tx.Now)
		if err != nil {
			return p, err
		}
		p.Customer, p.Source, p.Project = who.ID, quota.Gift, g.Project
		return p, quota.Grant(ctx, tx, c.Random, &p)
	})
}

// wrap makes the package, as an order of the product would.
func (g *Gift) wrap(shelf *catalog.Snapshot, now time.Time) (quota.Package, error) {
	w := g.Wanted
	product, _ := shelf.Product(w.Service, w.ResourceType, w.Region, w.Spec)
	if terms := sold(shelf, product, now); g.OwnTerm && len(terms) > 0 {
		w.PeriodType = terms[0].Code()
		for _, unit := range terms {
			if unit == period.Month {
				w.PeriodType = unit.Code()
			}
		}
	}
	if _, err := shelf.ByTerm(&w, now); err != nil {
		return quota.Package{}, err
	}
	unit, _ := period.UnitOf(w.PeriodType) // ByTerm has refused others
	p, err := quota.Of(product, unit, int(w.Periods), now)
	if err != nil {
		return p, err
	}
	return p, p.Measure(shelf)
}

// sold lists the lengths of time that a product is sold for.
func sold(shelf *catalog.Snapshot, product *catalog.Product, now time.Time) (out []period.Unit) {
	if product == nil {
		return nil
	}
	for _, term := range shelf.TermsAt(product, now) {
		out = append(out, term.Period)
	}
	return out
}

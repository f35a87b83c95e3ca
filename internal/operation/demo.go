package operation

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/purser-cloud/purser/internal/account"
	"github.com/purser-cloud/purser/internal/catalog"
	"github.com/purser-cloud/purser/internal/coupon"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/discount"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/identity"
	"github.com/purser-cloud/purser/internal/ledger"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/rating"
	"github.com/purser-cloud/purser/internal/trace"
)

// DemoAccount is an account of the demo cloud with what its owner signs in with.
type DemoAccount struct {
	Domain   identity.Domain
	User     string
	Password identity.Secret
	Key      identity.Key
	Projects []identity.Project
	Staff    *DemoStaff // nil: it has none
}

// demo names the accounts, in the order in which demo.json lists them.
var demo = []struct{ name, kind, user string }{
	{"purser-operator", identity.Operator, "operator"},
	{"demo-partner", identity.Partner, "partner"},
	{"alpine-robotics", identity.Customer, "alice"},
	{"blue-harbour", identity.Customer, "bob"},
	{"cedar-labs", identity.Customer, "carol"},
}

// demoRegions are the regions of the demo cloud; each account has a project in each.
func demoRegions(content *catalog.Content) []string {
	out := make([]string, len(content.Regions))
	for i, r := range content.Regions {
		out[i] = r.Code
	}
	return out
}

// SetUpDemo furnishes the store with the demo cloud: the catalogue where there is none, the accounts that are not
// there yet, discounts of the first customer. With renew every account that is there gets a new password and a new key, and what it had
// before under the same names ends; without, ErrDemoThere. Everything of an account is one transaction.
func (c *Counter) SetUpDemo(ctx context.Context, content *catalog.Content, renew bool, say func(string)) (accounts []DemoAccount, err error) {
	call := LocalOperator("SetUpDemo", c.Clock())
	if !renew {
		if err := c.DB.View(ctx, db.Instants{Now: call.Real, Real: call.Real}, func(v *db.View) error {
			_, err := identity.FindDomain(ctx, v, demo[0].name)
			return err
		}); err == nil {
			return nil, ErrDemoThere
		} else if !fault.Is(err, "PURSER.0104") {
			return nil, err
		}
	}
	if _, err := c.KeepMonths(ctx, call.Real); err != nil {
		return nil, err
	}
	changes, err := c.ImportCatalogue(ctx, call, func() (*catalog.Content, error) { return content, nil }, false, false)
	if err != nil {
		return nil, fmt.Errorf("demo catalogue: %w", err)
	}
	say(fmt.Sprintf("demo cloud: catalogue of %d services, %d resource types, %d products (%d entries new)", len(content.Services), len(content.ResourceTypes), len(content.Products), changes.Added))
	regions, partner := demoRegions(content), ""
	for _, d := range demo {
		a := DemoAccount{User: d.user, Domain: identity.Domain{Name: d.name, Kind: d.kind}}
		if d.kind == identity.Customer {
			a.Domain.Partner = partner
		}
		if err := c.demoAccount(ctx, &a, regions, renew); err != nil {
			return nil, fmt.Errorf("demo account %s: %w", d.name, err)
		}
		if d.kind == identity.Partner {
			partner = a.Domain.ID
		}
		accounts = append(accounts, a)
		say("demo cloud: account " + d.name)
	}
	if err := c.demoDiscounts(ctx, accounts, partner); err != nil {
		return nil, fmt.Errorf("demo discounts: %w", err)
	}
	c.Discounts.Changed()
	say("demo cloud: orders of " + demo[2].name)
	return accounts, c.demoOrders(ctx, accounts, say)
}

// ErrDemoThere is what a second node is told that is to furnish a store with a demo cloud: it would take their sign-ins from who has them.
var ErrDemoThere = errors.New("the store has its demo cloud already, or another node is at it: its sign-ins are in the demo.json of the node that made it; start this one without --demo")

func (c *Counter) demoAccount(ctx context.Context, a *DemoAccount, regions []string, renew bool) error {
	password, err := c.Identity.NewPassword()
	if err != nil {
		return err
	}
	a.Password = password
	hash, err := c.Identity.HashPassword(ctx, password)
	if err != nil {
		return err
	}
	now := c.Clock()
	err = c.DB.Update(ctx, db.Instants{Now: now, Real: now}, func(tx *db.Tx) error {
		found, err := identity.FindDomain(ctx, tx, a.Domain.Name)
		switch {
		case err == nil && !renew:
			return ErrDemoThere
		case err == nil:
			a.Domain = found
			return c.renewDemoAccount(ctx, tx, a, hash)
		case !fault.Is(err, "PURSER.0104"):
			return err
		}
		if a.Projects, err = c.Identity.AddDomain(ctx, tx, &a.Domain, regions); err != nil {
			return err
		}
		u := identity.User{DomainID: a.Domain.ID, Name: a.User, Owner: true, Email: a.User + "@example.com", Description: "owner of the demo account"}
		if err := c.Identity.AddUser(ctx, tx, &u, hash); err != nil {
			return err
		}
		a.Key, err = c.Identity.AddKey(ctx, tx, a.Domain.ID, u.ID, "demo")
		return err
	})
	c.Identity.Changed()
	if err == nil {
		err = c.DB.Update(ctx, db.Instants{Now: now, Real: now}, func(tx *db.Tx) error { return c.demoTracker(ctx, tx, a.Domain.ID) })
		c.Traces.Changed()
	}
	if err != nil || a.Domain.Kind != identity.Customer {
		return err
	}
	opened := db.Instants{Now: now.AddDate(0, 0, -demoDays), Real: now}
	return c.DB.Update(ctx, opened, func(tx *db.Tx) error { return c.demoBooks(ctx, tx, a) })
}

// demoTracker switches traces on, where they are not.
func (c *Counter) demoTracker(ctx context.Context, tx *db.Tx, account string) error {
	h, err := c.homeOf(ctx, tx, account)
	if err != nil || h.Project == "" {
		return err
	}
	list, err := trace.Trackers(ctx, tx, account, h.Project, trace.System, "")
	if err != nil || len(list) > 0 {
		return err
	}
	region := ""
	for _, p := range h.Projects {
		if p.ID == h.Project {
			region = p.Name
		}
	}
	_, err = trace.Create(ctx, tx, c.Random, account, h.Project, region, &trace.Change{Kind: trace.System, Name: trace.System}, nil)
	return err
}

// demoDays is for how long the demo's customers have been there; for the last demoFresh of them they have their coupons and
// the money that demo.json promises.
const (
	demoDays  = 366
	demoFresh = 31
)

// demoBooks opens a customer's books, once: each has some money, the second settles monthly on credit.
func (c *Counter) demoBooks(ctx context.Context, tx *db.Tx, a *DemoAccount) error {
	if _, err := account.Find(ctx, tx, a.Domain.ID); !fault.Is(err, "PURSER.0104") {
		return err
	}
	customer := account.Customer{ID: a.Domain.ID, Kind: account.Enterprise, Verified: true, Country: "SG", Tier: "V3", TaxID: "DEMO-" + strings.ToUpper(a.User), InvoiceMethod: account.ByOrder}
	if a.User == "bob" {
		customer.Settlement, customer.CreditLimit, customer.Quota = account.Monthly, 5000*dollar, 2000*dollar
	}
	if err := account.Open(ctx, tx, c.Random, &customer); err != nil {
		return err
	}
	if a.User != "carol" {
		if err := c.demoAgreement(ctx, tx, a.Domain.ID, a.User == "alice"); err != nil {
			return err
		}
	}
	return ledger.Post(ctx, tx, c.Random, &ledger.Entry{
		Customer: a.Domain.ID, Cause: "topup", Reference: "demo-first", Note: "first top-up of the demo cloud",
		Postings: []ledger.Posting{{Giver: ledger.Topup, Taker: ledger.Cash, Amount: 2000 * dollar}},
	})
}

// demoMoney gives a customer, once, its coupons and fills its balance up to 10,000.
func (c *Counter) demoMoney(ctx context.Context, tx *db.Tx, a *DemoAccount) error {
	held, err := ledger.Of(ctx, tx, a.Domain.ID)
	if err != nil {
		return err
	}
	for _, one := range []coupon.Coupon{
		{Version: 2, Face: 100 * dollar, Plan: "demo-welcome", PlanName: "Welcome", Purpose: "anything"},
		{Version: 1, Face: 20 * dollar, Plan: "demo-servers", PlanName: "Servers", Purpose: "servers only", Limits: []coupon.Limit{{Key: "serviceType", Value1: "hws.service.type.ec2"}}},
	} {
		one.Customer, one.Issuer = a.Domain.ID, a.Domain.Partner
		if err := coupon.Issue(ctx, tx, c.Random, currency, &one, false); err != nil {
			return err
		}
	}
	return ledger.Post(ctx, tx, c.Random, &ledger.Entry{
		Customer: a.Domain.ID, Cause: "topup", Reference: "demo", Note: "top-up of the demo cloud",
		Postings: []ledger.Posting{{Giver: ledger.Topup, Taker: ledger.Cash, Amount: 10_000*dollar - held.Cash}, {Giver: ledger.Promotion, Taker: ledger.Bonus, Amount: 50 * dollar}},
	})
}

// dollar is one unit of the demo cloud's currency.
const dollar = money.Amount(100_000_000)

// renewDemoAccount gives an account that is there a new password and a new key: demo.json was lost.
func (c *Counter) renewDemoAccount(ctx context.Context, tx *db.Tx, a *DemoAccount, hash []byte) error {
	u, err := identity.FindUserByName(ctx, tx, a.Domain.ID, a.User)
	if err != nil {
		return err
	}
	if a.Projects, err = identity.Projects(ctx, tx, a.Domain.ID); err != nil {
		return err
	}
	if err := c.Identity.SetPassword(ctx, tx, a.Domain.ID, u.ID, hash); err != nil {
		return err
	}
	keys, err := identity.Keys(ctx, tx, a.Domain.ID, u.ID)
	if err != nil {
		return err
	}
	for _, k := range keys {
		if k.Description == "demo" {
			if err := c.Identity.DeleteKey(ctx, tx, a.Domain.ID, k.Access); err != nil {
				return err
			}
		}
	}
	a.Key, err = c.Identity.AddKey(ctx, tx, a.Domain.ID, u.ID, "demo")
	return err
}

// demoDiscounts gives the first customer a commercial discount on everything and a smaller one by its partner on
// servers, once.
func (c *Counter) demoDiscounts(ctx context.Context, accounts []DemoAccount, partner string) error {
	var customer, operator string
	for i := range accounts {
		switch kind := accounts[i].Domain.Kind; {
		case kind == identity.Customer && customer == "":
			customer = accounts[i].Domain.ID
		case kind == identity.Operator:
			operator = accounts[i].Domain.ID
		}
	}
	now := c.Clock()
	return c.DB.Update(ctx, db.Instants{Now: now, Real: now}, func(tx *db.Tx) error {
		if total, _, err := discount.List(ctx, tx, customer, 0, 1); err != nil || total > 0 {
			return err
		}
		year := time.Date(now.UTC().Year()-1, 1, 1, 0, 0, 0, 0, time.UTC)
		for _, g := range []discount.Grant{
			{Name: "Framework contract", Kind: rating.Commercial, Value: ratio("0.85"), GrantedBy: operator},
			{Name: "Partner's server offer", Kind: rating.Partner, Value: ratio("0.9"), Service: "hws.service.type.ec2", GrantedBy: partner},
		} {
			g.Customer, g.Effective, g.Expires = customer, year, year.AddDate(3, 0, 0)
			if err := discount.Add(ctx, tx, c.Random, currency, &g); err != nil {
				return err
			}
		}
		return nil
	})
}

func ratio(text string) money.Decimal {
	d, err := money.ParseDecimal(text)
	if err != nil {
		panic(err) // written just above
	}
	return d
}

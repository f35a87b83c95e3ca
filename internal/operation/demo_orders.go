package operation

import (
	"context"
	"fmt"
	"time"

	"github.com/purser-cloud/purser/internal/catalog"
	"github.com/purser-cloud/purser/internal/contract"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/discount"
	"github.com/purser-cloud/purser/internal/identity"
	"github.com/purser-cloud/purser/internal/invoice"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/order"
	"github.com/purser-cloud/purser/internal/outbox"
	"github.com/purser-cloud/purser/internal/rating"
	"github.com/purser-cloud/purser/internal/subscription"
)

// shopper does in the demo cloud what a customer would do, at a time of its own, through the same operations.
type shopper struct {
	*Counter
	ctx     context.Context
	account *DemoAccount
	project string              // enterprise project of what is bought; empty: the default one
	expiry  subscription.Policy // of what is bought
	now     time.Time
	err     error

	happened Happened // what happened by itself on the way to now
}

// ago is a call of the account's owner some time ago.
func (s *shopper) ago(back time.Duration, id, event string) *Call {
	kind := "order"
	if event == "unsubscribeResources" {
		kind = "subscription"
	}
	return &Call{
		Operation: &contract.Operation{ID: id, Service: "BSS", Event: contract.Event{Type: kind, Name: event}},
		Caller: identity.Caller{
			DomainID: s.account.Domain.ID, DomainName: s.account.Domain.Name, DomainKind: s.account.Domain.Kind, UserName: s.account.User, Owner: true,
		},
		Source: "127.0.0.1", Real: s.now, Now: s.now.Add(-back), RequestID: "demo",
	}
}

func (s *shopper) place(back time.Duration, items ...order.Item) (id string) {
	if s.err != nil {
		return ""
	}
	in := &NewOrder{Draft: order.Draft{Items: items, Project: s.project, Policy: s.expiry}}
	for _, p := range s.account.Projects {
		if p.Name == items[0].Region {
			in.CloudProject = p.ID
		}
	}
	var placed Placed
	placed, s.err = s.PlaceOrder(s.ctx, s.ago(back, "PlaceOrder", "placeOrder"), in)
	return placed.Order.ID
}

func (s *shopper) buy(back time.Duration, m order.Means, items ...order.Item) (id string) {
	id = s.place(back, items...)
	if s.err == nil {
		s.err = s.PayOrder(s.ctx, s.ago(back-time.Minute, "PayOrders", "payCustomerOrderV3"), id, m)
	}
	return id
}

func demoServer(name, spec string, num, months int32) order.Item {
	return order.Item{Name: name, Wanted: catalog.Wanted{
		ID: name, Service: "hws.service.type.ec2", ResourceType: "hws.resource.type.vm", Spec: spec, Region: "ap-southeast-1", Zone: "ap-southeast-1a", Num: num, PeriodType: 2, Periods: months,
	}}
}

func demoDisk(name string, size int64) order.Item {
	return order.Item{Name: name, Wanted: catalog.Wanted{
		ID: name, Service: "hws.service.type.ebs", ResourceType: "hws.resource.type.volume", Spec: "SAS", Region: "ap-southeast-1", Zone: "ap-southeast-1a", Num: 1,
		Size: rating.Size{Value: money.DecimalOf(size), Unit: 17},
	}}
}

// demoOrders lets the first customer, once, have lived for some weeks: servers in use, one with disks, one unsubscribed,
// orders that can be paid, a package that it bought and one that it was given. The second one, who settles monthly, has one order, and two
// that wait for the operator.
func (c *Counter) demoOrders(ctx context.Context, accounts []DemoAccount, say func(string)) error {
	var customers []*DemoAccount
	for i := range accounts {
		if accounts[i].Domain.Kind == identity.Customer {
			customers = append(customers, &accounts[i])
		}
	}
	inHouse, desk := *c, *c.Orders // whoever provisions later and however strict the reviews: this has happened already
	desk.Rules.External, desk.Rules.ReviewOrders, desk.Rules.ReviewRefunds = false, 0, 0
	inHouse.Orders, c = &desk, &inHouse
	const day = 24 * time.Hour
	now := c.Clock()
	first := &shopper{Counter: c, ctx: ctx, account: customers[0], now: now}
	contractual, fresh, err := c.demoContract(ctx, now, first.account.Domain.ID)
	m := order.Means{Discount: contractual, DiscountType: order.PayCommercial}
	if err == nil && fresh {
		err = c.demoYear(ctx, customers, m, say)
	}
	if err == nil {
		err = c.demoProjects(ctx, first, m, fresh)
	}
	if err != nil || !fresh {
		return err
	}
	if err := c.demoAddress(first); err != nil {
		return err
	}
	hook, err := c.demoHook(ctx, now)
	if err != nil {
		return err
	}
	web := demoServer("web", "s3.small.1.linux", 1, 1)
	web.Attached = []order.Item{demoDisk("web-system", 40), demoDisk("web-data", 200)}
	first.buy(20*day, m, web)
	first.buy(18*day, m, demoServer("worker", "s3.small.1.linux", 4, 3))
	trial := first.buy(15*day, m, demoServer("trial", "s3.small.1.linux", 1, 1))
	if first.err == nil {
		first.err = c.demoEnd(ctx, first, trial, 10*day)
	}
	first.place(3*day, demoServer("build", "s3.small.1.linux", 1, 1))
	first.place(2*day, demoServer("cache", "s3.small.1.linux", 2, 12))
	first.place(day, demoServer("staging", "s3.small.1.linux", 1, 6), demoServer("staging-db", "s3.small.1.linux", 1, 6))
	first.place(time.Hour, demoServer("test", "s3.small.1.linux", 1, 1))
	if dropped := first.place(6*day, demoServer("dropped", "s3.small.1.linux", 1, 1)); first.err == nil {
		first.err = c.CancelOrder(ctx, first.ago(5*day, "CancelCustomerOrder", "cancelCustomerOrder"), dropped)
	}
	first.buy(20*time.Minute, m, demoServer("mail", "s3.small.1.linux", 1, 1))
	first.buy(12*day, order.Means{}, order.Item{Wanted: demoPackage("hws.service.type.obs", "hws.resource.type.obs", "obs.package.100gb", 2, 6)})
	if first.err == nil {
		first.err = c.demoGift(ctx, first, 4*day)
	}
	if first.err == nil {
		first.err = c.demoUsage(ctx, first)
	}
	if first.err != nil {
		return fmt.Errorf("demo orders: %w", first.err)
	}
	second := &shopper{Counter: c, ctx: ctx, account: customers[1], now: now}
	second.buy(5*day, order.Means{}, demoServer("office", "s3.small.1.linux", 2, 1))
	if second.err == nil {
		second.err = c.demoWaiting(ctx, second, accounts)
	}
	if second.err != nil {
		return fmt.Errorf("demo orders: %w", second.err)
	}
	for _, one := range customers[1:] {
		if _, err := c.CatchUpTelling(ctx, now, Visit{Customer: one.Domain.ID}, first.happened.Add); err != nil {
			return err
		}
	}
	if err := c.demoCloses(ctx, first.happened); err != nil {
		return err
	}
	if err := c.switchHook(ctx, now, hook, false); err != nil {
		return err
	}
	return c.SealInvoices(ctx, now)
}

// demoHook is somebody who is to be told of orders, at an address that is nowhere (.example is nobody's): switched off once the demo's
// orders are placed, so that what waits for it is seen and nothing is ever sent.
func (c *Counter) demoHook(ctx context.Context, now time.Time) (id string, err error) {
	made, err := c.AddWebhook(ctx, LocalOperator("AddWebhook", now), "https://crm.demo.example/purser", []string{"order.*"})
	return made.ID, err
}

func (c *Counter) switchHook(ctx context.Context, now time.Time, id string, on bool) error {
	_, err := c.ChangeWebhook(ctx, LocalOperator("ChangeWebhook", now), id, func(t *outbox.Target) { t.Active = on })
	return err
}

// demoWaiting lets orders of a customer wait for the operator: one that its partner placed for it, and one so large that somebody
// has to approve it.
func (c *Counter) demoWaiting(ctx context.Context, s *shopper, accounts []DemoAccount) error {
	for i := range accounts {
		if accounts[i].Domain.Kind != identity.Partner {
			continue
		}
		partner := &shopper{account: &accounts[i], now: s.now}
		proxied := &NewOrder{Customer: s.account.Domain.ID, Draft: order.Draft{Items: []order.Item{demoServer("branch", "s3.small.1.linux", 1, 12)}}}
		if _, err := c.PlaceOrder(ctx, partner.ago(30*time.Hour, "PlaceOrder", "placeOrder"), proxied); err != nil {
			return err
		}
	}
	c.Orders.Rules.ReviewOrders = 500 * dollar
	defer func() { c.Orders.Rules.ReviewOrders = 0 }()
	s.place(4*time.Hour, demoServer("rendering", "s3.large.2.linux", 10, 6))
	return s.err
}

// demoAddress says who issues the demo's invoices, and to whom the first customer's are addressed.
func (c *Counter) demoAddress(s *shopper) error {
	return c.DB.Update(s.ctx, db.Instants{Now: s.now.AddDate(0, 0, -demoDays), Real: s.now}, func(tx *db.Tx) error {
		err := invoice.SetIssuer(s.ctx, tx, &invoice.Issuer{
			Code: invoice.House, Name: "Made-up Cloud Pte. Ltd.", Address: "1 Nowhere Street, Singapore 000001", TaxID: "000000000X", Note: "A made-up invoice of the demo cloud: nobody owes anything.",
		})
		if err != nil {
			return err
		}
		return invoice.SetProfile(s.ctx, tx, &invoice.Profile{
			Customer: s.account.Domain.ID, Title: "Alpine Robotics Ltd.", Address: "7 Example Road, Singapore", Recipient: "Alice Example", Zip: "000002", Phone: "+6500000000",
			Email: s.account.User + "@example.com",
		})
	})
}

func demoPackage(service, resourceType, spec string, periodType, periods int32) catalog.Wanted {
	return catalog.Wanted{ID: spec, Service: service, ResourceType: resourceType, Spec: spec, Region: "ap-southeast-1", Num: 1, PeriodType: periodType, Periods: periods}
}

// demoGift lets the operator give a customer a package.
func (c *Counter) demoGift(ctx context.Context, s *shopper, back time.Duration) error {
	call := LocalOperator("GivePackage", s.now)
	call.Now = s.now.Add(-back)
	_, err := c.GivePackage(ctx, call, Gift{Customer: s.account.Domain.ID, Wanted: demoPackage("hws.service.type.cdn", "hws.resource.type.cdn", "cdn.package.500gb", 3, 1)})
	return err
}

// demoContract finds the first customer's commercial discount; fresh as long as it has no order.
func (c *Counter) demoContract(ctx context.Context, now time.Time, customer string) (id string, fresh bool, err error) {
	err = c.DB.View(ctx, db.Instants{Now: now, Real: now}, func(v *db.View) error {
		total, _, err := order.List(ctx, v, customer, &order.Query{}, 0, 1)
		if err != nil {
			return err
		}
		fresh = total == 0
		_, grants, err := discount.List(ctx, v, customer, 0, 10)
		for _, g := range grants {
			if g.Kind == rating.Commercial {
				id = g.ID
			}
		}
		return err
	})
	return id, fresh, err
}

// demoEnd unsubscribes what an order bought.
func (c *Counter) demoEnd(ctx context.Context, s *shopper, id string, back time.Duration) error {
	list, err := c.ListResources(ctx, s.ago(back, "ListPayPerUseCustomerResources", ""), "", subscription.Query{Order: id}, 0, 10)
	if err != nil {
		return err
	}
	_, err = c.Unsubscribe(ctx, s.ago(back, "CancelResourcesSubscription", "unsubscribeResources"), []string{list.Resources[0].ID}, false, "no longer needed")
	return err
}

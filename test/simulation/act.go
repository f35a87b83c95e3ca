package simulation

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/purser-cloud/purser/internal/catalog"
	"github.com/purser-cloud/purser/internal/coupon"
	"github.com/purser-cloud/purser/internal/discount"
	"github.com/purser-cloud/purser/internal/identity"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/operation"
	"github.com/purser-cloud/purser/internal/order"
	"github.com/purser-cloud/purser/internal/period"
	"github.com/purser-cloud/purser/internal/rating"
	"github.com/purser-cloud/purser/internal/subscription"
	"github.com/purser-cloud/purser/internal/usage"
)

// customer is one of the simulated people, with what it was told and holds the house to.
type customer struct {
	id     string
	no     int
	caller identity.Caller
	rng    *rand.Rand

	paidIn money.Amount    // acknowledged top-ups less withdrawals
	unpaid []string        // orders that may still be paid
	paid   map[string]bool // orders whose payment was acknowledged
	used   int64           // bytes that were acknowledged and must be settled by now
	due    []owed          // records on their way that need not be
	books  shadow
	sent   []usage.Record  // the last ones, to be sent again
	known  map[string]bool // ids of records that were acknowledged
	n      int             // of records made
}

// owed is what a record that was acknowledged will come to.
type owed struct {
	from  time.Time // when it could be settled: it has ended and is there
	value int64
}

const (
	ecs    = "hws.service.type.ec2"
	region = "ap-southeast-1"

	ofNobody = "obs.of.nobody" // no product
)

// act does one thing that people do.
func (w *world) act(c *customer) error {
	held, err := w.resources(c)
	if err != nil {
		return err
	}
	switch n := c.rng.IntN(100); {
	case n < 18 || len(held) == 0 && n < 50:
		return w.buy(c)
	case n < 26:
		return w.settleUnpaid(c)
	case n < 36:
		return w.topUp(c, money.Amount(5+c.rng.IntN(200))*dollar)
	case n < 40:
		return w.withdraw(c)
	case len(held) == 0:
		return nil
	}
	r := held[c.rng.IntN(len(held))]
	switch n := c.rng.IntN(60); {
	case n < 20:
		_, err = w.do(c.caller, "RenewalResources", func(call *operation.Call) error {
			out, err := w.house.Counter.RenewResources(w.ctx, call, []string{r.ID}, int32(2), 1+n%3, n%2 == 0)
			if err == nil && n%2 == 1 {
				c.unpaid = append(c.unpaid, out.Orders...)
			}
			return err
		})
	case n < 34:
		times := []*int{nil, new(0), new(1), new(3)}[n%4]
		_, err = w.do(c.caller, "AutoRenewalResources", func(call *operation.Call) error {
			return w.house.Counter.SetAutoRenewal(w.ctx, call, r.ID, times, period.None)
		})
	case n < 38:
		_, err = w.do(c.caller, "CancelAutoRenewalResources", func(call *operation.Call) error {
			return w.house.Counter.CancelAutoRenewal(w.ctx, call, r.ID)
		})
	case n < 45:
		_, err = w.do(c.caller, "CancelResourcesSubscription", func(call *operation.Call) error {
			_, err := w.house.Counter.Unsubscribe(w.ctx, call, []string{r.ID}, n%3 == 0, "simulated")
			return err
		})
	case n < 50:
		if w.Yearly {
			return nil
		}
		_, err = w.do(c.caller, "UpdatePeriodToOnDemand", func(call *operation.Call) error {
			_, err := w.house.Counter.ToOnDemand(w.ctx, call, []string{r.ID}, n%4 == 0)
			return err
		})
	case n < 54:
		_, err = w.do(c.caller, "SetResourcesRenewConfig", func(call *operation.Call) error {
			return w.house.Counter.SetRenewConfig(w.ctx, call, "EXPIRE_DATE", []string{"1", "15", "28", "-1"}[n%4])
		})
	default:
		spec := []string{"s3.small.1.linux", "s3.medium.2.linux", "s3.large.2.linux", "s3.xlarge.2.linux"}[n%4]
		_, err = w.do(c.caller, "ChangeResource", func(call *operation.Call) error {
			out, err := w.house.Counter.ChangeResource(w.ctx, call, r.ID, spec, rating.Size{}, true)
			if err == nil && out.Order.Status == order.Unpaid {
				c.unpaid = append(c.unpaid, out.Order.ID)
			}
			return err
		})
	}
	return err
}

// resources are the servers that a customer uses.
func (w *world) resources(c *customer) ([]subscription.Resource, error) {
	page, err := w.house.Counter.ListResources(w.ctx, w.call(c.caller, "ListPayPerUseCustomerResources"), "", subscription.Query{
		OnlyMain: true, Statuses: []subscription.Status{subscription.InUse, subscription.Expired},
	}, 0, 50)
	return page.Resources, err
}

func (w *world) buy(c *customer) error {
	spec := []string{"s3.small.1.linux", "s3.medium.2.linux", "s3.medium.4.win", "s3.large.2.linux"}[c.rng.IntN(4)]
	item := order.Item{Name: fmt.Sprintf("server-%d", w.requests), Wanted: catalog.Wanted{
		ID: "1", Service: ecs, ResourceType: "hws.resource.type.vm", Spec: spec, Region: region, Num: 1 + int32(c.rng.IntN(2)), PeriodType: 2, Periods: 1 + int32(c.rng.IntN(3)),
	}}
	if c.rng.IntN(8) == 0 {
		item.PeriodType, item.Periods = 3, 1
	}
	if c.rng.IntN(2) == 0 {
		item.Attached = []order.Item{{Name: "disk", Wanted: catalog.Wanted{
			ID: "2", Service: "hws.service.type.ebs", ResourceType: "hws.resource.type.volume", Spec: "SAS", Region: region, Num: 1,
			Size: rating.Size{Value: money.DecimalOf(int64(10 + 10*c.rng.IntN(20))), Unit: 17},
		}}}
	}
	auto := c.rng.IntN(3) > 0
	policy := subscription.Policy(0)
	if c.rng.IntN(3) == 0 {
		policy = subscription.AutoRenew
	}
	_, err := w.do(c.caller, "PlaceOrder", func(call *operation.Call) error {
		placed, err := w.house.Counter.PlaceOrder(w.ctx, call, &operation.NewOrder{AutoPay: auto, Draft: order.Draft{Items: []order.Item{item}, Policy: policy}})
		if err != nil {
			return err
		}
		if placed.Order.Status == order.Unpaid {
			c.unpaid = append(c.unpaid, placed.Order.ID)
		} else {
			c.pay(placed.Order.ID)
		}
		return nil
	})
	return err
}

func (c *customer) pay(id string) {
	if c.paid == nil {
		c.paid = map[string]bool{}
	}
	c.paid[id] = true
}

// settleUnpaid pays or cancels one of the orders that wait.
func (w *world) settleUnpaid(c *customer) error {
	if len(c.unpaid) == 0 {
		return nil
	}
	i := c.rng.IntN(len(c.unpaid))
	id := c.unpaid[i]
	if c.rng.IntN(3) == 0 {
		why, err := w.do(c.caller, "CancelCustomerOrder", func(call *operation.Call) error { return w.house.Counter.CancelOrder(w.ctx, call, id) })
		if err == nil && why == nil {
			c.unpaid = slices.Delete(c.unpaid, i, i+1)
		}
		return err
	}
	why, err := w.do(c.caller, "PayOrders", func(call *operation.Call) error {
		return w.house.Counter.PayOrder(w.ctx, call, id, order.Means{Best: true})
	})
	if err != nil {
		return err
	}
	if why == nil {
		c.pay(id)
	}
	if why == nil || why.Code != "CBC.99005003" {
		c.unpaid = slices.Delete(c.unpaid, i, i+1)
	}
	return nil
}

func (w *world) topUp(c *customer, amount money.Amount) error {
	reference := fmt.Sprintf("wire-%d", w.requests)
	why, err := w.do(w.operator, "TopUpCustomer", func(call *operation.Call) error {
		_, err := w.house.Counter.TopUp(w.ctx, call, operation.Movement{Customer: c.id, Amount: amount, Reference: reference})
		return err
	})
	if err == nil && why == nil {
		c.paidIn += amount
	}
	return err
}

func (w *world) withdraw(c *customer) error {
	amount := money.Amount(1+c.rng.IntN(40)) * dollar
	reference := fmt.Sprintf("back-%d", w.requests)
	why, err := w.do(w.operator, "WithdrawFromCustomer", func(call *operation.Call) error {
		_, err := w.house.Counter.Withdraw(w.ctx, call, operation.Movement{Customer: c.id, Amount: amount, Reference: reference})
		return err
	})
	if err == nil && why == nil {
		c.paidIn -= amount
	}
	return err
}

// operate is what the operator does on some days: coupons, discounts, new prices.
func (w *world) operate(n int) error {
	if n%7 == 3 {
		c := w.people[w.rng.IntN(len(w.people))]
		_, err := w.do(w.operator, "IssueCoupons", func(call *operation.Call) error {
			_, err := w.house.Counter.IssueCoupons(w.ctx, call, []string{c.id}, coupon.Coupon{
				Version: int32(1 + n%2), Face: money.Amount(5+n%30) * dollar, Plan: "simulated", PlanName: "simulated", Effective: w.now.UTC(), Expires: w.now.UTC().AddDate(0, 0, 40),
			}, false)
			return err
		})
		if err != nil {
			return err
		}
	}
	if n%45 == 20 {
		if err := w.reprice(n); err != nil {
			return err
		}
	}
	if n%30 == 10 {
		c := w.people[w.rng.IntN(len(w.people))]
		value, err := money.ParseDecimal([]string{"0.9", "0.85", "0.777"}[n/30%3])
		if err != nil {
			return err
		}
		_, err = w.do(w.operator, "GrantDiscount", func(call *operation.Call) error {
			_, err := w.house.Counter.GrantDiscount(w.ctx, call, discount.Grant{
				Customer: c.id, Name: "simulated", Kind: rating.Commercial, Value: value, Effective: w.now.UTC(), Expires: w.now.UTC().AddDate(0, 0, 50),
			})
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// reprice makes a server dearer or cheaper from two days on.
func (w *world) reprice(n int) error {
	changed := *w.content
	changed.Products = slices.Clone(changed.Products)
	for i := range changed.Products {
		p := &changed.Products[i]
		if p.Service != ecs || p.Spec != "s3.small.1.linux" {
			continue
		}
		next := p.Prices[len(p.Prices)-1]
		next.From = w.now.UTC().AddDate(0, 0, 2).Truncate(time.Hour)
		next.Terms = slices.Clone(next.Terms)
		for k := range next.Terms {
			next.Terms[k].UnitPrice += money.UnitPrice(n%3-1) * 100_000_000
		}
		p.Prices = append(slices.Clone(p.Prices), next)
	}
	_, err := w.do(w.operator, "ImportCatalogue", func(call *operation.Call) error {
		_, err := w.house.Counter.ImportCatalogue(w.ctx, call, func() (*catalog.Content, error) { return &changed, nil }, false, false)
		return err
	})
	w.Prices++
	w.content = &changed
	return err
}

// meter sends what everybody used on a day: some of it late, some twice, some of it wrong.
func (w *world) meter(start time.Time) error {
	var batch []usage.Record
	var of []*customer
	add := func(c *customer, r usage.Record) { batch, of = append(batch, r), append(of, c) }
	for _, c := range w.people {
		day := start
		if c.rng.IntN(10) == 0 {
			day = day.AddDate(0, 0, -c.rng.IntN(20)) // late
		}
		c.n++
		r := usage.Record{
			Source: "meter", ID: fmt.Sprintf("%d-%d", c.no, c.n), Customer: c.id, Resource: "bucket-" + c.id[:8], Factor: "upflow",
			Described: usage.Described{Service: "hws.service.type.obs", ResourceType: "hws.resource.type.obs", Spec: "obs.standard.single", Region: region},
			Value:     money.DecimalOf(int64(c.rng.IntN(1 << 30))), Unit: 13, Start: day.Add(10 * time.Hour).UTC(), End: day.Add(11 * time.Hour).UTC(),
		}
		if c.rng.IntN(50) == 0 {
			r.Spec = ofNobody
		}
		if len(c.sent) > 0 && c.rng.IntN(8) == 0 {
			add(c, c.sent[c.rng.IntN(len(c.sent))]) // again
		}
		add(c, r)
	}
	w.rng.Shuffle(len(batch), func(i, j int) { batch[i], batch[j] = batch[j], batch[i]; of[i], of[j] = of[j], of[i] })
	var out []usage.Outcome
	_, err := w.do(w.operator, "AcceptUsage", func(call *operation.Call) (err error) {
		out, err = w.house.Counter.AcceptUsage(w.ctx, call, batch)
		return err
	})
	if err != nil {
		return err
	}
	for i, o := range out {
		c, r := of[i], batch[i]
		known := c.known[r.ID]
		switch {
		case o.Verdict == usage.Refused:
			return fmt.Errorf("record %s of %s was refused: %v", r.ID, c.caller.DomainName, o.Why)
		case known && o.Verdict != usage.Duplicate:
			return fmt.Errorf("record %s of %s was sent again and is no duplicate: %v", r.ID, c.caller.DomainName, o.Verdict)
		case known, o.Verdict == usage.Quarantined, r.Spec == ofNobody: // kept aside
			continue
		}
		// New, or a duplicate of itself: its first answer was lost.
		value, _ := r.Value.Int64()
		from := r.End
		if w.now.After(from) {
			from = w.now
		}
		c.due = append(c.due, owed{from, value})
		w.Records++
		c.known[r.ID] = true
		if c.sent = append(c.sent, r); len(c.sent) > 30 {
			c.sent = c.sent[1:]
		}
	}
	return nil
}

// courier delivers what the outbox holds; now and then it dies with what it has leased.
func (w *world) courier() error {
	for {
		list, err := w.house.Counter.LeaseDeliveries(w.ctx, w.now.UTC(), 200)
		if err != nil || len(list) == 0 {
			return err
		}
		if w.breaker.armed && w.rng.IntN(10) == 0 {
			return nil // what it holds is leased again when its lease has ended
		}
		for i := range list {
			if err := w.house.Counter.SettleDelivery(w.ctx, w.now.UTC(), &list[i], true, "200"); err != nil {
				return err
			}
			w.heard[list[i].Message] = w.now
			w.Delivered++
		}
	}
}

package operation

import (
	"context"
	"slices"
	"strings"

	"github.com/purser-cloud/purser/internal/account"
	"github.com/purser-cloud/purser/internal/catalog"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/ident"
	"github.com/purser-cloud/purser/internal/identity"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/order"
	"github.com/purser-cloud/purser/internal/project"
	"github.com/purser-cloud/purser/internal/subscription"
)

// DefaultProject is the enterprise project that every account has.
const DefaultProject = project.Default

// orders is the desk of orders for who sees what the scope says.
func (c *Counter) orders(scope identity.Scope) *order.Desk {
	if scope.AllProjects {
		return c.Orders
	}
	return c.Orders.Within(scope.Sees)
}

// NewOrder is an order that is to be placed.
type NewOrder struct {
	Customer string // empty: the caller's own; another one's waits for that customer's confirmation
	order.Draft
	AutoPay bool
}

// Placed is an order that was placed, and how its automatic payment ended.
type Placed struct {
	Order   order.Order
	Lines   []order.Line
	Refused *fault.Fault // of the automatic payment: the order waits to be paid by hand
}

// PlaceOrder places an order and, when asked to, pays it at once with the best discount and coupon. A payment that is
// refused leaves the order to be paid by hand (billing-rules 1.3). The customer's own, or on behalf of a customer by
// the operator or its partner: that waits for confirmation and is never paid at once.
func (c *Counter) PlaceOrder(ctx context.Context, call *Call, in *NewOrder) (Placed, error) {
	out, err := write(ctx, c, call, func(tx *db.Tx, scope identity.Scope) (Placed, error) {
		return c.place(ctx, tx, call, scope, in)
	})
	c.told()
	return out, err
}

func (c *Counter) place(ctx context.Context, tx *db.Tx, call *Call, scope identity.Scope, in *NewOrder) (out Placed, err error) {
	draft := in.Draft
	draft.Source, draft.User = order.ByCustomer, call.Caller.UserName
	if in.Customer != "" && in.Customer != scope.Customer {
		if err := seesCustomer(ctx, tx, scope, in.Customer); err != nil {
			return out, err
		}
		draft.Source, draft.Confirm = order.ByProxy, true
	} else {
		in.Customer = scope.Customer
	}
	if draft.Customer, err = account.Find(ctx, tx, in.Customer); err != nil {
		return out, err
	}
	if draft.CloudProject, err = c.projectOf(ctx, tx, in.Customer, draft.CloudProject); err != nil {
		return out, err
	}
	if draft.Project, err = takes(ctx, tx, scope, in.Customer, draft.Project); err != nil {
		return out, err
	}
	if out.Order, out.Lines, err = c.Orders.Place(ctx, tx, &draft); err != nil {
		return out, err
	}
	call.About(out.Order.ID, "")
	call.In(out.Order.Project)
	if !in.AutoPay || out.Order.Status != order.Unpaid {
		return out, nil
	}
	paid, err := c.pay(ctx, tx, scope, draft.Customer.ID, out.Order.ID, order.Means{Best: true, Coupon: draft.Coupon})
	if refused, ok := fault.As(err); ok { // decided before anything was written
		out.Refused = refused
		return out, nil
	}
	if err == nil {
		out.Order = paid
		_, out.Lines, err = order.Lines(ctx, tx, &paid, 0, 0)
	}
	return out, err
}

// projectOf checks a project of the regions; none is taken as it is.
func (c *Counter) projectOf(ctx context.Context, r db.Reader, customer, project string) (string, error) {
	if project == "" {
		return "", nil
	}
	return project, c.ownProject(ctx, r, identity.Scope{Customer: customer}, project)
}

// pay pays an order of a customer, from its own books or those of the master that pays for it.
func (c *Counter) pay(ctx context.Context, tx *db.Tx, scope identity.Scope, customer, id string, m order.Means) (order.Order, error) {
	who, err := account.Find(ctx, tx, customer)
	if err != nil {
		return order.Order{}, err
	}
	payer, err := c.payer(ctx, tx, &who)
	if err != nil {
		return order.Order{}, err
	}
	m.AnyCoupon = payer.ID != customer // a master's coupons apply by themselves (billing-rules 1.3)
	paid, err := c.orders(scope).Pay(ctx, tx, &who, payer, id, m)
	if err != nil {
		return paid, err
	}
	return paid, c.alert(ctx, tx, payer)
}

// payer is whose money pays for a customer: its own, or that of the master it is a member of under unified accounting.
func (c *Counter) payer(ctx context.Context, r db.Reader, who *account.Customer) (*account.Customer, error) {
	id, err := account.PayerOf(ctx, r, who.ID)
	if err != nil || id == who.ID {
		return who, err
	}
	master, err := account.Find(ctx, r, id)
	return &master, err
}

// PayOrder pays an order of the caller's; see order.Desk.Pay for the faults and their order.
func (c *Counter) PayOrder(ctx context.Context, call *Call, id string, m order.Means) error {
	call.About(id, "")
	_, err := write(ctx, c, call, func(tx *db.Tx, scope identity.Scope) (order.Order, error) {
		o, err := c.pay(ctx, tx, scope, scope.Customer, id, m)
		call.In(o.Project)
		return o, err
	})
	c.told()
	return err
}

// CancelOrder cancels an unpaid order of the caller's.
func (c *Counter) CancelOrder(ctx context.Context, call *Call, id string) error {
	call.About(id, "")
	_, err := write(ctx, c, call, func(tx *db.Tx, scope identity.Scope) (order.Order, error) {
		o, err := c.orders(scope).Cancel(ctx, tx, scope.Customer, id)
		call.In(o.Project)
		return o, err
	})
	c.told()
	return err
}

// OrderPage is a page of orders with the names that go with their codes.
type OrderPage struct {
	Total    int
	Orders   []order.Order
	Shelf    *catalog.Snapshot
	Projects ProjectNames
}

// ListOrders pages through orders: the caller's own, or those of a customer that it may see. With a payer it is those
// of a member that the caller paid for.
func (c *Counter) ListOrders(ctx context.Context, call *Call, customer string, paidForMember bool, q order.Query, offset, limit int) (out OrderPage, err error) {
	err = c.read(ctx, call, func(v *db.View, scope identity.Scope) error {
		if out.Shelf, err = c.Catalogue.At(ctx, v); err != nil {
			return err
		}
		q.Service = out.Shelf.ServiceCode(q.Service)
		if customer == "" || customer == scope.Customer {
			customer = scope.Customer
		} else if paidForMember && scope.AllProjects {
			q.Payer = scope.Customer // rows of its own money only, whoever the customer is
		} else if err := seesCustomer(ctx, v, scope, customer); err != nil {
			return refuseForeign(customer)
		}
		q.Within = scope.Within()
		if out.Total, out.Orders, err = order.List(ctx, v, customer, &q, offset, limit); err != nil {
			return err
		}
		out.Projects, err = projectNames(ctx, v, customer)
		return err
	})
	return out, err
}

// refuseForeign is the refusal of another's customer on the BSS surface; it does not tell whether there is one.
func refuseForeign(customer string) error {
	return fault.New(fault.Forbidden, "CBC.0151", "access denied: customer %s is not one that you may see", customer)
}

// OrderDetails is an order with a page of its lines.
type OrderDetails struct {
	order.Order
	Total    int
	Lines    []order.Line
	Shelf    *catalog.Snapshot
	Projects ProjectNames
}

// ShowOrder reads an order of the caller's, or of any customer for the operator, with a page of its lines.
func (c *Counter) ShowOrder(ctx context.Context, call *Call, customer, id string, offset, limit int) (out OrderDetails, err error) {
	err = c.read(ctx, call, func(v *db.View, scope identity.Scope) error {
		if customer == "" {
			customer = scope.Customer
		} else if err := seesCustomer(ctx, v, scope, customer); err != nil {
			return err
		}
		if out.Shelf, err = c.Catalogue.At(ctx, v); err != nil {
			return err
		}
		if out.Order, err = c.orders(scope).Find(ctx, v, customer, id); err != nil {
			return err
		}
		if out.Projects, err = projectNames(ctx, v, customer); err != nil {
			return err
		}
		out.Total, out.Lines, err = order.Lines(ctx, v, &out.Order, offset, limit)
		return err
	})
	return out, err
}

// OrderOffers is an order with the discounts that it can be paid with.
type OrderOffers struct {
	OrderDetails
	Offers []order.Offer
	Hidden bool // the caller may not see discounts
}

// ListOrderDiscounts lists the discounts that an unpaid order can be paid with; an order in another status has none.
func (c *Counter) ListOrderDiscounts(ctx context.Context, call *Call, id string) (out OrderOffers, err error) {
	err = c.read(ctx, call, func(v *db.View, scope identity.Scope) error {
		if out.Order, err = c.orders(scope).Find(ctx, v, scope.Customer, id); err != nil {
			return err
		}
		if out.Total, out.Lines, err = order.Lines(ctx, v, &out.Order, 0, 0); err != nil {
			return err
		}
		if out.Hidden = scope.DiscountsHidden; out.Hidden || out.Order.Status != order.Unpaid {
			return nil
		}
		out.Offers, err = c.Orders.Offers(ctx, v, &out.Order, out.Lines)
		return err
	})
	return out, err
}

// OrderCoupons is what an unpaid order comes to with a discount, and what each coupon would bring to it.
type OrderCoupons struct {
	Coupons []order.CouponOffer
	Used    *order.Offer // nil: no discount
	Due     money.Amount // with the discount, without tax
}

// ListOrderCoupons works out what each coupon of who pays would bring to an unpaid order; discount as order.Desk.Coupons has it. An
// order in another status has none.
func (c *Counter) ListOrderCoupons(ctx context.Context, call *Call, id, discount string) (out OrderCoupons, err error) {
	err = c.read(ctx, call, func(v *db.View, scope identity.Scope) error {
		o, err := c.orders(scope).Find(ctx, v, scope.Customer, id)
		if err != nil {
			return err
		}
		_, lines, err := order.Lines(ctx, v, &o, 0, 0)
		if err != nil {
			return err
		}
		if o.Status != order.Unpaid {
			return nil
		}
		var offers []order.Offer
		if !scope.DiscountsHidden {
			if offers, err = c.Orders.Offers(ctx, v, &o, lines); err != nil {
				return err
			}
		}
		who, err := account.Find(ctx, v, scope.Customer)
		if err != nil {
			return err
		}
		payer, err := c.payer(ctx, v, &who)
		if err != nil {
			return err
		}
		out.Coupons, out.Used, out.Due, err = c.Orders.Coupons(ctx, v, &o, lines, offers, payer.ID, discount)
		return err
	})
	return out, err
}

// RefundPage is what a refund is made of.
type RefundPage struct {
	Rows  []order.RefundRow
	Shelf *catalog.Snapshot
}

// ShowRefund lists what an unsubscription of the caller's, or of a customer that it may see, is made of.
func (c *Counter) ShowRefund(ctx context.Context, call *Call, customer, id string) (out RefundPage, err error) {
	err = c.read(ctx, call, func(v *db.View, scope identity.Scope) error {
		if customer == "" {
			customer = scope.Customer
		} else if seesCustomer(ctx, v, scope, customer) != nil {
			return refuseForeign(customer)
		}
		if out.Shelf, err = c.Catalogue.At(ctx, v); err != nil {
			return err
		}
		out.Rows, err = c.orders(scope).Refunds(ctx, v, customer, id)
		return err
	})
	return out, err
}

// Unsubscribe ends primary resources with what is attached to them, or only their renewals that have not begun; an order for
// each. Attached ones may be named beside their primary. A resource for which it cannot be done is named among the failed ones,
// the others go on; when none can, the first refusal is the answer. Parked books refuse all of them.
func (c *Counter) Unsubscribe(ctx context.Context, call *Call, resources []string, onlyRenewals bool, reason string) (OrdersMade, error) {
	call.About(strings.Join(resources, ","), "")
	out, err := write(ctx, c, call, func(tx *db.Tx, scope identity.Scope) (out OrdersMade, err error) {
		if err := distinctIDs(resources, "CBC.0100"); err != nil {
			return out, err
		}
		who, err := account.Find(ctx, tx, scope.Customer)
		if err != nil {
			return out, err
		}
		desk := c.orders(scope)
		end := desk.End
		if onlyRenewals {
			end = desk.EndRenewals
		}
		for _, id := range resources {
			if along, err := goesAlong(ctx, tx, desk, scope.Customer, id, resources); along || err != nil {
				if err != nil {
					return out, err
				}
				continue
			}
			o, err := end(ctx, tx, &who, id, call.Caller.UserName, reason)
			if why, ok := fault.As(err); ok && why.Kind == fault.Invalid { // refused before anything was written
				out.Failed = append(out.Failed, order.FailedResource{Resource: id, Why: why})
				continue
			}
			if err != nil {
				return out, err
			}
			out.Orders = append(out.Orders, o.ID)
			call.In(o.Project)
		}
		if len(out.Orders) == 0 {
			return out, out.Failed[0].Why
		}
		return out, nil
	})
	c.told()
	return out, err
}

// goesAlong says whether a resource is attached to one that is named too: it goes with that one (api.md 6.3).
func goesAlong(ctx context.Context, r db.Reader, desk *order.Desk, customer, id string, named []string) (bool, error) {
	one, err := desk.Resource(ctx, r, customer, id)
	if err == nil && one.Parent != "" {
		one, err = subscription.Instance(ctx, r, customer, one.Parent)
		return err == nil && slices.Contains(named, one.ID), err
	}
	if _, unknown := fault.As(err); unknown {
		err = nil
	}
	return false, err
}

// ResourcePage is a page of resources with the names that go with their codes.
type ResourcePage struct {
	Total     int
	Resources []subscription.Resource
	Parents   map[string]string // cloud ids of primary resources by instance
	Shelf     *catalog.Snapshot
	Projects  ProjectNames
}

// ListResources pages through yearly/monthly resources of the caller's, or of a customer that it may see.
func (c *Counter) ListResources(ctx context.Context, call *Call, customer string, q subscription.Query, offset, limit int) (out ResourcePage, err error) {
	err = c.read(ctx, call, func(v *db.View, scope identity.Scope) error {
		if customer == "" {
			customer = scope.Customer
		} else if seesCustomer(ctx, v, scope, customer) != nil {
			return refuseForeign(customer)
		}
		if out.Shelf, err = c.Catalogue.At(ctx, v); err != nil {
			return err
		}
		q.Service = out.Shelf.ServiceCode(q.Service)
		if out.Projects, err = projectNames(ctx, v, customer); err != nil {
			return err
		}
		q.Within = scope.Within()
		if out.Total, out.Resources, err = subscription.List(ctx, v, customer, &q, offset, limit); err != nil {
			return err
		}
		out.Parents, err = subscription.ParentsOf(ctx, v, out.Resources)
		return err
	})
	return out, err
}

// NewCombined is several orders that are bought together.
type NewCombined struct{ Orders []NewOrder }

// combinedMost is how many orders are placed or paid together (billing-rules 1.2).
const combinedMost = 30

// PlaceCombined places several orders as one combined purchase: they are paid, or cancelled, together.
func (c *Counter) PlaceCombined(ctx context.Context, call *Call, in *NewCombined) (trade string, out []Placed, err error) {
	type answer struct {
		Trade string
		List  []Placed
	}
	if len(in.Orders) < 2 || len(in.Orders) > combinedMost {
		return "", nil, fault.New(fault.Invalid, "CBC.0100", "orders: 2 to %d", combinedMost)
	}
	got, err := write(ctx, c, call, func(tx *db.Tx, scope identity.Scope) (a answer, err error) {
		id, err := ident.NewTradeID(c.Random, tx.Now)
		if err != nil {
			return a, err
		}
		a.Trade = string(id)
		for i := range in.Orders {
			one := in.Orders[i]
			one.Trade, one.AutoPay = a.Trade, false
			if one.Customer != "" && one.Customer != scope.Customer {
				return a, fault.New(fault.Invalid, "CBC.0100", "orders[%d].customer_id: a combined purchase is the caller's own", i)
			}
			placed, err := c.place(ctx, tx, call, scope, &one)
			if err != nil {
				return a, err
			}
			a.List = append(a.List, placed)
		}
		call.About(a.Trade, "")
		return a, nil
	})
	return got.Trade, got.List, err
}

// PayLine is one order of a payment of several.
type PayLine struct {
	Order string
	order.Means
}

// PayResult is what became of one order of a payment of several.
type PayResult struct {
	Order   string
	Paid    money.Amount // with tax, less coupon
	Refused *fault.Fault // it was left as it is
}

// PayTogether pays up to 30 orders in one go, or a whole combined purchase. Orders whose status has changed are skipped and
// named (billing-rules 1.2); any other refusal refuses all, and nothing is paid.
func (c *Counter) PayTogether(ctx context.Context, call *Call, trade string, lines []PayLine, best bool) ([]PayResult, error) {
	call.About(trade, "")
	out, err := write(ctx, c, call, func(tx *db.Tx, scope identity.Scope) ([]PayResult, error) {
		lines := lines
		if trade != "" {
			list, err := c.orders(scope).Trade(ctx, tx, scope.Customer, trade)
			if err != nil {
				return nil, err
			}
			if lines, err = ofTrade(list, lines); err != nil {
				return nil, err
			}
		}
		if len(lines) > combinedMost {
			return nil, fault.New(fault.Invalid, "CBC.0100", "orders: at most %d", combinedMost)
		}
		out := make([]PayResult, 0, len(lines))
		for i := range lines {
			m := lines[i].Means
			m.Combined, m.Best = trade != "", best
			paid, err := c.pay(ctx, tx, scope, scope.Customer, lines[i].Order, m)
			refused, _ := fault.As(err)
			switch {
			case err == nil:
				out = append(out, PayResult{Order: paid.ID, Paid: paid.Amount + paid.Tax - paid.Paid.Coupon})
			case trade == "" && (fault.Is(err, "CBC.99003106") || fault.Is(err, "CBC.99003110")):
				out = append(out, PayResult{Order: lines[i].Order, Refused: refused})
			case refused != nil:
				f := *refused
				f.Message = "order " + lines[i].Order + ": " + f.Message
				return nil, &f
			default:
				return nil, err
			}
		}
		return out, nil
	})
	c.told()
	return out, err
}

// ofTrade makes the payment's lines those of the combined purchase, with the means that were given for any of them.
func ofTrade(list []order.Order, given []PayLine) ([]PayLine, error) {
	byID := map[string]order.Means{}
	for _, line := range given {
		byID[strings.ToUpper(line.Order)] = line.Means
	}
	out := make([]PayLine, len(list))
	for i := range list {
		out[i] = PayLine{list[i].ID, byID[list[i].ID]}
		delete(byID, list[i].ID)
	}
	for id := range byID {
		return nil, fault.New(fault.Invalid, "CBC.30000010", "order %s is not of the combined purchase", id)
	}
	return out, nil
}

// CancelTogether cancels every order of a combined purchase.
func (c *Counter) CancelTogether(ctx context.Context, call *Call, trade string) error {
	call.About(trade, "")
	_, err := write(ctx, c, call, func(tx *db.Tx, scope identity.Scope) ([]order.Order, error) {
		return c.orders(scope).CancelTrade(ctx, tx, scope.Customer, trade)
	})
	c.told()
	return err
}

// Verdict is what the operator decides about an order.
type Verdict string

// The verdicts.
const (
	Approve Verdict = "approve" // 1 → 6, of an unsubscription 1 → 2 → 5
	Refuse  Verdict = "refuse"  // 1 → 4
	Confirm Verdict = "confirm" // 9 → 6
)

// JudgeOrder decides about an order that waits for approval or confirmation. The operator's.
func (c *Counter) JudgeOrder(ctx context.Context, call *Call, customer, id string, verdict Verdict, reason string) (order.Order, error) {
	call.About(id, "")
	call.Of(customer)
	out, err := write(ctx, c, call, func(tx *db.Tx, scope identity.Scope) (order.Order, error) {
		if err := operatorOnly(scope); err != nil {
			return order.Order{}, err
		}
		switch verdict {
		case Approve:
			return c.Orders.Approve(ctx, tx, customer, id)
		case Confirm:
			return c.Orders.Confirm(ctx, tx, customer, id)
		}
		return c.Orders.Refuse(ctx, tx, customer, id, reason)
	})
	c.told()
	return out, err
}

// Waiting lists orders of all customers that wait for the operator's verdict, the oldest first.
func (c *Counter) Waiting(ctx context.Context, call *Call, offset, limit int) (out OrderPage, err error) {
	err = c.read(ctx, call, func(v *db.View, scope identity.Scope) error {
		if err := operatorOnly(scope); err != nil {
			return err
		}
		if out.Shelf, err = c.Catalogue.At(ctx, v); err != nil {
			return err
		}
		out.Total, out.Orders, err = order.Waiting(ctx, v, offset, limit)
		return err
	})
	return out, err
}

// ReportProvisioning takes what an external provisioner says of an order's resources. The operator's.
func (c *Counter) ReportProvisioning(ctx context.Context, call *Call, customer, id string, outcomes []order.Outcome) (order.Order, error) {
	call.About(id, "")
	call.Of(customer)
	out, err := write(ctx, c, call, func(tx *db.Tx, scope identity.Scope) (order.Order, error) {
		if err := operatorOnly(scope); err != nil {
			return order.Order{}, err
		}
		o, err := c.Orders.Fulfil(ctx, tx, customer, id, outcomes)
		call.In(o.Project)
		return o, err
	})
	c.told()
	return out, err
}

// Package settlement turns usage into charges: a bucket (hour, day or month) of a customer at a time: packages first, then
// the price with its tiers, the discount, and the payment.
//
// It does not own records of usage (usage), what is left of packages (quota), prices (rating), nor how an amount is met
// (payment). It owns what became of each meter's bucket, the tier counters, and which customers are in arrears.
//
// Buckets of a customer are settled in the order of their ends, shorter ones first, and in a bucket meters by resource,
// factor and description: the place of a line. What it comes to follows from everything before its place, so that the same
// records come to the same, however they arrived. A bucket closes when its lateness window has passed; what comes later
// for a closed one makes everything that depends on it be worked out again from there (replay.go), and the difference is
// booked as corrections. Coupons and freezes are not replayed.
//
// Meanings of time: a bucket's start decides its prices, discounts and packages; its end and the lateness, when it is
// settled (business time of the customer).
//
// Invariants: a line is net of all corrections, and its fee records come to it; quantity = covered + priced; pools and tier
// counters are the sums of the lines; a settlement that is done again changes nothing.
package settlement

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/purser-cloud/purser/internal/account"
	"github.com/purser-cloud/purser/internal/catalog"
	"github.com/purser-cloud/purser/internal/charge"
	"github.com/purser-cloud/purser/internal/coupon"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/discount"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/ident"
	"github.com/purser-cloud/purser/internal/ledger"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/payment"
	"github.com/purser-cloud/purser/internal/period"
	"github.com/purser-cloud/purser/internal/quota"
	"github.com/purser-cloud/purser/internal/rating"
	"github.com/purser-cloud/purser/internal/usage"
)

// Rules are the settings of settlement.
type Rules struct {
	Lateness time.Duration   // after the end of a bucket until it is settled
	Ahead    time.Duration   // records further in the future of their customer are kept aside
	Oldest   int             // months: older records are kept aside; keys are known as long
	Life     Life            // of customers whose tier is not in Tiers
	Tiers    map[string]Life // by tier
}

// life is what a customer in arrears lives by.
func (r *Rules) life(c *account.Customer) Life {
	if life, ok := r.Tiers[c.Tier]; ok {
		return life
	}
	return r.Life
}

// Desk settles.
type Desk struct {
	Catalogue *catalog.Shelf
	Discounts *discount.Book
	Rules     Rules
	AtOnce    int // lines in one transaction, so that nobody waits long; 0: 500
	meters    usage.Meters
}

func (d *Desk) atOnce() int { return cmp.Or(d.AtOnce, 500) }

// ErrStale says that somebody else has settled for the customer meanwhile: plan again.
var ErrStale = errors.New("settlement: planned from what is no longer so")

// line is what becomes of a meter's bucket.
type line struct {
	usage.Bucket
	meter    *usage.Meter
	records  int64
	quantity int64
	first    time.Time
	last     time.Time

	product   *catalog.Product
	covered   int64
	takes     []taking
	official  money.Amount
	discount  money.Amount
	kind      rating.Kind // of the discount; 0: none
	unitPrice money.UnitPrice
	coupon    money.Amount // that paid for it; of a correction below zero: what a coupon need not have paid
	fee       string       // id of its fee record
	corrects  string       // of a correction: the first fee record that it corrects
}

// taking is what a line takes from a package.
type taking struct {
	quota.Source
	amount int64
}

// after says whether a line comes after another.
func (l *line) compare(o *line) int {
	switch {
	case l.After(o.Bucket):
		return 1
	case o.After(l.Bucket):
		return -1
	}
	return l.meter.Less(o.meter)
}

// Plan is what is to be settled of a customer's bucket, read beforehand: nobody waits for it.
type Plan struct {
	due     usage.Due
	version int64 // of the customer's settlement
	late    bool  // the bucket was settled before
	again   bool  // something of the bucket is left for a replay
	lines   []line
	next    int // line, or part of the replay, to go on with
	replay  *replay
	aside   *fault.Fault    // records that are not settled yet are kept aside
	only    *usage.Meter    // then: of this meter only; nil: of all
	settled map[int64]int64 // then: records of each meter that are settled
}

// Lines is how many lines the plan works out.
func (p *Plan) Lines() int { return len(p.lines) }

// Again says that something of the bucket is left for another plan.
func (p *Plan) Again() bool { return p.again }

// Plan reads what is due for a customer.
func (d *Desk) Plan(ctx context.Context, r db.Reader, due usage.Due) (*Plan, error) {
	state, err := stateOf(ctx, r, due.Customer)
	if err != nil {
		return nil, err
	}
	uses, err := usage.UsesOf(ctx, r, due.Customer, due.Bucket)
	if err != nil {
		return nil, err
	}
	return d.PlanFrom(ctx, r, state, due, uses)
}

// PlanFrom is Plan where it is known how far the customer is settled and what is in the bucket.
func (d *Desk) PlanFrom(ctx context.Context, r db.Reader, state State, due usage.Due, uses []usage.Use) (*Plan, error) {
	p := &Plan{due: due, version: state.version, late: state.Closed(&due)}
	settled, err := linesOf(ctx, r, due.Customer, due.Bucket)
	if err != nil {
		return nil, err
	}
	fresh := uses[:0]
	for _, u := range uses {
		if done, ok := settled[u.Meter]; !ok || done.records != u.Records {
			fresh = append(fresh, u)
		}
	}
	lines, err := d.linesFor(ctx, r, due, fresh)
	if err != nil {
		return nil, err
	}
	switch now, _ := r.Instant(); {
	case len(lines) == 0:
	case due.End.Before(now.AddDate(0, -d.Rules.Oldest, 0)):
		p.putAside(settled, fault.New(fault.Invalid, usage.TooLate, "the record is over %d months old", d.Rules.Oldest))
	case due.Start().After(now.Add(d.Rules.Ahead)):
		p.putAside(settled, fault.New(fault.Invalid, usage.TooEarly, "the record lies over %s in the future", d.Rules.Ahead))
	case p.late:
		p.replay, err = d.planReplay(ctx, r, due, lines, settled)
		var not *unpriceableError
		isLate := func(l line) bool { return l.meter == not.meter }
		if why, ok := fault.As(err); ok && errors.As(err, &not) && slices.ContainsFunc(lines, isLate) { // what is left is planned anew
			p.putAside(settled, why)
			p.only, p.again, err = not.meter, true, nil
		}
	case len(settled) > 0:
		err = p.join(ctx, r, d, lines, settled)
	default:
		p.lines = lines
	}
	return p, err
}

func (p *Plan) putAside(settled map[int64]settledLine, why *fault.Fault) {
	p.aside, p.settled = why, make(map[int64]int64, len(settled))
	for meter, l := range settled {
		p.settled[meter] = l.records
	}
}

// join plans a bucket of which some lines were settled before it was closed: what comes behind all of them goes on as ever,
// the rest is left for a replay.
func (p *Plan) join(ctx context.Context, r db.Reader, d *Desk, lines []line, settled map[int64]settledLine) error {
	numbers := make([]int64, 0, len(settled))
	for no := range settled {
		numbers = append(numbers, no)
	}
	meters, err := d.meters.Of(ctx, r, p.due.Customer, numbers)
	if err != nil {
		return err
	}
	var last *usage.Meter
	for _, m := range meters {
		if last == nil || last.Less(m) < 0 {
			last = m
		}
	}
	for i := range lines {
		if last.Less(lines[i].meter) < 0 {
			p.lines = append(p.lines, lines[i])
		} else {
			p.again = true
		}
	}
	return nil
}

// linesFor makes the lines of some uses of a bucket, in their order.
func (d *Desk) linesFor(ctx context.Context, r db.Reader, due usage.Due, uses []usage.Use) ([]line, error) {
	numbers := make([]int64, len(uses))
	for i := range uses {
		numbers[i] = uses[i].Meter
	}
	meters, err := d.meters.Of(ctx, r, due.Customer, numbers)
	if err != nil {
		return nil, err
	}
	lines := make([]line, len(uses))
	for i := range uses {
		u := &uses[i]
		if meters[u.Meter] == nil {
			return nil, fmt.Errorf("settlement: meter %d of customer %s is not there", u.Meter, due.Customer)
		}
		lines[i] = line{Bucket: due.Bucket, meter: meters[u.Meter], records: u.Records, quantity: u.Quantity, first: u.First, last: u.Last}
	}
	slices.SortFunc(lines, func(a, b line) int { return a.compare(&b) })
	return lines, nil
}

// Settle settles the next lines of a plan, and with the last of them closes the bucket; done says so. ids and instants
// follow from what is settled. Call Settled after the commit. ErrStale: plan again.
func (d *Desk) Settle(ctx context.Context, tx *db.Tx, sit *Sitting, p *Plan) (outcome Outcome, err error) {
	part := p.lines[min(len(p.lines), p.next):min(len(p.lines), p.next+d.atOnce())]
	outcome.lines = len(part)
	outcome.Done = p.next+len(part) == len(p.lines)
	var closed *usage.Bucket
	if outcome.Done && !p.late && p.aside == nil {
		closed = &p.due.Bucket
	}
	if err := advance(ctx, tx, p.due.Customer, p.version, closed); err != nil {
		return outcome, err
	}
	switch {
	case p.aside != nil:
		random := ident.Stream("aside", p.due.Customer, p.due.End.UTC().Format(time.RFC3339), fmt.Sprint(p.version))
		stays := func(meter, n int64) bool { return n <= p.settled[meter] || p.only != nil && meter != p.only.No }
		if _, err := usage.PutAside(ctx, tx, random, p.due.Customer, p.due.Bucket, stays, p.aside); err != nil {
			return outcome, err
		}
	case p.replay != nil:
		outcome.lines, outcome.Done = 1, p.next == len(p.replay.parts)-1
		sit.forget()
		outcome.Owed, err = d.correct(ctx, tx, sit, p)
	case len(part) > 0:
		outcome.Owed, err = d.charge(ctx, tx, sit, p, slices.Clone(part))
	}
	if err == nil && outcome.Done && !p.again {
		_, err = usage.Done(ctx, tx, &p.due)
	}
	return outcome, err
}

// Outcome is what a settlement came to.
type Outcome struct {
	Done  bool         // the bucket is closed
	Owed  money.Amount // what of it became debt
	lines int
}

// Settled moves a plan on after its transaction was committed.
func (p *Plan) Settled(o *Outcome) {
	p.version++
	p.next += o.lines
}

// charge works lines out, pays for them and records everything.
func (d *Desk) charge(ctx context.Context, tx *db.Tx, sit *Sitting, p *Plan, lines []line) (owed money.Amount, err error) {
	b, err := sit.open(ctx, d, tx, p.due.Bucket.Span())
	if err != nil {
		return 0, err
	}
	if lines, err = d.priced(ctx, tx, b, p, lines); err != nil || len(lines) == 0 {
		return 0, err
	}
	place := []string{"settlement", p.due.Customer, p.due.End.UTC().Format(time.RFC3339), p.due.Unit.String(), lines[0].text()}
	pay := paying{Sitting: sit, random: ident.Stream(place...), withCoupons: true}
	fees, err := pay.meet(ctx, tx, lines)
	if err != nil {
		return 0, err
	}
	for i := range fees {
		lines[i].fee, lines[i].coupon = fees[i].ID, fees[i].Parts.Coupon
		owed += fees[i].Parts.Debt
	}
	if err := insertLines(ctx, tx, p.due.Customer, lines); err != nil {
		return 0, err
	}
	return owed, b.keep(ctx, tx, pay.random, lines)
}

// priced works lines out and leaves out those that cannot be priced: their records are kept aside, and nobody waits for
// them.
func (d *Desk) priced(ctx context.Context, tx *db.Tx, b *book, p *Plan, lines []line) (out []line, err error) {
	out = lines[:0]
	for i := range lines {
		err := b.settle(ctx, &lines[i])
		if why, ok := fault.As(err); ok {
			no := lines[i].meter.No
			random := ident.Stream("aside", p.due.Customer, p.due.End.UTC().Format(time.RFC3339), p.due.Unit.String(), lines[i].text())
			_, err = usage.PutAside(ctx, tx, random, p.due.Customer, p.due.Bucket, func(meter, _ int64) bool { return meter != no }, why)
			if err != nil {
				return nil, err
			}
			continue
		}
		if err != nil {
			return nil, err
		}
		out = append(out, lines[i])
	}
	return out, nil
}

// text is the line's meter in words, for ids that follow from it.
func (l *line) text() string { return fmt.Sprint(l.meter.No) }

// paying meets lines and records their fees.
type paying struct {
	*Sitting
	random      io.Reader
	withCoupons bool // they may be used
}

// meet pays for lines in their order, posts what it comes to, and records a fee for each.
func (p *paying) meet(ctx context.Context, tx *db.Tx, lines []line) ([]charge.Fee, error) {
	dues, kinds := make([]payment.Due, len(lines)), make([]rating.Kind, len(lines))
	for i := range lines {
		l := &lines[i]
		dues[i] = payment.Due{
			Official: l.official, Amount: l.official - l.discount - l.coupon, Service: l.meter.Service, ResourceType: l.meter.ResourceType,
			Product: l.product.ID, Region: l.meter.Region, At: l.Start(),
		}
		kinds[i] = l.kind
	}
	held, coupons, err := p.purse(ctx, tx)
	if err != nil {
		return nil, err
	}
	if coupons = payment.ForUsage(coupon.UsableOf(coupons, "", tx.Now)); !p.withCoupons {
		coupons = nil
	}
	purse := payment.Purse{Held: *held, Limit: p.Payer.CreditLimit, Monthly: p.Payer.Settlement == account.Monthly}
	plan := payment.MeetUsage(&purse, dues, kinds, coupons)
	trade, err := ident.NewTradeID(p.random, tx.Now)
	if err != nil {
		return nil, err
	}
	for i, amount := range plan.Coupons {
		if amount > 0 {
			if err := coupon.Use(ctx, tx, &coupons[i], string(trade), amount); err != nil {
				return nil, err
			}
			p.used(&coupons[i])
		}
	}
	ids, err := ident.NewCharges(p.random, tx.Now)
	if err != nil {
		return nil, err
	}
	fees := make([]charge.Fee, len(lines))
	for i := range lines {
		plan.Parts[i].Coupon += lines[i].coupon
		fees[i] = p.fee(tx, &lines[i], string(ids.Next(tx.Now)), string(trade), plan.Parts[i])
	}
	return fees, p.post(ctx, tx, held, string(trade), plan.Parts, fees)
}

// post posts what was paid, by a payer who has been seen to hold so much, and records the fees.
func (p *paying) post(ctx context.Context, tx *db.Tx, held *ledger.Balances, trade string, parts []charge.Parts, fees []charge.Fee) error {
	if postings := payment.UsagePostings(parts); len(postings) > 0 {
		if err := ledger.PostFrom(ctx, tx, p.random, held, &ledger.Entry{Customer: p.Payer.ID, Cause: "usage", Reference: trade, Postings: postings}); err != nil {
			return err
		}
	}
	return charge.RecordAll(ctx, tx, fees)
}

// fee is the fee record of a line.
func (p *paying) fee(tx *db.Tx, l *line, id, trade string, parts charge.Parts) charge.Fee {
	return charge.Fee{
		Customer: p.Who.ID, ID: id, Bill: charge.Usage, Mode: charge.OnDemand, Trade: trade, Service: l.meter.Service, ResourceType: l.meter.ResourceType,
		Product: l.product.ID, Spec: l.meter.Spec, Region: l.meter.Region, Project: l.meter.Project, Payer: p.Payer.ID,
		Official: l.official, Discount: l.discount, Amount: l.official - l.discount, Parts: parts, Consumed: consumed(l), Traded: tx.Now,
		Resource: l.meter.Resource, UsageType: l.meter.Factor, Used: l.quantity, Covered: l.covered, Scale: l.meter.Scale, UsageUnit: l.meter.Unit,
		UnitPrice: l.unitPrice, Size: l.meter.Size, Corrects: l.corrects,
	}
}

// consumed is when a line's usage was, within its bucket, whose month it belongs to.
func consumed(l *line) period.Span {
	s := l.Span()
	if l.first.After(s.Start) {
		s.Start = l.first
	}
	if l.last.After(s.Start) && l.last.Before(s.End) {
		s.End = l.last
	}
	return s
}

// StateOf says how far a customer is settled.
func (d *Desk) StateOf(ctx context.Context, r db.Reader, customer string) (State, error) {
	return stateOf(ctx, r, customer)
}

// Late says whether a bucket on the agenda was closed before.
func (d *Desk) Late(ctx context.Context, r db.Reader, due *usage.Due) (bool, error) {
	state, err := stateOf(ctx, r, due.Customer)
	return state.Closed(due), err
}

// FollowChina sets the days of the provider's China site (billing-rules 2.2), by tier; who has none is as V0.
func (r *Rules) FollowChina() {
	days := func(grace, retention time.Duration) Life {
		return Life{grace * 24 * time.Hour, retention * 24 * time.Hour}
	}
	r.Tiers = map[string]Life{"V5": days(7, 15), "V4": days(7, 15), "V3": days(1, 7), "V2": days(0, 7), "V1": days(0, 7), "V0": days(0, 1)}
	r.Life = r.Tiers["V0"]
}

// StandardRules are those of a house that was told nothing else.
func StandardRules() Rules {
	const day = 24 * time.Hour
	return Rules{Lateness: time.Hour, Ahead: 31 * day, Oldest: 13, Life: Life{Grace: 15 * day, Retention: 15 * day}}
}

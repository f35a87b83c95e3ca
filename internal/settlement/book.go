package settlement

import (
	"context"
	"io"
	"time"

	"github.com/purser-cloud/purser/internal/catalog"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/period"
	"github.com/purser-cloud/purser/internal/quota"
	"github.com/purser-cloud/purser/internal/rating"
	"github.com/purser-cloud/purser/internal/usage"
)

// book is what lines of one customer are worked out from: its packages with what is used of them, its tier counters and
// its discounts. What it has not seen yet it reads.
type book struct {
	desk     *Desk
	customer string
	on       db.Reader
	shelf    *catalog.Snapshot
	packages []quota.Package
	used     map[quota.Pool]int64
	tiers    map[tier]int64
	ran      map[tier]int64 // those that something has run through since they were kept
	sources  map[quota.Wanted][]quota.Source
	offers   map[time.Time][]rating.Discount // by the start of a bucket

	otherwise *Otherwise // a month that is replayed under other terms, from its beginning; nil: what is so
}

// tier is a counter of what has run through the steps of a price in a window.
type tier struct {
	product string
	factor  string
	starts  time.Time
}

// open opens the book for usage within a span.
func (d *Desk) open(ctx context.Context, r db.Reader, customer string, span period.Span) (*book, error) {
	shelf, err := d.Catalogue.At(ctx, r)
	if err != nil {
		return nil, err
	}
	packages, err := quota.ForUsage(ctx, r, customer, span.Start, span.End)
	if err != nil {
		return nil, err
	}
	for i := range packages {
		if err := packages[i].Measure(shelf); err != nil {
			return nil, err
		}
	}
	return &book{
		desk: d, customer: customer, on: r, shelf: shelf, packages: packages, used: map[quota.Pool]int64{}, tiers: map[tier]int64{}, ran: map[tier]int64{},
		sources: map[quota.Wanted][]quota.Source{}, offers: map[time.Time][]rating.Discount{},
	}, nil
}

// wanted is a line as packages look at it.
func (l *line) wanted() quota.Wanted {
	m := l.meter
	return quota.Wanted{ResourceType: m.ResourceType, UsageType: m.Factor, Spec: m.Spec, Region: m.Region, Project: m.Project, At: l.Start()}
}

func (b *book) sourcesOf(w quota.Wanted) []quota.Source {
	list, ok := b.sources[w]
	if !ok {
		list = quota.Sources(b.packages, &w)
		b.sources[w] = list
	}
	return list
}

// settle works a line out, on top of all that came before it.
func (b *book) settle(ctx context.Context, l *line) error {
	rest := l.quantity
	l.takes = nil
	for _, source := range b.sourcesOf(l.wanted()) {
		used, err := b.usedOf(ctx, source.Pool)
		if err != nil {
			return err
		}
		if take := min(rest, source.Item.Whole-used); take > 0 {
			b.used[source.Pool] = used + take
			l.takes = append(l.takes, taking{source, take})
			rest -= take
		}
	}
	l.covered = l.quantity - rest
	err := b.price(ctx, l, rest)
	if err != nil { // what cannot be priced takes nothing
		for _, t := range l.takes {
			b.used[t.Pool] -= t.amount
		}
		l.takes, l.covered = nil, 0
	}
	return err
}

func (b *book) usedOf(ctx context.Context, pool quota.Pool) (int64, error) {
	used, ok := b.used[pool]
	if !ok {
		var err error
		if used, err = quota.UsedOf(ctx, b.on, b.customer, pool); err != nil {
			return 0, err
		}
		b.used[pool] = used
	}
	return used, nil
}

// price prices what packages left of a line: amounts at 8 decimals, the discounted one from the cut official one.
func (b *book) price(ctx context.Context, l *line, rest int64) error {
	m := l.meter
	var price *rating.Price
	if product, ok := b.shelf.Product(m.Service, m.ResourceType, m.Region, m.Spec); ok {
		l.product = product
		price, _ = b.shelf.PriceAt(product, m.Factor, b.at(l.Start()))
	}
	if price == nil {
		return fault.New(fault.Invalid, usage.NoFactor, "settlement: %s of %s has no price at %s", m.Factor, m.Spec, l.Start())
	}
	use := rating.Use{Value: m.Decimal(rest), Unit: m.Unit, Size: m.Size, Num: 1}
	key, tiered := tierOf(price, l)
	already := int64(0)
	if tiered {
		var err error
		if already, err = b.alreadyOf(ctx, key); err != nil {
			return err
		}
		use.Already = m.Decimal(already)
	}
	rated, err := rating.Usage(price, b.shelf.Units(), &use)
	if err != nil {
		return catalog.PriceFault(nil, err)
	}
	if l.unitPrice = rated.UnitPrice; price.Tiers != nil {
		l.unitPrice = 0
	}
	if err := b.lower(ctx, l, rated.Amount); err != nil { // what cannot be priced runs through nothing
		return err
	}
	if tiered {
		b.tiers[key] = already + rest
		b.ran[key] = already + rest
	}
	return nil
}

// at is the instant at which prices are looked up.
func (b *book) at(own time.Time) time.Time {
	if b.otherwise == nil {
		return own
	}
	return b.otherwise.At(own)
}

// tierOf is the counter that a line runs through, where its price accumulates.
func tierOf(price *rating.Price, l *line) (tier, bool) {
	if !price.Accumulates() {
		return tier{}, false
	}
	window, ok := period.Window(l.Start(), price.Tiers.Accumulate)
	return tier{l.product.ID, l.meter.Factor, window.Start}, ok
}

func (b *book) alreadyOf(ctx context.Context, key tier) (int64, error) {
	already, ok := b.tiers[key]
	if !ok && b.otherwise == nil { // windows lie within a month: a replayed one begins with none
		var err error
		if already, err = readTier(ctx, b.on, b.customer, key); err != nil {
			return 0, err
		}
		b.tiers[key] = already
	}
	return already, nil
}

// atCharge is how finely usage is charged.
const atCharge = rating.Precision(money.AmountDecimals)

// lower applies the preferred discount. What comes to less than nothing, where a lower price reaches back over a volume,
// is lowered as its charge was.
func (b *book) lower(ctx context.Context, l *line, official money.Quoted) error {
	offers, err := b.offersAt(ctx, l.Start())
	if err != nil {
		return err
	}
	priced := []rating.Line{{
		Service: l.meter.Service, ResourceType: l.meter.ResourceType, Product: l.product.ID, Region: l.meter.Region, Charging: rating.OnDemand, Official: max(official, -official),
	}}
	l.official, l.discount, l.kind = money.CutCharge(official), 0, 0
	if len(offers) == 0 {
		return nil
	}
	quotes, _, err := rating.Offers(offers, priced, atCharge)
	if err != nil {
		return catalog.PriceFault(nil, err)
	}
	if best := rating.Preferred(quotes); best >= 0 {
		l.discount, l.kind = money.CutCharge(quotes[best].Quote.Discount), quotes[best].Discount.Kind
		if official < 0 {
			l.discount = -l.discount
		}
	}
	return nil
}

// offersAt are the discounts that usage is charged with at an instant: by ratio, of contracts and partners.
func (b *book) offersAt(ctx context.Context, at time.Time) ([]rating.Discount, error) {
	if b.otherwise != nil && b.otherwise.Replace {
		return b.otherwise.Discounts, nil
	}
	if list, ok := b.offers[at]; ok {
		return list, nil
	}
	grants, err := b.desk.Discounts.InForceAt(ctx, b.on, b.customer, at)
	if err != nil {
		return nil, err
	}
	var list []rating.Discount
	for i := range grants {
		if g := &grants[i]; g.Order == "" && g.Mode == rating.ByRatio && g.Kind != rating.Promotion {
			list = append(list, g.Offer())
		}
	}
	b.offers[at] = list
	return list, nil
}

// keep writes what lines took from packages and what has run through tiers.
func (b *book) keep(ctx context.Context, tx *db.Tx, random io.Reader, lines []line) error {
	var covers [][]any
	var taken []quota.Taken
	before := map[quota.Pool]int64{}
	for i := range lines {
		l := &lines[i]
		for _, t := range l.takes {
			covers = append(covers, coverRow(b.customer, l, t))
			taken = append(taken, quota.Taken{Source: t.Source, Amount: t.amount, Resource: l.meter.Resource, From: consumed(l).Start, To: consumed(l).End})
			before[t.Pool] += t.amount
		}
	}
	for pool, taken := range before {
		before[pool] = b.used[pool] - taken
	}
	if err := insertCovers(ctx, tx, covers); err != nil {
		return err
	}
	if err := quota.Take(ctx, tx, random, b.customer, taken, before); err != nil {
		return err
	}
	err := setTiers(ctx, tx, b.customer, b.ran)
	clear(b.ran)
	return err
}

package reference

import (
	"cmp"
	"math/big"
	"slices"
	"strings"
	"time"
)

// Settle is the whole of it: which records count (rule 1), by bucket and meter (rule 2), each of them covered by packages
// (3), priced (4), discounted (5) and paid (6), in one order for each customer. A record that came late is treated as
// if it had been in time.
func Settle(w *World) *Result {
	out := &Result{Rest: map[string]*Rest{}}
	uses, verdicts := w.receive()
	out.Verdicts = verdicts
	for _, c := range w.Customers {
		b := newBooks(w, c)
		for _, m := range metered(uses[c.ID]) {
			if w.Now.Before(m.Bucket.End.Add(w.Lateness)) {
				continue // not settled yet
			}
			fee := &Fee{Customer: c.ID, Meter: m.Meter, Bucket: m.Bucket, Unit: m.usage.Unit, Quantity: m.quantity}
			rest := b.cover(fee, m)
			fee.Official = b.price(fee, m, rest)
			fee.Amount = b.discounted(fee)
			fee.Discount = sub(fee.Official, fee.Amount)
			b.pay(fee, m)
			out.Fees = append(out.Fees, fee)
		}
		out.Rest[c.ID] = b.rest(w.Now)
	}
	return out
}

// Result is what a settlement comes to.
type Result struct {
	Verdicts []Verdict // of each record
	Fees     []*Fee    // by customer, in the order in which they are settled
	Rest     map[string]*Rest
}

// Fee is what one meter costs in one bucket.
type Fee struct {
	Customer string
	Meter    Meter
	Bucket   Bucket
	Unit     int      // of Quantity
	Quantity *big.Rat // in the unit in which the factor is metered
	Covered  []Part   // by package items; a part's name is the package's id
	Official, Discount, Amount,
	Cash, Credit, Debt *big.Rat
	Coupons []Part
}

// Part is a share that something took: an item of a package, or a coupon.
type Part struct {
	ID     string
	Item   int       // of a package, from 0
	Cycle  time.Time // of a package: when the cycle begins
	Amount *big.Rat
}

// Rest is what a customer has left.
type Rest struct {
	Cash, CreditUsed, Debt *big.Rat
	Coupons                map[string]*big.Rat
	Items                  map[string][]*big.Rat // of each package, in the running cycle, in the unit of the item's usage type
	Used                   []Part                // of each item and cycle
}

// ---- Rule 1: which records count ----

// Verdict says what becomes of a record.
type Verdict struct {
	Word string // accepted, duplicate, refused or quarantined
	Why  string
}

// use is a record that counts.
type use struct {
	Meter
	usage    *UsageType
	product  *Product
	quantity *big.Rat // in the usage type's unit
	Bucket
}

type recordKey struct{ customer, source, id string }
type resourceKey struct{ customer, resource string }
type description struct{ service, resourceType, spec, region string }

// receive looks at the records as they arrived.
//
//   - Malformed ones and those of unknown customers are refused.
//   - Of those with one (customer, source, id) the first counts; the same again is a duplicate, another one is refused.
//   - A resource that has been described before need not be described again.
//   - What the catalogue does not know, or a resource that nobody has described, is quarantined.
//   - A value that is not a whole number of the finest steps of its unit is refused.
func (w *World) receive() (map[string][]use, []Verdict) {
	seen, known := map[recordKey]Record{}, map[resourceKey]description{}
	customers := map[string]bool{}
	for _, c := range w.Customers {
		customers[c.ID] = true
	}
	out, verdicts := map[string][]use{}, make([]Verdict, len(w.Records))
	cat := newCatalogue(w)
	for i, r := range w.Records {
		key := recordKey{r.CustomerID, r.Source, r.ID}
		value, start, end, why := readRecord(&r)
		before, repeated := seen[key]
		verdict := &verdicts[i]
		switch {
		case why != "":
			*verdict = Verdict{"refused", why}
			continue
		case !customers[r.CustomerID]:
			*verdict = Verdict{"refused", "unknown customer"}
			continue
		case repeated && before == r:
			*verdict = Verdict{"duplicate", ""}
			continue
		case repeated:
			*verdict = Verdict{"refused", "the id was used for something else"}
			continue
		}
		resource := resourceKey{r.CustomerID, r.ResourceID}
		d := description{r.Service, r.ResourceType, r.Spec, r.Region}
		if d == (description{}) {
			d = known[resource]
		}
		product := cat.products[d]
		usage := cat.usages[[2]string{d.resourceType, r.Factor}]
		switch {
		case d == (description{}):
			*verdict = Verdict{"quarantined", "nobody has said what this resource is"}
			continue
		case product == nil:
			*verdict = Verdict{"quarantined", "unknown product"}
			continue
		case usage == nil || !product.prices(r.Factor):
			*verdict = Verdict{"quarantined", "unknown usage factor"}
			continue
		}
		ratio := cat.ratio(r.Unit, usage.Unit)
		if ratio == nil {
			*verdict = Verdict{"refused", "the unit does not convert"}
			continue
		}
		quantity := mul(value, ratio)
		if cut(quantity, scale(usage.Unit)).Cmp(quantity) != 0 {
			*verdict = Verdict{"refused", "finer than the unit"}
			continue
		}
		*verdict = Verdict{"accepted", ""}
		seen[key], known[resource] = r, d
		meter := Meter{r.ResourceID, r.Factor, d.service, d.resourceType, d.spec, d.region, r.Project, r.Size, r.SizeUnit}
		out[r.CustomerID] = append(out[r.CustomerID], use{meter, usage, product, quantity, bucketOf(usage.Settle, start, end)})
	}
	return out, verdicts
}

func readRecord(r *Record) (value *big.Rat, start, end time.Time, why string) {
	var err error
	if r.Source == "" || r.ID == "" || r.CustomerID == "" || r.ResourceID == "" || r.Factor == "" {
		return nil, start, end, "something is missing"
	}
	for _, digit := range r.Value {
		if (digit < '0' || digit > '9') && digit != '.' {
			return nil, start, end, "the value is not a decimal, or below zero"
		}
	}
	value, ok := new(big.Rat).SetString(r.Value)
	if !ok {
		return nil, start, end, "the value is not a decimal"
	}
	if start, err = time.Parse(time.RFC3339, r.Start); err != nil {
		return nil, start, end, "the start is not an instant"
	}
	if end, err = time.Parse(time.RFC3339, r.End); err != nil {
		return nil, start, end, "the end is not an instant"
	}
	if end.Before(start) {
		return nil, start, end, "it ends before it starts"
	}
	return value, start, end, ""
}

// scale is how many decimals a metered quantity has: none of bytes and seconds, else 6.
func scale(unit int) int {
	switch unit {
	case 6, 13, 16, 90: // second, byte (of traffic, of storage, decimal)
		return 0
	}
	return 6
}

// catalogue finds things by their names.
type catalogue struct {
	products map[description]*Product
	usages   map[[2]string]*UsageType
	ratios   map[[2]int]*big.Rat // found so far
	next     map[int]map[int]*big.Rat
}

func newCatalogue(w *World) *catalogue {
	c := &catalogue{map[description]*Product{}, map[[2]string]*UsageType{}, map[[2]int]*big.Rat{}, map[int]map[int]*big.Rat{}}
	for i := range w.Products {
		p := &w.Products[i]
		c.products[description{p.Service, p.Type, p.Spec, p.Region}] = p
	}
	for i := range w.UsageTypes {
		u := &w.UsageTypes[i]
		c.usages[[2]string{u.ResourceType, u.Factor}] = u
	}
	link := func(from, to int, ratio *big.Rat) {
		if c.next[from] == nil {
			c.next[from] = map[int]*big.Rat{}
		}
		c.next[from][to] = ratio
	}
	for _, v := range w.Conversions {
		link(v.From, v.To, big.NewRat(v.Ratio, 1))
		link(v.To, v.From, big.NewRat(1, v.Ratio))
	}
	return c
}

// ratio is how many of the one unit one of the other is, along any path of conversions; nil when there is none.
func (c *catalogue) ratio(from, to int) *big.Rat {
	if found, ok := c.ratios[[2]int{from, to}]; ok {
		return found
	}
	reached, edge := map[int]*big.Rat{from: big.NewRat(1, 1)}, []int{from}
	for len(edge) > 0 {
		at := edge[0]
		edge = edge[1:]
		for unit, ratio := range c.next[at] {
			if reached[unit] == nil {
				reached[unit] = mul(reached[at], ratio)
				edge = append(edge, unit)
			}
		}
	}
	c.ratios[[2]int{from, to}] = reached[to]
	return reached[to]
}

// convert brings a quantity into another unit, and cuts it.
func (c *catalogue) convert(q *big.Rat, from, to, decimals int) *big.Rat {
	ratio := c.ratio(from, to)
	if ratio == nil {
		panic("the catalogue is wrong: these units do not convert")
	}
	return cut(mul(q, ratio), decimals)
}

func (p *Product) prices(factor string) bool {
	for _, b := range p.Books {
		if _, ok := b.Prices[factor]; ok {
			return true
		}
	}
	return false
}

// ---- Rule 2: buckets and meters ----

var gmt8 = time.FixedZone("GMT+8", 8*3600)

// Bucket is an hour, a day or a month of GMT+8 that is settled as one.
type Bucket struct {
	Start, End time.Time
	Unit       string
}

// Meter is what is counted as one: the use of one factor of one resource, as long as it stays what it is.
type Meter struct {
	Resource, Factor, Service, Type, Spec, Region, Project, Size string
	SizeUnit                                                     int
}

// bucketOf is the bucket in which a use ends: an end is exclusive, so that what ends at nine belongs to the hour before;
// a use of no length belongs to the hour that it lies in.
func bucketOf(unit string, start, end time.Time) Bucket {
	inside := end
	if start.Before(end) {
		inside = end.Add(-time.Nanosecond)
	}
	from, to := window(unit, inside)
	return Bucket{from, to, unit}
}

// window is the hour, day, week (from Monday), month or year of GMT+8 that an instant lies in.
func window(unit string, t time.Time) (start, end time.Time) {
	t = t.In(gmt8)
	y, m, d := t.Date()
	midnight := time.Date(y, m, d, 0, 0, 0, 0, gmt8)
	switch unit {
	case "hour":
		start = midnight.Add(time.Duration(t.Hour()) * time.Hour)
		end = start.Add(time.Hour)
	case "day":
		start, end = midnight, midnight.AddDate(0, 0, 1)
	case "week":
		start = midnight.AddDate(0, 0, -(int(t.Weekday())+6)%7)
		end = start.AddDate(0, 0, 7)
	case "month":
		start = time.Date(y, m, 1, 0, 0, 0, 0, gmt8)
		end = start.AddDate(0, 1, 0)
	case "year":
		start = time.Date(y, 1, 1, 0, 0, 0, 0, gmt8)
		end = start.AddDate(1, 0, 0)
	default:
		panic("no such window: " + unit)
	}
	return start.UTC(), end.UTC()
}

// metered sums the uses of one customer by bucket and meter, and puts them into the order in which they are settled:
// buckets by their end, of equals the shorter first; in a bucket by the meter's fields, as bytes.
func metered(uses []use) []use {
	type key struct {
		Meter
		Bucket
	}
	sums := map[key]*use{}
	for _, u := range uses {
		k := key{u.Meter, u.Bucket}
		if sum := sums[k]; sum != nil {
			sum.quantity = add(sum.quantity, u.quantity)
			continue
		}
		sums[k] = &u
	}
	out := make([]use, 0, len(sums))
	for _, sum := range sums {
		out = append(out, *sum)
	}
	length := map[string]int{"hour": 1, "day": 2, "month": 3}
	slices.SortFunc(out, func(a, b use) int {
		return cmp.Or(a.End.Compare(b.End), length[a.Bucket.Unit]-length[b.Bucket.Unit],
			strings.Compare(a.Resource, b.Resource), strings.Compare(a.Factor, b.Factor), strings.Compare(a.Service, b.Service),
			strings.Compare(a.Type, b.Type), strings.Compare(a.Spec, b.Spec), strings.Compare(a.Region, b.Region),
			strings.Compare(a.Project, b.Project), strings.Compare(a.Size, b.Size), cmp.Compare(a.SizeUnit, b.SizeUnit))
	})
	return out
}

// books are what changes from fee to fee of one customer.
type books struct {
	*catalogue
	c                      *Customer
	used                   map[itemCycle]*big.Rat
	counted                map[counter]*big.Rat
	coupons                []couponLeft
	cash, creditUsed, debt *big.Rat
}

func newBooks(w *World, c *Customer) *books {
	b := &books{newCatalogue(w), c, map[itemCycle]*big.Rat{}, map[counter]*big.Rat{}, nil, orZero(c.Cash), orZero(c.CreditUsed), orZero(c.Debt)}
	for i := range c.Coupons {
		b.coupons = append(b.coupons, couponLeft{&c.Coupons[i], c.Coupons[i].Balance})
	}
	slices.SortFunc(b.coupons, couponOrder)
	return b
}

// ---- Rule 3: packages ----

// itemCycle is an item of a package in one of its cycles.
type itemCycle struct {
	pack, item int
	cycle      int64 // when it begins
}

type candidate struct {
	itemCycle
	p    *Package
	ends time.Time
}

// restricted says whether the item is for certain products only.
func (c candidate) restricted() bool { return len(c.p.Items[c.item].Specs) > 0 }

// cover takes from the packages what they give, and returns what is left to be paid for. Each item that matches gives
// what it has left: packages of the project first, then items for certain products, then gifts, then those bought; of these the one
// that ends first (a resettable one with its cycle), at a tie a resettable one, then by the package's id.
func (b *books) cover(fee *Fee, m use) *big.Rat {
	var found []candidate
	for i := range b.c.Packages {
		p := &b.c.Packages[i]
		if !p.serves(m) {
			continue
		}
		start, end := p.Effective, p.Expires
		if p.Resettable {
			start, end = p.cycle(m.Start)
		}
		for j := range p.Items {
			if p.Items[j].matches(m) {
				found = append(found, candidate{itemCycle{i, j, start.Unix()}, p, end})
			}
		}
	}
	slices.SortFunc(found, func(x, y candidate) int {
		return cmp.Or(first(x.p.Project != "", y.p.Project != ""), first(x.restricted(), y.restricted()), first(x.p.Gift, y.p.Gift), x.ends.Compare(y.ends),
			first(x.p.Resettable, y.p.Resettable), strings.Compare(x.p.ID, y.p.ID), x.item-y.item)
	})
	rest := m.quantity
	for _, f := range found {
		item := &f.p.Items[f.item]
		whole := b.convert(item.Amount, item.Unit, m.usage.Unit, scale(m.usage.Unit))
		gives := least(sub(whole, orZero(b.used[f.itemCycle])), rest)
		if gives.Sign() == 0 {
			continue
		}
		b.used[f.itemCycle] = add(orZero(b.used[f.itemCycle]), gives)
		rest = sub(rest, gives)
		fee.Covered = append(fee.Covered, Part{f.p.ID, f.item, time.Unix(f.itemCycle.cycle, 0).UTC(), gives})
	}
	return rest
}

// serves: in force at the bucket's start, of its region, of its project or of all.
func (p *Package) serves(m use) bool {
	return p.Region == m.Region && (p.Project == "" || p.Project == m.Project) &&
		!m.Start.Before(p.Effective) && m.Start.Before(p.Expires) && (p.Ended.IsZero() || m.Start.Before(p.Ended))
}

func (i *Item) matches(m use) bool {
	return i.ResourceType == m.Type && strings.EqualFold(i.UsageType, m.Factor) && (len(i.Specs) == 0 || slices.Contains(i.Specs, m.Spec))
}

// cycle is the cycle of a resettable package that an instant of its life lies in: a window of the calendar, or counted
// from when it took effect. The latter end as terms do: at the midnight after the day that is k days, weeks, months or
// years on (a month that has no such day ends on its last); hours on the instant. No cycle outlives its package.
func (p *Package) cycle(t time.Time) (start, end time.Time) {
	if p.Natural {
		start, end = window(p.Cycle, t)
		start = later(start, p.Effective)
	} else {
		start = p.Effective
		for k := 1; ; k++ {
			if end = p.cycleEnd(k); t.Before(end) {
				break
			}
			start = end
		}
	}
	if p.Expires.Before(end) {
		end = p.Expires
	}
	return start.UTC(), end.UTC()
}

// cycleEnd is where the first k cycles from Effective end.
func (p *Package) cycleEnd(k int) time.Time {
	y, m, d := p.Effective.In(gmt8).Date()
	switch p.Cycle {
	case "hour":
		return p.Effective.Add(time.Duration(k) * time.Hour)
	case "day":
		return time.Date(y, m, d+k+1, 0, 0, 0, 0, gmt8)
	case "week":
		return time.Date(y, m, d+7*k+1, 0, 0, 0, 0, gmt8)
	case "year":
		k *= 12
	}
	last := time.Date(y, m+time.Month(k)+1, 0, 0, 0, 0, 0, gmt8).Day()
	return time.Date(y, m+time.Month(k), min(d, last)+1, 0, 0, 0, 0, gmt8)
}

// ---- Rule 4: the official amount ----

// counter is a quantity that runs through tiers: of one product and factor, in one window.
type counter struct {
	product, factor, window string
	start                   int64
}

// price is what the rest costs by the price that was in force when the bucket began. The usage is converted to the unit
// of the price and cut at 10 decimals; the finished product is cut once at 10, the amount at 8.
//
//	flat      usage × price
//	linear    usage × price × size
//	on size   usage × steps(size)
//	on usage  steps(already there + usage) − steps(already there)   [× size]
func (b *books) price(fee *Fee, m use, rest *big.Rat) *big.Rat {
	p, ok := m.product.priceAt(m.Factor, m.Start)
	if !ok {
		panic("no price in force: the made-up cloud uses what is not sold")
	}
	size := big.NewRat(1, 1)
	if p.SizeUnit != 0 {
		size = b.convert(Num(m.Size), m.SizeUnit, p.SizeUnit, 10)
	}
	var product *big.Rat
	switch t := p.Tiers; {
	case t == nil:
		product = mul(mul(b.convert(rest, m.usage.Unit, p.Unit, 10), p.Each), size)
	case t.OnSize:
		product = mul(b.convert(rest, m.usage.Unit, p.Unit, 10), b.steps(t, size, p.SizeUnit))
	default:
		already := b.count(m, t, rest)
		before := b.steps(t, b.convert(already, m.usage.Unit, p.Unit, 10), p.Unit)
		after := b.steps(t, b.convert(add(already, rest), m.usage.Unit, p.Unit, 10), p.Unit)
		product = mul(sub(after, before), size)
	}
	if p.Per > 1 {
		product = new(big.Rat).Quo(product, big.NewRat(p.Per, 1))
	}
	return cut(cut(product, 10), 8)
}

// priceAt is the price in force at an instant.
func (p *Product) priceAt(factor string, at time.Time) (price Price, ok bool) {
	for _, b := range p.Books {
		if !at.Before(b.From) {
			price, ok = b.Prices[factor]
		}
	}
	return price, ok
}

// count adds the rest to the window's counter and returns what was there: only what no package covered is counted.
// Nothing is there when the tiers do not accumulate.
func (b *books) count(m use, t *Tiers, rest *big.Rat) *big.Rat {
	if t.Accumulate == "none" {
		return new(big.Rat)
	}
	start, _ := window(t.Accumulate, m.Start)
	key := counter{m.product.ID, m.Factor, t.Accumulate, start.Unix()}
	already := orZero(b.counted[key])
	b.counted[key] = add(already, rest)
	return already
}

// steps is what a quantity comes to. A step begins after the bound before it and ends at its own.
func (b *books) steps(t *Tiers, q *big.Rat, unit int) *big.Rat {
	sum, lower := new(big.Rat), new(big.Rat)
	for _, s := range t.Steps {
		upper, last := q, s.UpTo == nil
		if !last {
			bound := b.convert(s.UpTo, s.Unit, unit, 10)
			last = q.Cmp(bound) <= 0
			upper = least(bound, q)
		}
		if t.Volume && last {
			return mul(q, s.Each)
		}
		if !t.Volume {
			sum = add(sum, mul(sub(upper, lower), s.Each))
		}
		if last {
			return sum
		}
		lower = upper
	}
	panic("above the last step: the made-up cloud uses more than is sold")
}

// ---- Rule 5: discounts ----

// discounted is what is to be paid of the official amount: by the grant in force when the bucket began that is preferred:
// commercial, then through a distributor, then of the partner; of those the lowest ratio. Cut at 8 decimals.
func (b *books) discounted(fee *Fee) *big.Rat {
	var best *Grant
	for i := range b.c.Grants {
		g := &b.c.Grants[i]
		covers := within(g.Service, fee.Meter.Service) && within(g.Type, fee.Meter.Type) && within(g.Region, fee.Meter.Region) &&
			!fee.Bucket.Start.Before(g.From) && fee.Bucket.Start.Before(g.Until)
		if covers && (best == nil || cmp.Or(g.Kind-best.Kind, g.Ratio.Cmp(best.Ratio), strings.Compare(g.ID, best.ID)) < 0) {
			best = g
		}
	}
	if best == nil {
		return fee.Official
	}
	return cut(mul(fee.Official, best.Ratio), 8)
}

func within(scope, value string) bool { return scope == "" || scope == value }

// ---- Rule 6: payment ----

type couponLeft struct {
	*Coupon
	left *big.Rat
}

// couponOrder: those with a limit before those without, then the soonest to expire, then by id.
func couponOrder(x, y couponLeft) int {
	return cmp.Or(first(x.limited(), y.limited()), x.Until.Compare(y.Until), strings.Compare(x.ID, y.ID))
}

func (c *Coupon) limited() bool { return len(c.Services)+len(c.Regions)+len(c.Product) > 0 }

// pay: coupons, then cash, then credit up to its limit, the rest is debt; who settles by the month owes all that no
// coupon pays. An amount below zero (a lower price that reaches back over what was charged before) is given back: from
// the debt first, then the credit, then as cash; never to coupons.
func (b *books) pay(fee *Fee, m use) {
	due := fee.Amount
	fee.Cash, fee.Credit, fee.Debt = new(big.Rat), new(big.Rat), new(big.Rat)
	if due.Sign() < 0 {
		b.giveBack(fee, due)
		return
	}
	for i := range b.coupons {
		c := &b.coupons[i]
		if takes := least(c.left, due); c.pays(m) && takes.Sign() > 0 {
			c.left, due = sub(c.left, takes), sub(due, takes)
			fee.Coupons = append(fee.Coupons, Part{ID: c.ID, Amount: takes})
		}
	}
	if !b.c.Monthly {
		if b.cash.Sign() > 0 {
			fee.Cash = least(b.cash, due)
		}
		due = sub(due, fee.Cash)
		if free := sub(orZero(b.c.CreditLimit), b.creditUsed); free.Sign() > 0 {
			fee.Credit = least(free, due)
		}
		due = sub(due, fee.Credit)
	}
	fee.Debt = due
	b.cash, b.creditUsed, b.debt = sub(b.cash, fee.Cash), add(b.creditUsed, fee.Credit), add(b.debt, fee.Debt)
}

func (b *books) giveBack(fee *Fee, due *big.Rat) {
	back := new(big.Rat).Neg(due)
	fromDebt := least(b.debt, back)
	fromCredit := least(b.creditUsed, sub(back, fromDebt))
	asCash := sub(sub(back, fromDebt), fromCredit)
	b.debt, b.creditUsed, b.cash = sub(b.debt, fromDebt), sub(b.creditUsed, fromCredit), add(b.cash, asCash)
	fee.Debt, fee.Credit, fee.Cash = fee.Debt.Neg(fromDebt), fee.Credit.Neg(fromCredit), fee.Cash.Neg(asCash)
}

// pays: version 2, for what its limits name, in force when the bucket began.
func (c *Coupon) pays(m use) bool {
	in := func(list []string, value string) bool { return len(list) == 0 || slices.Contains(list, value) }
	return c.Version == 2 && in(c.Services, m.Service) && in(c.Regions, m.Region) && in(c.Product, m.product.ID) &&
		!m.Start.Before(c.From) && m.Start.Before(c.Until)
}

// ---- What is left ----

func (b *books) rest(now time.Time) *Rest {
	out := &Rest{Cash: b.cash, CreditUsed: b.creditUsed, Debt: b.debt, Coupons: map[string]*big.Rat{}, Items: map[string][]*big.Rat{}}
	for _, c := range b.coupons {
		out.Coupons[c.ID] = c.left
	}
	for i := range b.c.Packages {
		p := &b.c.Packages[i]
		start := p.Effective
		if at := later(now, p.Effective); p.Resettable && at.Before(p.Expires) {
			start, _ = p.cycle(at)
		} else if p.Resettable {
			start, _ = p.cycle(p.Expires.Add(-time.Microsecond))
		}
		for j := range p.Items {
			item := &p.Items[j]
			unit := b.metering(item)
			whole := b.convert(item.Amount, item.Unit, unit, scale(unit))
			out.Items[p.ID] = append(out.Items[p.ID], sub(whole, orZero(b.used[itemCycle{i, j, start.Unix()}])))
		}
	}
	for k, amount := range b.used {
		out.Used = append(out.Used, Part{b.c.Packages[k.pack].ID, k.item, time.Unix(k.cycle, 0).UTC(), amount})
	}
	slices.SortFunc(out.Used, func(x, y Part) int {
		return cmp.Or(strings.Compare(x.ID, y.ID), x.Item-y.Item, x.Cycle.Compare(y.Cycle))
	})
	return out
}

// metering is the unit in which an item's usage type is metered.
func (b *books) metering(item *Item) int {
	for key, usage := range b.usages {
		if key[0] == item.ResourceType && strings.EqualFold(key[1], item.UsageType) {
			return usage.Unit
		}
	}
	panic("a package of what is not metered")
}

// Net is what one factor of one resource came to in one month.
type Net struct{ Quantity, Covered, Official, Discount, Amount *big.Rat }

// NetKey says of what; Month is YYYY-MM of GMT+8.
type NetKey struct{ Customer, Resource, Factor, Month string }

// Nets sums the fees by month.
func (r *Result) Nets() map[NetKey]*Net {
	out := map[NetKey]*Net{}
	for _, f := range r.Fees {
		key := NetKey{f.Customer, f.Meter.Resource, f.Meter.Factor, f.Bucket.Start.In(gmt8).Format("2006-01")}
		n := out[key]
		if n == nil {
			n = &Net{new(big.Rat), new(big.Rat), new(big.Rat), new(big.Rat), new(big.Rat)}
			out[key] = n
		}
		n.Quantity, n.Official = add(n.Quantity, f.Quantity), add(n.Official, f.Official)
		n.Discount, n.Amount = add(n.Discount, f.Discount), add(n.Amount, f.Amount)
		for _, p := range f.Covered {
			n.Covered = add(n.Covered, p.Amount)
		}
	}
	return out
}

// ---- Arithmetic ----

// cut drops the digits beyond that many decimals, towards zero.
func cut(r *big.Rat, decimals int) *big.Rat {
	if r.IsInt() {
		return r
	}
	unit := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(decimals)), nil)
	whole := new(big.Int).Mul(r.Num(), unit)
	return new(big.Rat).SetFrac(whole.Quo(whole, r.Denom()), unit)
}

func add(a, b *big.Rat) *big.Rat { return new(big.Rat).Add(a, b) }
func sub(a, b *big.Rat) *big.Rat { return new(big.Rat).Sub(a, b) }
func mul(a, b *big.Rat) *big.Rat { return new(big.Rat).Mul(a, b) }

func least(a, b *big.Rat) *big.Rat {
	if a.Cmp(b) <= 0 {
		return a
	}
	return b
}

func orZero(r *big.Rat) *big.Rat {
	if r == nil {
		return new(big.Rat)
	}
	return r
}

// first puts what is before what is not.
func first(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	}
	return 1
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

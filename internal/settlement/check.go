package settlement

import (
	"context"
	"fmt"
	"time"

	"github.com/purser-cloud/purser/internal/charge"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/period"
	"github.com/purser-cloud/purser/internal/quota"
	"github.com/purser-cloud/purser/internal/usage"
)

// Check recomputes what settlement keeps of a customer, and names what differs: every line has the records of its bucket or
// is on the agenda, covers come to what lines say is covered and to what packages say is used, tier counters are the sums
// of their lines, and fee records come to the lines. Of packages everything is looked at, of the rest what was used in the month since
// or later.
func (d *Desk) Check(ctx context.Context, r db.Reader, customer string, since period.Cycle) (wrong []string, err error) {
	c := &checking{desk: d, customer: customer, since: since, on: r, covered: map[place]int64{}, tiers: map[tier]int64{}, sums: map[string]charge.UsageSum{}}
	for _, step := range []func(context.Context) error{c.pools, c.lines, c.buckets, c.counters, c.fees} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	return c.wrong, nil
}

type checking struct {
	desk     *Desk
	customer string
	since    period.Cycle
	on       db.Reader
	wrong    []string
	covered  map[place]int64 // by covers
	tiers    map[tier]int64  // by lines
	sums     map[string]charge.UsageSum
	byBucket map[usage.Bucket]map[int64]settledLine
}

func (c *checking) differs(format string, args ...any) {
	c.wrong = append(c.wrong, fmt.Sprintf(format, args...))
}

func (c *checking) pools(ctx context.Context) error {
	used, err := quota.Pools(ctx, c.on, c.customer)
	if err != nil {
		return err
	}
	err = allCovers(ctx, c.on, c.customer, func(v cover) {
		c.covered[place{v.ends, v.unit, v.meter}] += v.used
		used[v.pool] -= v.used
	})
	for pool, rest := range used {
		if rest != 0 {
			c.differs("package %s, item %d, cycle %d: used differs by %d from what it covered", pool.Package, pool.Item, pool.K, rest)
		}
	}
	return err
}

func (c *checking) lines(ctx context.Context) error {
	c.byBucket = map[usage.Bucket]map[int64]settledLine{}
	var list []settledLine
	numbers := map[int64]bool{}
	if err := linesFrom(ctx, c.on, c.customer, c.from(), func(l settledLine) {
		list, numbers[l.meter] = append(list, l), true
	}); err != nil {
		return err
	}
	wanted := make([]int64, 0, len(numbers))
	for no := range numbers {
		wanted = append(wanted, no)
	}
	meters, err := c.desk.meters.Of(ctx, c.on, c.customer, wanted)
	if err != nil {
		return err
	}
	shelf, err := c.desk.Catalogue.At(ctx, c.on)
	if err != nil {
		return err
	}
	for i := range list {
		l := &list[i]
		m := meters[l.meter]
		if m == nil {
			c.differs("meter %d is not there", l.meter)
			continue
		}
		if c.byBucket[l.Bucket] == nil {
			c.byBucket[l.Bucket] = map[int64]settledLine{}
		}
		c.byBucket[l.Bucket][l.meter] = *l
		if at := (place{db.Micros(l.End), l.Unit, l.meter}); c.covered[at] != l.covered {
			c.differs("resource %s, %s to %s: packages covered %d, the line says %d", m.Resource, m.Factor, l.End, c.covered[at], l.covered)
		}
		product, ok := shelf.Product(m.Service, m.ResourceType, m.Region, m.Spec)
		if !ok {
			continue
		}
		if price, ok := shelf.PriceAt(product, m.Factor, l.Start()); ok {
			if key, ok := tierOf(price, &line{Bucket: l.Bucket, meter: m, product: product}); ok {
				c.tiers[key] += l.quantity - l.covered
			}
		}
		key := charge.UsageKey(m.Resource, m.Factor, m.Spec, m.Project, period.CycleOf(l.Start()))
		s := c.sums[key]
		s.Used, s.Covered, s.Official, s.Discount = s.Used+l.quantity, s.Covered+l.covered, s.Official+l.official, s.Discount+l.discount
		c.sums[key] = s
	}
	return nil
}

// buckets holds the lines against the records.
func (c *checking) buckets(ctx context.Context) error {
	type doubt struct {
		in   usage.Bucket
		use  usage.Use
		line settledLine
	}
	var doubts []doubt // records that came since are no fault, while they wait
	err := usage.EachBucket(ctx, c.on, c.customer, c.from(), func(b usage.Bucket, uses []usage.Use) {
		lines := c.byBucket[b]
		for _, u := range uses {
			if lines == nil {
				break // nothing of it is settled
			}
			if l := lines[u.Meter]; l.records != u.Records || l.quantity != u.Quantity {
				doubts = append(doubts, doubt{b, u, l})
			}
			delete(lines, u.Meter)
		}
	})
	if err != nil {
		return err
	}
	for _, d := range doubts {
		waits := false
		if d.line.records != d.use.Records {
			if _, waits, err = usage.FindDue(ctx, c.on, c.customer, d.in); err != nil {
				return err
			}
		}
		if !waits {
			c.differs("meter %d to %s: settled %d of %d records, %d for %d", d.use.Meter, d.in.End, d.line.records, d.use.Records, d.line.quantity, d.use.Quantity)
		}
	}
	for b, lines := range c.byBucket {
		for no, l := range lines {
			c.differs("meter %d to %s: settled %d records that are not there", no, b.End, l.records)
		}
	}
	return nil
}

// from is the first bucket that is looked at.
func (c *checking) from() usage.Bucket {
	if c.since > 0 {
		return usage.Bucket{End: c.since.Span().Start.Add(time.Microsecond)} // what ends with the month before is not among them
	}
	return usage.Bucket{End: time.UnixMicro(1)}
}

func (c *checking) counters(ctx context.Context) error {
	return allTiers(ctx, c.on, c.customer, func(key tier, already int64) {
		if period.CycleOf(key.starts) >= c.since && c.tiers[key] != already {
			c.differs("product %s, %s from %s: %d ran through the tiers, kept is %d", key.product, key.factor, key.starts, c.tiers[key], already)
		}
	})
}

func (c *checking) fees(ctx context.Context) error {
	charged, err := charge.UsageSums(ctx, c.on, c.customer, c.since)
	if err != nil {
		return err
	}
	for key, s := range c.sums {
		if f := charged[key]; f != s {
			c.differs("%s: lines come to %s less %s, fee records to %s less %s", key, s.Official, s.Discount, f.Official, f.Discount)
		}
		delete(charged, key)
	}
	for key, f := range charged {
		if f != (charge.UsageSum{}) {
			c.differs("%s: fee records of %s without a line", key, f.Official)
		}
	}
	return nil
}

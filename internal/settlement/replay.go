package settlement

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/ident"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/period"
	"github.com/purser-cloud/purser/internal/quota"
	"github.com/purser-cloud/purser/internal/usage"
)

// A replay works out again, from a closed bucket on, what depends on records that came late for it: the meters they are of,
// and through the packages and tiers that these share with others, those, too. What shares nothing stays untouched.
type replay struct {
	book   *book
	parts  [][]change        // each is written in one transaction
	covers map[place][]cover // that stood before, of the lines that changed
}

// place is where a line is.
type place struct {
	ends  int64
	unit  period.Unit
	meter int64
}

func placeOf(l *line) place { return place{db.Micros(l.End), l.Unit, l.meter.No} }

// unpriceableError says that a line cannot be priced.
type unpriceableError struct {
	meter *usage.Meter
	why   error
}

func (e *unpriceableError) Error() string { return e.why.Error() }

func (e *unpriceableError) Unwrap() error { return e.why }

// change is a line that comes to something else than before.
type change struct {
	line
	before settledLine
}

// planReplay works out what late lines of a closed bucket change.
func (d *Desk) planReplay(ctx context.Context, r db.Reader, due usage.Due, late []line, settled map[int64]settledLine) (*replay, error) {
	state, err := stateOf(ctx, r, due.Customer)
	if err != nil {
		return nil, err
	}
	span := due.Bucket.Span()
	span.End = state.until.End
	b, err := d.open(ctx, r, due.Customer, span)
	if err != nil {
		return nil, err
	}
	before := map[place]settledLine{}
	for _, l := range settled {
		before[place{db.Micros(l.End), l.Unit, l.meter}] = l
	}
	lines := late
	if slices.ContainsFunc(late, func(l line) bool { return len(b.ties(&l)) > 0 }) {
		if lines, err = b.tied(ctx, r, due.Bucket, late, before); err != nil {
			return nil, err
		}
	}
	covers, err := b.rewind(ctx, r, due.Bucket, lines, before)
	if err != nil {
		return nil, err
	}
	var changes []change
	for i := range lines {
		l := &lines[i]
		if err := b.settle(ctx, l); err != nil {
			return nil, &unpriceableError{l.meter, err}
		}
		was := before[placeOf(l)]
		l.fee, l.coupon = was.fee, was.coupon
		if l.records != was.records || l.quantity != was.quantity || l.covered != was.covered || l.official != was.official || l.discount != was.discount || takesDiffer(l, covers[placeOf(l)]) {
			changes = append(changes, change{*l, was})
		}
	}
	return &replay{b, inParts(changes, due.Bucket, d.atOnce()), covers}, nil
}

// inParts divides changes into parts that are written one after the other, so that nobody waits long. The changes of one
// correction stay together. The late lines come last: until they are written the bucket has something to settle, and a
// replay that was cut off is worked out anew from what stands by then. What gives back to packages comes before what takes.
func inParts(changes []change, late usage.Bucket, most int) (parts [][]change) {
	if len(changes) <= most {
		return [][]change{changes}
	}
	type share struct {
		changes []change
		late    bool
		takes   int64
	}
	at := map[group]int{}
	var shares []share
	for i := range changes {
		c := &changes[i]
		j, ok := at[groupOf(&c.line)]
		if !ok {
			j = len(shares)
			at[groupOf(&c.line)] = j
			shares = append(shares, share{})
		}
		s := &shares[j]
		s.changes = append(s.changes, *c)
		s.late = s.late || c.Bucket == late
		s.takes += c.covered - c.before.covered
	}
	slices.SortStableFunc(shares, func(a, b share) int {
		return cmp.Or(cmp.Compare(db.Bool(a.late), db.Bool(b.late)), cmp.Compare(a.takes, b.takes))
	})
	var part []change
	for i := range shares {
		if part = append(part, shares[i].changes...); len(part) >= most || i == len(shares)-1 {
			slices.SortFunc(part, func(a, b change) int { return a.compare(&b.line) })
			parts, part = append(parts, part), nil
		}
	}
	return parts
}

func takesDiffer(l *line, covers []cover) bool {
	if len(l.takes) != len(covers) {
		return true
	}
	for _, t := range l.takes {
		if !slices.ContainsFunc(covers, func(c cover) bool { return c.pool == t.Pool && c.used == t.amount }) {
			return true
		}
	}
	return false
}

// tie is what lines share: an item of a package, or a counter of tiers.
type tie struct {
	name string // of the package or product
	item int32
	of   string // factor of a counter
}

// ties are what a line shares with others, at whatever time.
func (b *book) ties(l *line) []tie { return b.tierTies(l, b.packTies(l)) }

// packTies are the items of packages that would cover a line's meter.
func (b *book) packTies(l *line) []tie {
	var out []tie
	w := l.wanted()
	for i := range b.packages {
		p := &b.packages[i]
		w.At = p.Effective // in force, whenever it is
		for _, s := range quota.Sources(b.packages[i:i+1], &w) {
			out = append(out, tie{name: p.ID, item: s.Item.No})
		}
	}
	return out
}

// tierTies adds the counter that a line runs through.
func (b *book) tierTies(l *line, out []tie) []tie {
	m := l.meter
	if product, ok := b.shelf.Product(m.Service, m.ResourceType, m.Region, m.Spec); ok {
		if price, ok := b.shelf.PriceAt(product, m.Factor, l.Start()); ok && price.Accumulates() {
			return append(slices.Clip(out), tie{name: product.ID, of: m.Factor})
		}
	}
	return out
}

// mayTie are the ties that a meter has at one time or another.
func (b *book) mayTie(m *usage.Meter, at usage.Bucket) []tie {
	l := line{Bucket: at, meter: m}
	out := b.packTies(&l)
	if product, ok := b.shelf.Product(m.Service, m.ResourceType, m.Region, m.Spec); ok && b.shelf.Accumulates(product, m.Factor) {
		out = append(slices.Clip(out), tie{name: product.ID, of: m.Factor})
	}
	return out
}

// kin are the meters that may share something with the late lines', directly or through others: lines of other meters, a
// customer's thousands, are not even read.
func (b *book) kin(ctx context.Context, r db.Reader, from usage.Bucket, late []line) (map[int64]*usage.Meter, error) {
	numbers, err := usage.MeterNumbers(ctx, r, b.customer)
	if err != nil {
		return nil, err
	}
	meters, err := b.desk.meters.Of(ctx, r, b.customer, numbers)
	if err != nil {
		return nil, err
	}
	list := make([]*usage.Meter, 0, len(meters)+len(late))
	for i := range late {
		list = append(list, late[i].meter)
	}
	for _, m := range meters {
		list = append(list, m)
	}
	ties := make([][]tie, len(list))
	for i, m := range list {
		ties[i] = b.mayTie(m, from)
	}
	out := map[int64]*usage.Meter{}
	for i, in := range reach(ties, len(late)) {
		if in {
			out[list[i].No] = list[i]
		}
	}
	return out, nil
}

// tied lists, in order, all lines from a bucket on that share something with the late ones, directly or through others.
func (b *book) tied(ctx context.Context, r db.Reader, from usage.Bucket, late []line, before map[place]settledLine) ([]line, error) {
	isLate := map[place]bool{}
	for i := range late {
		isLate[placeOf(&late[i])] = true
	}
	meters, err := b.kin(ctx, r, from, late)
	if err != nil {
		return nil, err
	}
	lines := slices.Clone(late)
	err = linesFrom(ctx, r, b.customer, from, func(o settledLine) {
		at := place{db.Micros(o.End), o.Unit, o.meter}
		if meter := meters[o.meter]; meter != nil && !isLate[at] {
			span := o.Span()
			before[at] = o
			lines = append(lines, line{Bucket: o.Bucket, meter: meter, records: o.records, quantity: o.quantity, first: span.Start, last: span.End})
		}
	})
	if err != nil {
		return nil, err
	}
	lines = b.reached(lines, len(late))
	slices.SortFunc(lines, func(a, b line) int { return a.compare(&b) })
	return lines, nil
}

// reached keeps of some lines the first n and those that are tied to them.
func (b *book) reached(lines []line, n int) []line {
	ties := make([][]tie, len(lines))
	packs := map[int64][]tie{} // what packages tie a meter to does not depend on the bucket
	for i := range lines {
		list, ok := packs[lines[i].meter.No]
		if !ok {
			list = b.packTies(&lines[i])
			packs[lines[i].meter.No] = list
		}
		ties[i] = b.tierTies(&lines[i], list)
	}
	var out []line
	for i, in := range reach(ties, n) {
		if in {
			out = append(out, lines[i])
		}
	}
	return out
}

// reach says which can be reached from the first n by what they share.
func reach(ties [][]tie, n int) []bool {
	tied := map[tie][]int{}
	for i := range ties {
		for _, t := range ties[i] {
			tied[t] = append(tied[t], i)
		}
	}
	in := make([]bool, len(ties))
	var walk []int
	for i := range n {
		in[i], walk = true, append(walk, i)
	}
	seen := map[tie]bool{}
	for len(walk) > 0 {
		i := walk[len(walk)-1]
		walk = walk[:len(walk)-1]
		for _, t := range ties[i] {
			if seen[t] {
				continue
			}
			seen[t] = true
			for _, j := range tied[t] {
				if !in[j] {
					in[j], walk = true, append(walk, j)
				}
			}
		}
	}
	return in
}

// rewind takes the book back to before a bucket, as far as the lines are concerned, and says what these took from packages.
func (b *book) rewind(ctx context.Context, r db.Reader, from usage.Bucket, lines []line, before map[place]settledLine) (map[place][]cover, error) {
	mine, items := map[place]bool{}, map[tie]bool{}
	for i := range lines {
		l := &lines[i]
		mine[placeOf(l)] = true
		for _, t := range b.ties(l) {
			if t.item != 0 {
				items[t] = true
			}
		}
		was, there := before[placeOf(l)]
		product, ok := b.shelf.Product(l.meter.Service, l.meter.ResourceType, l.meter.Region, l.meter.Spec)
		if !there || !ok {
			continue
		}
		l.product = product
		if price, ok := b.shelf.PriceAt(product, l.meter.Factor, l.Start()); ok {
			if key, ok := tierOf(price, l); ok {
				already, err := b.alreadyOf(ctx, key)
				if err != nil {
					return nil, err
				}
				b.tiers[key] = already - (was.quantity - was.covered)
			}
		}
	}
	covers := map[place][]cover{}
	for t := range items {
		list, err := coversFrom(ctx, r, b.customer, t.name, t.item, from)
		if err != nil {
			return nil, err
		}
		for _, c := range list {
			at := place{c.ends, c.unit, c.meter}
			if !mine[at] {
				return nil, fmt.Errorf("settlement: meter %d of customer %s took from package %s and is not replayed", c.meter, b.customer, t.name)
			}
			used, err := b.usedOf(ctx, c.pool)
			if err != nil {
				return nil, err
			}
			b.used[c.pool] = used - c.used
			covers[at] = append(covers[at], c)
		}
	}
	return covers, nil
}

// correct books the next part of what a replay changed: the lines, pools and counters, and one correction for each meter
// and bill cycle.
func (d *Desk) correct(ctx context.Context, tx *db.Tx, sit *Sitting, p *Plan) (owed money.Amount, err error) {
	re := p.replay
	random := ident.Stream("correction", p.due.Customer, fmt.Sprint(p.version))
	pay := paying{Sitting: sit, random: random}
	changes := slices.Clone(re.parts[p.next]) // a transaction may be run again
	deltas := corrections(changes)
	fees, err := pay.meet(ctx, tx, deltas)
	if err != nil {
		return 0, err
	}
	ids := map[group]string{}
	for i := range fees {
		owed += fees[i].Parts.Debt
		ids[groupOf(&deltas[i])] = fees[i].ID
	}
	lines := make([]line, len(changes))
	for i := range changes {
		lines[i] = changes[i].line
		if lines[i].fee == "" {
			lines[i].fee = ids[groupOf(&lines[i])]
		}
	}
	if err := insertLines(ctx, tx, p.due.Customer, lines); err != nil {
		return 0, err
	}
	if err := re.takeAgain(ctx, tx, p, changes); err != nil {
		return 0, err
	}
	return owed, re.countAgain(ctx, tx, changes)
}

// countAgain adds to the tier counters what more, or less, runs through them now.
func (re *replay) countAgain(ctx context.Context, tx *db.Tx, changes []change) error {
	b, counters := re.book, map[tier]int64{}
	for i := range changes {
		c := &changes[i]
		price, ok := b.shelf.PriceAt(c.product, c.meter.Factor, c.Start())
		if !ok {
			continue
		}
		key, ok := tierOf(price, &c.line)
		if !ok {
			continue
		}
		if _, seen := counters[key]; !seen {
			already, err := readTier(ctx, tx, b.customer, key)
			if err != nil {
				return err
			}
			counters[key] = already
		}
		counters[key] += (c.quantity - c.covered) - (c.before.quantity - c.before.covered)
	}
	return setTiers(ctx, tx, b.customer, counters)
}

// corrections adds changes up by meter and bill cycle: what each comes to as a line of its own, at the first that changed.
func corrections(changes []change) (deltas []line) {
	at := map[group]int{}
	for i := range changes {
		c := &changes[i]
		g := groupOf(&c.line)
		j, ok := at[g]
		if !ok {
			j = len(deltas)
			at[g] = j
			deltas = append(deltas, line{Bucket: c.Bucket, meter: c.meter, product: c.product, first: c.first, last: c.last, kind: c.kind, unitPrice: c.unitPrice})
		}
		sum := &deltas[j]
		sum.quantity += c.quantity - c.before.quantity
		sum.covered += c.covered - c.before.covered
		sum.official += c.official - c.before.official
		sum.discount += c.discount - c.before.discount
		if sum.corrects == "" {
			sum.corrects = c.before.fee
		}
		if over := c.coupon - max(0, c.official-c.discount); over > 0 { // a coupon paid more than it comes to now
			sum.coupon -= over
			c.coupon -= over
		}
	}
	for i := range deltas { // what coupons paid goes back to nobody
		deltas[i].coupon = max(deltas[i].coupon, min(0, deltas[i].official-deltas[i].discount))
	}
	return deltas
}

// group is what a correction is for: a meter in a bill cycle.
type group struct {
	meter int64
	cycle period.Cycle
}

func groupOf(l *line) group { return group{l.meter.No, period.CycleOf(l.Start())} }

// takeAgain writes what the changed lines take from packages now, and the difference to what they took.
func (re *replay) takeAgain(ctx context.Context, tx *db.Tx, p *Plan, changes []change) error {
	var rows [][]any
	var taken []quota.Taken
	b := re.book
	for i := range changes {
		l := &changes[i].line
		now := map[quota.Pool]taking{}
		for _, t := range l.takes {
			now[t.Pool] = t
			rows = append(rows, coverRow(b.customer, l, t))
		}
		for _, c := range re.covers[placeOf(l)] {
			if err := deleteCover(ctx, tx, b.customer, &c); err != nil {
				return err
			}
			t, ok := now[c.pool]
			if !ok {
				t.Source = b.sourceOf(c.pool)
			}
			t.amount -= c.used
			now[c.pool] = t
		}
		for _, t := range now {
			if t.amount != 0 {
				taken = append(taken, quota.Taken{Source: t.Source, Amount: t.amount, Resource: l.meter.Resource, From: consumed(l).Start, To: consumed(l).End})
			}
		}
	}
	if err := insertCovers(ctx, tx, rows); err != nil {
		return err
	}
	slices.SortFunc(taken, func(a, b quota.Taken) int { // what is given back first
		return cmp.Or(cmp.Compare(a.Amount, b.Amount), cmp.Compare(a.ID, b.ID), cmp.Compare(a.Resource, b.Resource), a.From.Compare(b.From))
	})
	before := map[quota.Pool]int64{}
	for i := range taken {
		if _, ok := before[taken[i].Pool]; !ok {
			used, err := quota.UsedOf(ctx, tx, b.customer, taken[i].Pool)
			if err != nil {
				return err
			}
			before[taken[i].Pool] = used
		}
	}
	return quota.Take(ctx, tx, ident.Stream("correction of packages", p.due.Customer, fmt.Sprint(p.version)), b.customer, taken, before)
}

// sourceOf finds the item of a pool.
func (b *book) sourceOf(pool quota.Pool) quota.Source {
	for i := range b.packages {
		if p := &b.packages[i]; p.ID == pool.Package {
			for j := range p.Items {
				if p.Items[j].No == pool.Item {
					return quota.Source{Package: p, Item: &p.Items[j], Pool: pool}
				}
			}
		}
	}
	return quota.Source{}
}

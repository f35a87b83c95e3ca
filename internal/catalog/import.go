package catalog

import (
	"context"
	"fmt"
	"time"

	"github.com/purser-cloud/purser/internal/db"
)

// Changes is what an import changed, or would change.
type Changes struct {
	Added, Changed, Removed int
	Lines                   []string // readable, one a change, at most linesMost
	Version                 int64    // of the catalogue afterwards
}

// linesMost bounds the readable part of a change.
const linesMost = 1000

// Nothing says that the files and the catalogue are the same.
func (c *Changes) Nothing() bool { return c.Added+c.Changed+c.Removed == 0 }

func (c *Changes) line(mark byte, format string, args ...any) {
	switch mark {
	case '+':
		c.Added++
	case '-':
		c.Removed++
	default:
		c.Changed++
	}
	if len(c.Lines) < linesMost {
		c.Lines = append(c.Lines, string(mark)+" "+fmt.Sprintf(format, args...))
	}
}

// work is what an import has to write.
type work struct {
	changes   Changes
	problems  []string
	items     []item
	dropItems []item
	products  []*Product
	prices    []pricing
	dropped   []pricing
}

// Version is how often the catalogue has been changed.
func Version(ctx context.Context, r db.Reader) (int64, error) { return readVersion(ctx, r) }

// Plan says what an import would change at the reader's business instant, and refuses what must not change. With
// rewrite, prices in effect may change too.
func Plan(ctx context.Context, r db.Reader, c *Content, rewrite bool) (*Changes, error) {
	w, err := plan(ctx, r, c, rewrite)
	if err != nil {
		return nil, err
	}
	return &w.changes, nil
}

// Import makes the catalogue what the content says: all of it, or nothing with the error. It may take about a
// second for thousands of products; readers go on with the catalogue before it.
func Import(ctx context.Context, tx *db.Tx, c *Content, rewrite bool) (*Changes, error) {
	w, err := plan(ctx, tx, c, rewrite)
	if err != nil {
		return nil, err
	}
	if w.changes.Nothing() {
		return &w.changes, nil
	}
	for _, i := range w.dropItems {
		if err := dropItem(ctx, tx, i.kind, i.name); err != nil {
			return nil, fmt.Errorf("import the catalogue: %w", err)
		}
	}
	for _, p := range w.dropped {
		if err := dropPrice(ctx, tx, p.product, p.from); err != nil {
			return nil, fmt.Errorf("import the catalogue: %w", err)
		}
	}
	steps := []func() error{
		func() error { return putItems(ctx, tx, w.items) },
		func() error { return putProducts(ctx, tx, w.products) },
		func() error { return putPrices(ctx, tx, w.prices) },
		func() error { return bumpVersion(ctx, tx) },
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return nil, fmt.Errorf("import the catalogue: %w", err)
		}
	}
	w.changes.Version++
	return &w.changes, nil
}

func plan(ctx context.Context, r db.Reader, c *Content, rewrite bool) (*work, error) {
	now, _ := r.Instant()
	w := &work{}
	var err error
	if w.changes.Version, err = readVersion(ctx, r); err != nil {
		return nil, err
	}
	old, err := load(ctx, r)
	if err != nil {
		return nil, err
	}
	if err := w.compareItems(old, c); err != nil {
		return nil, err
	}
	if err := w.compareProducts(old, c, now, rewrite); err != nil {
		return nil, err
	}
	if len(w.problems) > 0 {
		if len(w.problems) > problemsMost {
			w.problems = append(w.problems[:problemsMost], "… and more")
		}
		return nil, &ProblemsError{w.problems}
	}
	return w, nil
}

func (w *work) compareItems(old, new *Content) error {
	before, err := old.items()
	if err != nil {
		return err
	}
	after, err := new.items()
	if err != nil {
		return err
	}
	type name struct{ kind, name string }
	kept := make(map[name]item, len(before))
	for _, i := range before {
		kept[name{i.kind, i.name}] = i
	}
	for _, i := range after {
		was, known := kept[name{i.kind, i.name}]
		delete(kept, name{i.kind, i.name})
		switch {
		case !known:
			w.changes.line('+', "%s %s", i.kind, i.name)
		case was.body != i.body:
			w.changes.line('~', "%s %s: %s -> %s", i.kind, i.name, was.body, i.body)
		case was.position == i.position:
			continue
		}
		w.items = append(w.items, i) // moved only: kept in its new place, not worth a line
	}
	for _, i := range before {
		if _, gone := kept[name{i.kind, i.name}]; gone {
			w.changes.line('-', "%s %s", i.kind, i.name)
			w.dropItems = append(w.dropItems, i)
		}
	}
	return nil
}

func (w *work) compareProducts(old, new *Content, now time.Time, rewrite bool) error {
	kept := make(map[productKey]*Product, len(old.Products))
	for i := range old.Products {
		kept[old.Products[i].key()] = &old.Products[i]
	}
	for i := range new.Products {
		p := &new.Products[i]
		was := kept[p.key()]
		delete(kept, p.key())
		if err := w.compareProduct(was, p, now, rewrite); err != nil {
			return err
		}
	}
	for i := range old.Products {
		p := &old.Products[i]
		if _, gone := kept[p.key()]; gone && p.OnSale(now) {
			w.changes.line('-', "product %s in %s (%s): off sale", p.Spec, p.Region, p.ResourceType)
			p.offSale = db.Micros(now)
			w.products = append(w.products, p)
		}
	}
	return nil
}

func (w *work) compareProduct(was, p *Product, now time.Time, rewrite bool) error {
	var before string
	after, err := p.Package.text()
	if err == nil && was != nil {
		before, err = was.Package.text()
	}
	if err != nil {
		return err
	}
	switch {
	case was == nil:
		w.changes.line('+', "product %s in %s (%s)", p.Spec, p.Region, p.ResourceType)
		w.products = append(w.products, p)
		was = &Product{}
	case was.ID != p.ID:
		w.problems = append(w.problems, fmt.Sprintf("product %s in %s (%s) has the id %s, which cannot become %s", p.Spec, p.Region, p.ResourceType, was.ID, p.ID))
		return nil
	case was.Name != p.Name:
		w.changes.line('~', "product %s in %s: named %q, was %q", p.Spec, p.Region, p.Name.En, was.Name.En)
		w.products = append(w.products, p)
	case was.offSale != 0:
		w.changes.line('~', "product %s in %s: on sale again", p.Spec, p.Region)
		w.products = append(w.products, p)
	case before != after:
		// What was sold before holds what it held then: a grant has its own copy.
		w.changes.line('~', "package %s in %s: %s -> %s", p.Spec, p.Region, orNone(before), orNone(after))
		w.products = append(w.products, p)
	}
	return w.comparePrices(was, p, now, rewrite)
}

// orNone is how the text of a package that there is not is shown.
func orNone(text string) string {
	if text == "" {
		return "none"
	}
	return text
}

func (w *work) comparePrices(was, p *Product, now time.Time, rewrite bool) error {
	known := len(was.Prices) > 0
	before := make(map[int64]string, len(was.Prices))
	for i := range was.Prices {
		body, err := canonical(&was.Prices[i])
		if err != nil {
			return err
		}
		before[db.Micros(was.Prices[i].From)] = body
	}
	for i := range p.Prices {
		from, at := db.Micros(p.Prices[i].From), p.Prices[i].From.Format(time.RFC3339)
		body, err := canonical(&p.Prices[i])
		if err != nil {
			return err
		}
		old, was := before[from]
		delete(before, from)
		if was && old == body {
			continue
		}
		inEffect := !p.Prices[i].From.After(now)
		switch {
		case known && inEffect && was && !rewrite:
			w.problems = append(w.problems, fmt.Sprintf("%s in %s: the price from %s is in effect and cannot change; add an entry with a later from", p.Spec, p.Region, at))
		case known && inEffect && !rewrite:
			w.problems = append(w.problems, fmt.Sprintf("%s in %s: a new price cannot take effect in the past (%s)", p.Spec, p.Region, at))
		case was:
			w.changes.line('~', "price of %s in %s from %s: %s -> %s", p.Spec, p.Region, at, old, body)
		case known:
			w.changes.line('+', "price of %s in %s from %s: %s", p.Spec, p.Region, at, body)
		}
		w.prices = append(w.prices, pricing{p.ID, from, body})
	}
	for i := range was.Prices {
		from := db.Micros(was.Prices[i].From)
		if _, gone := before[from]; !gone {
			continue
		}
		at := was.Prices[i].From.Format(time.RFC3339)
		if !was.Prices[i].From.After(now) && !rewrite {
			w.problems = append(w.problems, fmt.Sprintf("%s in %s: the price from %s is in effect and cannot be taken away", p.Spec, p.Region, at))
		}
		w.changes.line('-', "price of %s in %s from %s", p.Spec, p.Region, at)
		w.dropped = append(w.dropped, pricing{product: p.ID, from: from})
	}
	return nil
}

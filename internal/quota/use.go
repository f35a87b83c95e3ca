package quota

import (
	"cmp"
	"context"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/purser-cloud/purser/internal/catalog"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/ident"
	"github.com/purser-cloud/purser/internal/money"
)

// Pool is what an item holds in one cycle.
type Pool struct {
	Package string
	Item    int32
	K       int
}

// ForUsage lists a customer's packages that are in force at any time of a span (from inclusive, to exclusive).
func ForUsage(ctx context.Context, r db.Reader, customer string, from, to time.Time) ([]Package, error) {
	return forUsage(ctx, r, customer, from, to)
}

// UsedOf says what was used of a pool of a customer.
func UsedOf(ctx context.Context, r db.Reader, customer string, p Pool) (int64, error) {
	return usedOf(ctx, r, customer, p)
}

// Pools says what was used of all pools of a customer.
func Pools(ctx context.Context, r db.Reader, customer string) (map[Pool]int64, error) {
	return pools(ctx, r, customer)
}

// Wanted is usage that looks for packages.
type Wanted struct {
	ResourceType, UsageType, Spec, Region, Project string
	At                                             time.Time // business instant that it counts at
}

// Source is an item that covers usage, with the pool it is taken from.
type Source struct {
	*Package
	Item *Item
	Pool Pool
}

// Sources are the items that cover some usage, in the order in which they are used (billing-rules 4): those for its
// enterprise project before those for all, items for certain products before those for all of a resource type, gifts before
// what was bought; then what ends first, where the end of a cycle is an end, of equals the resettable one, then by id.
func Sources(packages []Package, w *Wanted) []Source {
	var out []Source
	for i := range packages {
		p := &packages[i]
		if w.At.Before(p.Effective) || !w.At.Before(p.Expires) || !p.Ended.IsZero() && !w.At.Before(p.Ended) || p.Region != w.Region || p.Project != "" && p.Project != w.Project {
			continue
		}
		for j := range p.Items {
			item := &p.Items[j]
			if item.Whole == 0 || item.ResourceType != w.ResourceType || !strings.EqualFold(item.UsageType, w.UsageType) || len(item.Specs) > 0 && !slices.Contains(item.Specs, w.Spec) {
				continue
			}
			k, _ := p.Running(w.At)
			out = append(out, Source{p, item, Pool{p.ID, item.No, k}})
		}
	}
	if len(out) > 1 {
		slices.SortStableFunc(out, func(a, b Source) int {
			return cmp.Or(-compareTruth(a.Project != "", b.Project != ""), -compareTruth(len(a.Item.Specs) > 0, len(b.Item.Specs) > 0), -cmp.Compare(a.Source, b.Source),
				a.Span(a.Pool.K).End.Compare(b.Span(b.Pool.K).End), cmp.Compare(a.Reuse, b.Reuse), cmp.Compare(a.ID, b.ID))
		})
	}
	return out
}

func compareTruth(a, b bool) int { return cmp.Compare(db.Bool(a), db.Bool(b)) }

// Taken is what one meter's usage took from a pool; below zero it gives back.
type Taken struct {
	Source
	Amount   int64 // at the item's scale
	Resource string
	From, To time.Time // when it was used
}

// Take keeps what was taken: the pools, what is left to be shown, and a record of each use, in the given order. used is what
// the pools held used before; it is brought up to date.
func Take(ctx context.Context, tx *db.Tx, random io.Reader, customer string, taken []Taken, used map[Pool]int64) error {
	if len(taken) == 0 {
		return nil
	}
	rows := make([][]any, len(taken))
	var pools []Source
	seen := map[Pool]bool{}
	for i := range taken {
		t := &taken[i]
		before := t.Item.left(used[t.Pool])
		used[t.Pool] += t.Amount
		after := t.Item.left(used[t.Pool])
		amount, err := before.Sub(after)
		if err != nil {
			return err
		}
		id, err := ident.NewTradeID(random, tx.Now)
		if err != nil {
			return err
		}
		rows[i] = []any{customer, string(id), t.ID, int64(t.Item.No), t.Resource, before.String(), amount.String(), after.String(), db.Micros(t.From), db.Micros(t.To), db.Micros(tx.Now)}
		if !seen[t.Pool] {
			seen[t.Pool] = true
			pools = append(pools, t.Source)
		}
	}
	if err := insertUses(ctx, tx, rows); err != nil {
		return err
	}
	for i := range pools {
		if err := pools[i].keep(ctx, tx, customer, used[pools[i].Pool]); err != nil {
			return err
		}
	}
	return nil
}

// keep writes what is used of a pool; that of the latest cycle is what is shown.
func (s *Source) keep(ctx context.Context, tx *db.Tx, customer string, used int64) error {
	if err := setPool(ctx, tx, customer, s.Pool, used); err != nil || s.Pool.K < s.Item.K {
		return err
	}
	s.Item.K, s.Item.Used, s.Item.Rest = s.Pool.K, used, s.Item.left(used)
	if err := setItem(ctx, tx, customer, s.ID, s.Item); err != nil {
		return err
	}
	until := s.Span(s.Pool.K).End
	for i := range s.Items {
		if item := &s.Items[i]; item.K != s.Pool.K || item.Used < item.Whole {
			until = time.Time{}
		}
	}
	if until.Equal(s.EmptyUntil) {
		return nil
	}
	s.EmptyUntil = until
	return setEmpty(ctx, tx, s.Package)
}

// left is what is left of an item of which so much is used, in its own unit, cut at 10 decimals.
func (i *Item) left(used int64) money.Decimal {
	switch {
	case used == 0:
		return i.Amount
	case used > i.Whole: // for a moment, while a replay is written in parts
		used = i.Whole
	}
	w := money.CutQuantity(i.Amount, i.Whole-used, i.Whole)
	d, err := money.DecimalOfWide(w, money.QuotedDecimals)
	if err != nil {
		return money.Decimal{} // not above Amount, which fits
	}
	return d
}

// UseQuery filters uses of packages; empty fields leave nothing out. From and To bound when it was deducted, business time.
type UseQuery struct {
	Package      string
	Item         int32
	Product      string
	ResourceType string
	From, To     time.Time
	Within       []string // enterprise projects that packages alone serve; nil: all packages
}

// UseRecord is one use of a package.
type UseRecord struct {
	Package             string
	Item                int32
	Resource            string
	Before, Used, After string    // in Unit
	From, To            time.Time // when it was used
	At                  time.Time // deducted
	Product             string
	Name                catalog.Text
	ResourceType        string
	UsageType           string
	Unit                int32
}

// Uses pages through the uses of a customer's packages, newest first.
func Uses(ctx context.Context, r db.Reader, customer string, q *UseQuery, offset, limit int) (total int, page []UseRecord, err error) {
	return uses(ctx, r, customer, q, offset, limit)
}

// ByItems lists the packages that have items with these ids (free_resource_id), with those items only; all packages without
// ids. Those that expired over 18 months ago are left out. within: of these enterprise projects only; nil: all.
func ByItems(ctx context.Context, r db.Reader, customer string, ids, within []string) ([]Package, error) {
	now, _ := r.Instant()
	list, err := forUsage(ctx, r, customer, now.AddDate(0, -shownFor, 0), now.AddDate(100, 0, 0))
	if within != nil {
		list = slices.DeleteFunc(list, func(p Package) bool { return !slices.Contains(within, p.Project) })
	}
	if err != nil || len(ids) == 0 {
		return list, err
	}
	out := list[:0]
	for i := range list {
		p := list[i]
		p.Items = slices.DeleteFunc(slices.Clone(p.Items), func(item Item) bool { return !slices.Contains(ids, p.ItemID(&item)) })
		if len(p.Items) > 0 {
			out = append(out, p)
		}
	}
	return out, nil
}

// ItemOf takes an item's id apart; false when it is none.
func ItemOf(id string) (pack string, no int32, ok bool) {
	at := strings.LastIndexByte(id, '-')
	if at < 0 {
		return "", 0, false
	}
	n, err := strconv.Atoi(id[at+1:])
	return id[:at], int32(n), err == nil
}

package charge

import (
	"context"
	"fmt"
	"time"

	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/period"
)

// List pages through a customer's fee records of a cycle, by when they were charged and id. What is kept says how many there
// are on each day on which they were booked, unless the filter names single things: only the days that a page lies on are
// walked, each from its nearer end, so that the last page costs what the first one does.
func List(ctx context.Context, r db.Reader, customer string, cycle period.Cycle, f *Filter, offset, limit int) (total int, page []Fee, err error) {
	if f, err = f.placed(ctx, r, customer, cycle); err != nil {
		return 0, nil, err
	}
	if f.single() || !f.Before.IsZero() {
		if total, err = countOf(ctx, r, customer, cycle, f); err != nil || limit == 0 || offset >= total {
			return total, nil, err
		}
		page, err = pageOf(ctx, r, customer, cycle, f, window{offset: offset, limit: limit})
		return total, page, err
	}
	days, err := daysOf(ctx, r, customer, cycle, f)
	if err != nil {
		return 0, nil, err
	}
	for _, d := range days {
		from, left := offset-total, limit-len(page) // where the page goes on within the day
		total += d.records
		if left == 0 || from >= d.records {
			continue
		}
		from = max(0, from)
		w := window{span: d.booked.Span(), offset: from, limit: min(left, d.records-from)}
		if rest := d.records - from - w.limit; rest < from {
			w.offset, w.backward = rest, true
		}
		more, err := pageOf(ctx, r, customer, cycle, f, w)
		if err != nil {
			return 0, nil, err
		}
		page = append(page, more...)
	}
	return total, page, nil
}

// window is a part of a customer's fee records of a cycle, in their order.
type window struct {
	span          period.Span // traded within it; the zero span: whenever
	offset, limit int
	backward      bool // offset counts from the end
}

// dayCount is how many records were booked on a day.
type dayCount struct {
	booked  period.Date
	records int
}

// counted counts records by a column that no index holds: SQLite would else walk an index of all instead of looking up those that are named.
const counted = `count(amount)`

// countOf is how many records a filter wants that what is kept does not answer.
func countOf(ctx context.Context, r db.Reader, customer string, cycle period.Cycle, f *Filter) (total int, err error) {
	where, args := f.where(customer, cycle, true)
	if err = r.QueryRow(ctx, `SELECT `+counted+` FROM charge_fee`+where, args...).Scan(&total); err != nil {
		return 0, fmt.Errorf("count fees: %w", err)
	}
	return total, nil
}

// Grain is how fee records are added up by resource.
type Grain int32

// The grains, with the numbers of the contract's statistic types.
const (
	ByCycle Grain = 1
	ByDay   Grain = 2
)

// Resource is what the fee records of one resource come to, of one bill type, mode and product, in a cycle or on a day of the
// bill. Records of yearly/monthly resources are added up by their order.
type Resource struct {
	Sum
	Instance string // inside the house; empty for usage
	Cloud    string // the cloud's id of what is used; empty for a yearly/monthly resource
	Product  string
	Spec     string
	Factor   string // usage type
	Trade    string // the order; of usage the first settlement
	Base     string // of what was given back: the order that it gives back
	Unit     int32  // of the usage; with Scale
	Scale    int
	Used     int64
	Covered  int64
	Consumed period.Span // from the first start to the last end
	Traded   time.Time   // the last one
}

const (
	groups = `instance, resource, bill_type, charge_mode, service, resource_type, product, spec, region, project, payer, usage_type, usage_unit, scale,
		CASE WHEN bill_type = 5 THEN '' ELSE trade END`
	groupTotals = `CAST(count(*) AS BIGINT), CAST(sum(CASE WHEN amount = 0 THEN 1 ELSE 0 END) AS BIGINT), CAST(sum(official) AS BIGINT), CAST(sum(discount) AS BIGINT), CAST(sum(amount) AS BIGINT),
		CAST(sum(cash) AS BIGINT), CAST(sum(credit) AS BIGINT), CAST(sum(coupon) AS BIGINT), CAST(sum(flexi) AS BIGINT), CAST(sum(stored) AS BIGINT),
		CAST(sum(bonus) AS BIGINT), CAST(sum(debt) AS BIGINT), CAST(sum(adjustment) AS BIGINT),
		min(trade), max(base), CAST(sum(used) AS BIGINT), CAST(sum(covered) AS BIGINT), min(consumed_from), max(consumed_to), max(traded_at)`
)

// Resources adds a customer's fee records of a cycle up by resource and pages through what they come to.
func Resources(ctx context.Context, r db.Reader, customer string, cycle period.Cycle, f *Filter, grain Grain, offset, limit int) (total int, page []Resource, err error) {
	placed, err := f.placed(ctx, r, customer, cycle)
	if err != nil {
		return 0, nil, err
	}
	records, having := *placed, ""
	if f.NoZeros { // rows that come to nothing, not what a row is made of
		records.NoZeros, having = false, ` HAVING sum(amount) <> 0`
	}
	where, args := records.where(customer, cycle, true)
	day := `CAST(0 AS BIGINT)`
	if grain == ByDay {
		day = dayText
	}
	group := fmt.Sprintf(` FROM charge_fee%s GROUP BY %s, %s%s`, where, day, groups, having)
	if limit > 0 {
		if page, err = resources(ctx, r, customer, cycle, fmt.Sprintf(`SELECT %s, %s, %s%s`, day, groups, groupTotals, group), args, offset, limit); err != nil {
			return 0, nil, err
		}
		if offset == 0 && len(page) < limit { // a first page that is not full is all there is
			return len(page), page, nil
		}
	}
	if err := r.QueryRow(ctx, `SELECT count(*) FROM (SELECT count(*)`+group+`) grouped`, args...).Scan(&total); err != nil {
		return 0, nil, fmt.Errorf("count resources of fees: %w", err)
	}
	return total, page, nil
}

func resources(ctx context.Context, r db.Reader, customer string, cycle period.Cycle, text string, args []any, offset, limit int) (page []Resource, err error) {
	n := len(args)
	rows, err := r.Query(ctx, fmt.Sprintf(`%s ORDER BY 1, service, resource_type, resource, instance, bill_type, charge_mode, usage_type, product, region, project, payer, 16, usage_unit, scale LIMIT $%d OFFSET $%d`,
		text, n+1, n+2), append(args[:n:n], int64(limit), int64(offset))...)
	if err != nil {
		return nil, fmt.Errorf("sum fees by resource: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		x := Resource{Sum: Sum{Key: Key{Customer: customer, Cycle: cycle}}}
		var order string
		var from, to, traded int64
		into := []any{&x.Day, &x.Instance, &x.Cloud, &x.Bill, &x.Mode, &x.Service, &x.ResourceType, &x.Product, &x.Spec, &x.Region, &x.Project, &x.Payer, &x.Factor, &x.Unit, &x.Scale, &order}
		into = append(append(into, x.totals()...), &x.Trade, &x.Base, &x.Used, &x.Covered, &from, &to, &traded)
		if err := rows.Scan(into...); err != nil {
			return nil, fmt.Errorf("sum fees by resource: %w", err)
		}
		x.Consumed, x.Traded = period.Span{Start: db.TimeOf(from), End: db.TimeOf(to)}, db.TimeOf(traded)
		page = append(page, x)
	}
	return page, rows.Err()
}

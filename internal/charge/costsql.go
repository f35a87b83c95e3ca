package charge

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/period"
)

// costColumns are the columns of sums and of records by what they are added up by.
var costColumns = [...]string{
	ColumnCycle: "cycle", ColumnDay: "day", ColumnCustomer: "customer", ColumnBill: "bill_type", ColumnMode: "charge_mode", ColumnService: "service", ColumnType: "resource_type",
	ColumnRegion: "region", ColumnProject: "project", ColumnPayer: "payer", ColumnSpec: "spec", ColumnUsageType: "usage_type", ColumnResource: "resource, instance",
}

// costDay is a record's day of the bill, as Fee.Day says it.
const costDay = `(CASE WHEN used_cycle <> 0 THEN traded_at ELSE consumed_from END + 28800000000) / 86400000000`

// notByTerm leaves out what is charged by term; costs of taxes stay.
const notByTerm = ` AND NOT (charge_mode = 1 AND bill_type IN (1, 2, 3, 4, 8, 20, 24))`

func costs(ctx context.Context, r db.Reader, q *CostQuery, each func(*Cost) error) error {
	text, args := costText(q)
	rows, err := r.Query(ctx, text, args...)
	if err != nil {
		return fmt.Errorf("sum costs: %w", err)
	}
	defer rows.Close()
	var c Cost
	into := costInto(&c, q.By)
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return fmt.Errorf("sum costs: %w", err)
		}
		if err := each(&c); err != nil {
			return err
		}
	}
	return rows.Err()
}

// costText makes the query: of what is kept when that has all columns, else of the records.
func costText(q *CostQuery) (string, []any) {
	names := make([]string, len(q.By))
	for i, c := range q.By {
		names[i] = costColumns[c]
	}
	by := strings.Join(names, ", ")
	args := []any{q.Customer, int64(period.CycleOf(q.From.Span().Start)), int64(period.CycleOf(q.To.Span().Start)), int64(q.From), int64(q.To)}
	table, picked, day := "charge_sum", by, "day"
	if slices.ContainsFunc(q.By, func(c Column) bool { return c > ColumnPayer }) {
		table, day = "charge_fee", costDay
		picked = strings.Replace(by, costColumns[ColumnDay], costDay+" AS day", 1)
	}
	more := db.Within("project", q.Within, &args)
	if q.Unspread {
		more += notByTerm
	}
	if q.Until != 0 && table == "charge_sum" {
		args = append(args, int64(q.Until))
		more += fmt.Sprintf(` AND booked <= $%d`, len(args))
	} else if q.Until != 0 {
		args = append(args, db.Micros(q.Until.Span().End))
		more += fmt.Sprintf(` AND traded_at < $%d`, len(args))
	}
	cond := ` cycle >= $2 AND cycle <= $3 AND ` + day + ` >= $4 AND ` + day + ` <= $5` + more
	if picked != "" {
		picked += ", "
	}
	picked += `official, amount, coupon + flexi + stored AS card`
	text := `CAST(coalesce(sum(official), 0) AS BIGINT), CAST(coalesce(sum(amount), 0) AS BIGINT), CAST(coalesce(sum(card), 0) AS BIGINT)
		FROM (SELECT ` + picked + ` FROM ` + table + ` WHERE customer = $1 AND` + cond + `
		UNION ALL SELECT ` + picked + ` FROM ` + table + ` WHERE payer = $1 AND payer <> customer AND` + cond + `) both_ways`
	if by == "" {
		return `SELECT ` + text, args
	}
	return `SELECT ` + by + `, ` + text + ` GROUP BY ` + by + ` ORDER BY ` + by, args
}

func costInto(c *Cost, by []Column) []any {
	fields := [...]any{
		ColumnCycle: &c.Cycle, ColumnDay: &c.Day, ColumnCustomer: &c.Customer, ColumnBill: &c.Bill, ColumnMode: &c.Mode, ColumnService: &c.Service, ColumnType: &c.ResourceType,
		ColumnRegion: &c.Region, ColumnProject: &c.Project, ColumnPayer: &c.Payer, ColumnSpec: &c.Spec, ColumnUsageType: &c.UsageType, ColumnResource: &c.Resource,
	}
	var out []any
	for _, b := range by {
		if out = append(out, fields[b]); b == ColumnResource {
			out = append(out, &c.Instance)
		}
	}
	return append(out, &c.Official, &c.Amount, &c.Coupon)
}

func byTerm(ctx context.Context, r db.Reader, customer string, from, to period.Date, projects []string, each func(*Fee) error) error {
	args := []any{customer, db.Micros(from.Span().Start), db.Micros(to.Span().Start)}
	cond := `charge_mode = 1 AND bill_type IN (1, 2, 3, 4, 8, 20, 24) AND consumed_from >= $2 AND consumed_from < $3` + db.Within("project", projects, &args)
	rows, err := r.Query(ctx, `SELECT `+columns+` FROM charge_fee WHERE customer = $1 AND `+cond+`
		UNION ALL SELECT `+columns+` FROM charge_fee WHERE payer = $1 AND payer <> customer AND `+cond, args...)
	if err != nil {
		return fmt.Errorf("read what was charged by term: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		f, err := scan(rows)
		if err != nil {
			return fmt.Errorf("read what was charged by term: %w", err)
		}
		if err := each(&f); err != nil {
			return err
		}
	}
	return rows.Err()
}

func paidFor(ctx context.Context, r db.Reader, payer string) ([]string, error) {
	rows, err := r.Query(ctx, `SELECT DISTINCT customer FROM charge_sum WHERE payer = $1 AND payer <> customer ORDER BY customer`, payer)
	if err != nil {
		return nil, fmt.Errorf("list who is paid for: %w", err)
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var customer string
		if err := rows.Scan(&customer); err != nil {
			return nil, fmt.Errorf("list who is paid for: %w", err)
		}
		out = append(out, customer)
	}
	return out, rows.Err()
}

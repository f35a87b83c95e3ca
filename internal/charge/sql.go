package charge

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/period"
)

const columns = `customer, id, cycle, bill_type, charge_mode, trade, line, instance, service, resource_type, product, spec, region, project,
	payer, official, discount, amount, cash, credit, coupon, flexi, stored, bonus, debt, adjustment, consumed_from, consumed_to, traded_at, recorded_at,
	resource, usage_type, used, covered, scale, usage_unit, unit_price, size, size_unit, corrects,
	used_cycle, base, tax_rate, within`

var columnNames = db.Columns(columns)

func (f *Fee) row() []any {
	p, size := &f.Parts, ""
	if f.Size.Unit != 0 {
		size = f.Size.Value.String()
	}
	return []any{
		f.Customer, f.ID, int64(f.Cycle), int64(f.Bill), int64(f.Mode), f.Trade, int64(f.Line), f.Instance, f.Service,
		f.ResourceType, f.Product, f.Spec, f.Region, f.Project, f.Payer, int64(f.Official), int64(f.Discount), int64(f.Amount), int64(p.Cash),
		int64(p.Credit), int64(p.Coupon), int64(p.Flexi), int64(p.Stored), int64(p.Bonus), int64(p.Debt), int64(p.Adjustment),
		db.Micros(f.Consumed.Start), db.Micros(f.Consumed.End), db.Micros(f.Traded), db.Micros(f.Recorded),
		f.Resource, f.UsageType, f.Used, f.Covered, int64(f.Scale), int64(f.UsageUnit), int64(f.UnitPrice), size, int64(f.Size.Unit), f.Corrects,
		int64(f.UsedCycle), f.Base, f.TaxRate, int64(f.Within),
	}
}

func load(ctx context.Context, tx *db.Tx, rows [][]any) error {
	var err error
	if len(rows) < copyLeast {
		_, err = tx.Bulk(ctx, "charge_fee", columnNames, rows, "")
	} else {
		err = tx.Load(ctx, "charge_fee", columnNames, rows)
	}
	if err != nil {
		return fmt.Errorf("record fees: %w", err)
	}
	return nil
}

// copyLeast is how many rows are worth a COPY.
const copyLeast = 20

func ofCycle(ctx context.Context, r db.Reader, customer string, cycle period.Cycle, within []string, offset, limit int) (total int, page []Fee, err error) {
	args := []any{customer, int64(cycle)}
	where := ` FROM charge_fee WHERE customer = $1 AND cycle = $2` + db.Within("project", within, &args)
	if err := r.QueryRow(ctx, `SELECT count(*)`+where, args...).Scan(&total); err != nil {
		return 0, nil, fmt.Errorf("count fees: %w", err)
	}
	n := len(args)
	page, err = collect(0)(r.Query(ctx, fmt.Sprintf(`SELECT %s%s ORDER BY traded_at, id LIMIT $%d OFFSET $%d`, columns, where, n+1, n+2),
		append(args, int64(limit), int64(offset))...))
	return total, page, err
}

func ofTrade(ctx context.Context, r db.Reader, customer, trade string) ([]Fee, error) {
	return collect(0)(r.Query(ctx, `SELECT `+columns+` FROM charge_fee WHERE customer = $1 AND trade = $2 ORDER BY line, bill_type, instance`, customer, trade))
}

// collect reads fees, about as many as is said.
func collect(about int) func(db.Rows, error) ([]Fee, error) {
	return func(rows db.Rows, err error) ([]Fee, error) {
		if err != nil {
			return nil, fmt.Errorf("read fees: %w", err)
		}
		defer rows.Close()
		out := make([]Fee, 0, about)
		for rows.Next() {
			f, err := scan(rows)
			if err != nil {
				return nil, fmt.Errorf("read fees: %w", err)
			}
			out = append(out, f)
		}
		return out, rows.Err()
	}
}

func paidBy(ctx context.Context, r db.Reader, payer string) (sum money.Amount, err error) {
	err = r.QueryRow(ctx, `SELECT CAST(coalesce(sum(amount), 0) AS BIGINT) FROM (
		SELECT amount FROM charge_fee WHERE customer = $1 AND payer = customer
		UNION ALL SELECT amount FROM charge_fee WHERE payer = $1 AND payer <> customer) both_ways`, payer).Scan(&sum)
	if err != nil {
		return 0, fmt.Errorf("sum fees: %w", err)
	}
	return sum, nil
}

func spentIn(ctx context.Context, r db.Reader, customer, project string, cycle period.Cycle) (sum money.Amount, err error) {
	err = r.QueryRow(ctx, `SELECT CAST(coalesce(sum(amount - coupon), 0) AS BIGINT) FROM charge_fee WHERE customer = $1 AND project = $2 AND cycle = $3`,
		customer, project, int64(cycle)).Scan(&sum)
	if err != nil {
		return 0, fmt.Errorf("sum what project %s cost: %w", project, err)
	}
	return sum, nil
}

func usageSums(ctx context.Context, r db.Reader, customer string, since period.Cycle) (map[string]UsageSum, error) {
	rows, err := r.Query(ctx, `SELECT resource, usage_type, spec, project, CASE WHEN used_cycle > 0 THEN used_cycle ELSE cycle END, CAST(sum(used) AS BIGINT), CAST(sum(covered) AS BIGINT),
		CAST(sum(official) AS BIGINT), CAST(sum(discount) AS BIGINT)
		FROM charge_fee WHERE customer = $1 AND bill_type = $2 AND cycle >= $3 AND (used_cycle = 0 OR used_cycle >= $3) GROUP BY 1, 2, 3, 4, 5`, customer, int64(Usage), int64(since))
	if err != nil {
		return nil, fmt.Errorf("sum fees of usage: %w", err)
	}
	defer rows.Close()
	out := map[string]UsageSum{}
	for rows.Next() {
		var resource, factor, spec, project string
		var cycle period.Cycle
		var s UsageSum
		if err := rows.Scan(&resource, &factor, &spec, &project, &cycle, &s.Used, &s.Covered, &s.Official, &s.Discount); err != nil {
			return nil, fmt.Errorf("sum fees of usage: %w", err)
		}
		out[UsageKey(resource, factor, spec, project, cycle)] = s
	}
	return out, rows.Err()
}

func debtOf(ctx context.Context, r db.Reader, payer string, from period.Cycle) (sum money.Amount, err error) {
	err = r.QueryRow(ctx, `SELECT CAST(coalesce(sum(debt), 0) AS BIGINT) FROM (
		SELECT debt FROM charge_sum WHERE customer = $1 AND cycle >= $2 AND payer = customer
		UNION ALL SELECT debt FROM charge_sum WHERE payer = $1 AND payer <> customer AND cycle >= $2) both_ways`, payer, int64(from)).Scan(&sum)
	if err != nil {
		return 0, fmt.Errorf("sum debts: %w", err)
	}
	return sum, nil
}

func scan(row db.Row) (f Fee, err error) {
	var from, to, traded, recorded int64
	p := &f.Parts
	var size string
	err = row.Scan(&f.Customer, &f.ID, &f.Cycle, &f.Bill, &f.Mode, &f.Trade, &f.Line, &f.Instance, &f.Service, &f.ResourceType, &f.Product, &f.Spec,
		&f.Region, &f.Project, &f.Payer, &f.Official, &f.Discount, &f.Amount, &p.Cash, &p.Credit, &p.Coupon, &p.Flexi, &p.Stored, &p.Bonus, &p.Debt,
		&p.Adjustment, &from, &to, &traded, &recorded,
		&f.Resource, &f.UsageType, &f.Used, &f.Covered, &f.Scale, &f.UsageUnit, &f.UnitPrice, &size, &f.Size.Unit, &f.Corrects,
		&f.UsedCycle, &f.Base, &f.TaxRate, &f.Within)
	if err == nil && size != "" {
		f.Size.Value, err = money.ParseDecimal(size)
	}
	f.Consumed = period.Span{Start: db.TimeOf(from), End: db.TimeOf(to)}
	f.Traded, f.Recorded = db.TimeOf(traded), db.TimeOf(recorded)
	return f, err
}

var sumColumns = []string{
	"customer", "cycle", "booked", "day", "bill_type", "charge_mode", "service", "resource_type", "region", "project", "payer",
	"records", "zeros", "official", "discount", "amount", "cash", "credit", "coupon", "flexi", "stored", "bonus", "debt", "adjustment",
}

const addSum = `ON CONFLICT (customer, cycle, booked, day, bill_type, charge_mode, service, resource_type, region, project, payer) DO UPDATE SET
	records = charge_sum.records + excluded.records, zeros = charge_sum.zeros + excluded.zeros, official = charge_sum.official + excluded.official,
	discount = charge_sum.discount + excluded.discount, amount = charge_sum.amount + excluded.amount, cash = charge_sum.cash + excluded.cash,
	credit = charge_sum.credit + excluded.credit, coupon = charge_sum.coupon + excluded.coupon, flexi = charge_sum.flexi + excluded.flexi,
	stored = charge_sum.stored + excluded.stored, bonus = charge_sum.bonus + excluded.bonus, debt = charge_sum.debt + excluded.debt,
	adjustment = charge_sum.adjustment + excluded.adjustment`

func keepSums(ctx context.Context, tx *db.Tx, sums []Sum) error {
	rows := make([][]any, len(sums))
	for i := range sums {
		s := &sums[i]
		rows[i] = []any{
			s.Customer, int64(s.Cycle), int64(s.Booked), int64(s.Day), int64(s.Bill), int64(s.Mode), s.Service, s.ResourceType, s.Region, s.Project, s.Payer,
			s.Records, s.Zeros, int64(s.Official), int64(s.Discount), int64(s.Amount),
		}
		for _, part := range s.Parts.list() {
			rows[i] = append(rows[i], int64(*part))
		}
	}
	if _, err := tx.Bulk(ctx, "charge_sum", sumColumns, rows, addSum); err != nil {
		return fmt.Errorf("keep sums of fees: %w", err)
	}
	return nil
}

// where says which rows of the sums, or of the records, a filter wants.
func (f *Filter) where(customer string, cycle period.Cycle, records bool) (text string, args []any) {
	text, args = ` WHERE customer = $1 AND cycle = $2`, []any{customer, int64(cycle)}
	if f.Resource != nil && *f.Resource != "" {
		text = ` WHERE customer || '' = $1 AND cycle + 0 = $2` // not by an index of the whole customer or cycle: see ofResource
	}
	and := func(condition string, value any) {
		args = append(args, value)
		text += fmt.Sprintf(` AND `+condition+` $%d`, len(args))
	}
	for _, k := range []struct {
		condition string
		value     *string
	}{
		{"service =", f.Service}, {"resource_type =", f.ResourceType}, {"region =", f.Region}, {"project =", f.Project}, {"payer =", f.Payer},
		{"trade =", f.Trade},
	} {
		if k.value != nil {
			and(k.condition, *k.value)
		}
	}
	if f.Mode != 0 {
		and("charge_mode =", int64(f.Mode))
	}
	if f.Bill != 0 {
		and("bill_type =", int64(f.Bill))
	}
	if f.Bills != nil {
		list := make([]int64, len(f.Bills))
		for i, b := range f.Bills {
			list[i] = int64(b)
		}
		text += ` AND bill_type IN ` + db.In(list, &args)
	}
	text += db.Within("project", f.Within, &args)
	switch { // one that became pay-per-use is both
	case f.Resource != nil && *f.Resource == "": // what is for no resource
		text += ` AND resource = '' AND instance = ''`
	case f.Resource != nil:
		text += f.ofResource(&args)
	case f.Instances != nil:
		text += db.Within("instance", f.Instances, &args)
	}
	day, booked := "day", "booked"
	if records {
		day, booked = dayText, bookedText
	}
	if f.From != 0 {
		and(day+" >=", int64(f.From))
	}
	if f.To != 0 {
		and(day+" <=", int64(f.To))
	}
	if f.Until != 0 && records {
		and("traded_at <", db.Micros(f.Until.Span().End))
	} else if f.Until != 0 {
		and(booked+" <=", int64(f.Until))
	}
	if !f.Before.IsZero() && records {
		and("traded_at <", db.Micros(f.Before))
	}
	if f.NoZeros && records {
		text += ` AND amount <> 0`
	}
	return text, args
}

// ofResource wants the records of a resource, and those of instances: each by its own index, that of resources by the quarters of the
// days on which something was booked. The casts keep SQLite from taking out what both have in common, which would find too much.
func (f *Filter) ofResource(args *[]any) string {
	quarters := make([]int64, 0, 4*len(f.booked))
	for _, day := range f.booked {
		for q := range int64(4) {
			quarters = append(quarters, 4*int64(day)+q)
		}
	}
	text := ` AND (customer = $1 AND cycle = $2` + db.Within(quarterText, quarters, args)
	*args = append(*args, *f.Resource)
	text += fmt.Sprintf(` AND resource = $%d AND resource <> ''`, len(*args))
	if len(f.Instances) > 0 {
		text += ` OR customer = CAST($1 AS TEXT) AND cycle = CAST($2 AS BIGINT)` + db.Within("instance", f.Instances, args) + ` AND instance <> ''`
	}
	return text + `)`
}

// order is that of fee records, in words that keep SQLite from walking the whole cycle in this order for the sake of one resource.
func (f *Filter) order(backward bool) string {
	text := `traded_at`
	if f.Resource != nil && *f.Resource != "" {
		text = `traded_at + 0`
	}
	if backward {
		return text + ` DESC, id DESC`
	}
	return text + `, id`
}

// bookedDays are the days on which something of a customer's cycle was booked.
func bookedDays(ctx context.Context, r db.Reader, customer string, cycle period.Cycle) (days []period.Date, err error) {
	rows, err := r.Query(ctx, `SELECT DISTINCT booked FROM charge_sum WHERE customer = $1 AND cycle = $2`, customer, int64(cycle))
	if err != nil {
		return nil, fmt.Errorf("days of fees: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var day period.Date
		if err := rows.Scan(&day); err != nil {
			return nil, fmt.Errorf("days of fees: %w", err)
		}
		days = append(days, day)
	}
	return days, rows.Err()
}

// Of a record, in GMT+8: the quarter of a day in which it was booked (four times the day, and which: as the index charge_fee_resource
// has it), the day, and the day of the bill.
const (
	quarterText = `((traded_at + 28800000000) / 21600000000)`

	bookedText = `((traded_at + 28800000000) / 86400000000)`
	dayText    = `(CASE WHEN used_cycle > 0 THEN (traded_at + 28800000000) / 86400000000 ELSE (consumed_from + 28800000000) / 86400000000 END)`
)

// totals are what each sum is made of.
const totals = `CAST(sum(records) AS BIGINT), CAST(sum(zeros) AS BIGINT), CAST(sum(official) AS BIGINT), CAST(sum(discount) AS BIGINT), CAST(sum(amount) AS BIGINT),
	CAST(sum(cash) AS BIGINT), CAST(sum(credit) AS BIGINT), CAST(sum(coupon) AS BIGINT), CAST(sum(flexi) AS BIGINT), CAST(sum(stored) AS BIGINT),
	CAST(sum(bonus) AS BIGINT), CAST(sum(debt) AS BIGINT), CAST(sum(adjustment) AS BIGINT)`

func (s *Sum) totals() []any {
	out := []any{&s.Records, &s.Zeros, &s.Official, &s.Discount, &s.Amount}
	for _, part := range s.Parts.list() {
		out = append(out, part)
	}
	return out
}

func products(ctx context.Context, r db.Reader, customer string, cycle period.Cycle, f *Filter) (out []Sum, err error) {
	where, args := f.where(customer, cycle, false)
	rows, err := r.Query(ctx, `SELECT bill_type, charge_mode, service, resource_type, project, payer, `+totals+` FROM charge_sum`+where+`
		GROUP BY bill_type, charge_mode, service, resource_type, project, payer ORDER BY bill_type, charge_mode, service, resource_type, project, payer`, args...)
	if err != nil {
		return nil, fmt.Errorf("sum fees: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		s := Sum{Key: Key{Customer: customer, Cycle: cycle}}
		if err := rows.Scan(append([]any{&s.Bill, &s.Mode, &s.Service, &s.ResourceType, &s.Project, &s.Payer}, s.totals()...)...); err != nil {
			return nil, fmt.Errorf("sum fees: %w", err)
		}
		out = append(out, s)
	}
	return out, rows.Err()
}

// sums reads a customer's sums of a bill cycle and later ones as they are kept, or makes them from the records.
func sums(ctx context.Context, r db.Reader, customer string, since period.Cycle, kept bool) (map[Key]Sum, error) {
	text := `SELECT cycle, booked, day, bill_type, charge_mode, service, resource_type, region, project, payer, records, zeros, official, discount, amount,
		cash, credit, coupon, flexi, stored, bonus, debt, adjustment FROM charge_sum WHERE customer = $1 AND cycle >= $2` // one row for each key: it is the table's
	if !kept {
		text = `SELECT cycle, booked, day, bill_type, charge_mode, service, resource_type, region, project, payer, ` + totals + ` FROM (SELECT cycle, ` + bookedText + ` AS booked, ` +
			dayText + ` AS day, bill_type, charge_mode, service, resource_type, region, project, payer, CAST(1 AS BIGINT) AS records, CAST(CASE WHEN amount = 0 THEN 1 ELSE 0 END AS BIGINT) AS zeros,
			official, discount, amount, cash, credit, coupon, flexi, stored, bonus, debt, adjustment FROM charge_fee WHERE customer = $1 AND cycle >= $2) fees GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10`
	}
	rows, err := r.Query(ctx, text, customer, int64(since))
	if err != nil {
		return nil, fmt.Errorf("sum fees: %w", err)
	}
	defer rows.Close()
	out := map[Key]Sum{}
	for rows.Next() {
		s := Sum{Key: Key{Customer: customer}}
		if err := rows.Scan(append([]any{&s.Cycle, &s.Booked, &s.Day, &s.Bill, &s.Mode, &s.Service, &s.ResourceType, &s.Region, &s.Project, &s.Payer}, s.totals()...)...); err != nil {
			return nil, fmt.Errorf("sum fees: %w", err)
		}
		out[s.Key] = s
	}
	return out, rows.Err()
}

func frozenAt(ctx context.Context, r db.Reader, customer string, cycle period.Cycle) (at time.Time, found bool, err error) {
	var micros int64
	err = r.QueryRow(ctx, `SELECT frozen_at FROM charge_cycle WHERE customer = $1 AND cycle = $2`, customer, int64(cycle)).Scan(&micros)
	if errors.Is(err, db.ErrNoRows) {
		return at, false, nil
	}
	if err != nil {
		return at, false, fmt.Errorf("read the bill cycle: %w", err)
	}
	return db.TimeOf(micros), true, nil
}

func openCycle(ctx context.Context, tx *db.Tx, customer string, cycle period.Cycle) error {
	if _, err := tx.Exec(ctx, `INSERT INTO charge_cycle (customer, cycle, frozen_at, waits) VALUES ($1, $2, 0, 1) ON CONFLICT (customer, cycle) DO NOTHING`, customer, int64(cycle)); err != nil {
		return fmt.Errorf("open the bill cycle: %w", err)
	}
	return nil
}

func freeze(ctx context.Context, tx *db.Tx, customer string, cycle period.Cycle) error {
	if _, err := tx.Exec(ctx, `UPDATE charge_cycle SET frozen_at = $1 WHERE customer = $2 AND cycle = $3 AND frozen_at = 0`, db.Micros(tx.Now), customer, int64(cycle)); err != nil {
		return fmt.Errorf("freeze the bill cycle: %w", err)
	}
	return nil
}

func setWaiting(ctx context.Context, tx *db.Tx, w Waiting, waits bool) error {
	if _, err := tx.Exec(ctx, `UPDATE charge_cycle SET waits = $1 WHERE customer = $2 AND cycle = $3`, db.Bool(waits), w.Customer, int64(w.Cycle)); err != nil {
		return fmt.Errorf("close the bill cycle: %w", err)
	}
	return nil
}

func allWaiting(ctx context.Context, r db.Reader, upTo period.Cycle, after Waiting, n int) (out []Waiting, err error) {
	rows, err := r.Query(ctx, `SELECT customer, cycle FROM charge_cycle WHERE waits = 1 AND cycle <= $1 AND (cycle, customer) > ($2, $3)
		ORDER BY cycle, customer LIMIT $4`, int64(upTo), int64(after.Cycle), after.Customer, int64(n))
	if err != nil {
		return nil, fmt.Errorf("read bill cycles: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var w Waiting
		if err := rows.Scan(&w.Customer, &w.Cycle); err != nil {
			return nil, fmt.Errorf("read bill cycles: %w", err)
		}
		out = append(out, w)
	}
	return out, rows.Err()
}

func countWaiting(ctx context.Context, r db.Reader, cycle period.Cycle) (n int, err error) {
	if err = r.QueryRow(ctx, `SELECT count(*) FROM charge_cycle WHERE waits = 1 AND cycle = $1`, int64(cycle)).Scan(&n); err != nil {
		err = fmt.Errorf("count bill cycles: %w", err)
	}
	return n, err
}

func waitings(ctx context.Context, r db.Reader, first, last period.Cycle) (map[period.Cycle]int, error) {
	rows, err := r.Query(ctx, `SELECT cycle, count(*) FROM charge_cycle WHERE waits = 1 AND cycle >= $1 AND cycle <= $2 GROUP BY cycle`, int64(first), int64(last))
	if err != nil {
		return nil, fmt.Errorf("count bill cycles: %w", err)
	}
	defer rows.Close()
	out := map[period.Cycle]int{}
	for rows.Next() {
		var cycle period.Cycle
		var n int
		if err := rows.Scan(&cycle, &n); err != nil {
			return nil, fmt.Errorf("count bill cycles: %w", err)
		}
		out[cycle] = n
	}
	return out, rows.Err()
}

func firstWaiting(ctx context.Context, r db.Reader, customer string, upTo period.Cycle) (w Waiting, found bool, err error) {
	w.Customer = customer
	err = r.QueryRow(ctx, `SELECT cycle FROM charge_cycle WHERE customer = $1 AND cycle <= $2 AND waits = 1 ORDER BY cycle LIMIT 1`, customer, int64(upTo)).Scan(&w.Cycle)
	if errors.Is(err, db.ErrNoRows) {
		return w, false, nil
	}
	if err != nil {
		return w, false, fmt.Errorf("read bill cycles: %w", err)
	}
	return w, true, nil
}

func cycles(ctx context.Context, r db.Reader, customer string) (out []period.Cycle, err error) {
	rows, err := r.Query(ctx, `SELECT cycle FROM charge_cycle WHERE customer = $1 ORDER BY cycle`, customer)
	if err != nil {
		return nil, fmt.Errorf("read bill cycles: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var c period.Cycle
		if err := rows.Scan(&c); err != nil {
			return nil, fmt.Errorf("read bill cycles: %w", err)
		}
		out = append(out, c)
	}
	return out, rows.Err()
}

func debtsByCycle(ctx context.Context, r db.Reader, payer string) (map[Waiting]money.Amount, error) {
	rows, err := r.Query(ctx, `SELECT customer, cycle, CAST(sum(debt) AS BIGINT) FROM (
		SELECT customer, cycle, debt FROM charge_sum WHERE customer = $1 AND payer = customer
		UNION ALL SELECT customer, cycle, debt FROM charge_sum WHERE payer = $1 AND payer <> customer) both_ways GROUP BY customer, cycle`, payer)
	if err != nil {
		return nil, fmt.Errorf("sum debts: %w", err)
	}
	defer rows.Close()
	out := map[Waiting]money.Amount{}
	for rows.Next() {
		var of Waiting
		var amount money.Amount
		if err := rows.Scan(&of.Customer, &of.Cycle, &amount); err != nil {
			return nil, fmt.Errorf("sum debts: %w", err)
		}
		out[of] = amount
	}
	return out, rows.Err()
}

func services(ctx context.Context, r db.Reader, cycle period.Cycle) (out []Sum, err error) {
	rows, err := r.Query(ctx, `SELECT service, charge_mode, bill_type, `+totals+` FROM charge_sum WHERE cycle = $1 GROUP BY service, charge_mode, bill_type`, int64(cycle))
	if err != nil {
		return nil, fmt.Errorf("sum fees: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		s := Sum{Key: Key{Cycle: cycle}}
		if err := rows.Scan(append([]any{&s.Service, &s.Mode, &s.Bill}, s.totals()...)...); err != nil {
			return nil, fmt.Errorf("sum fees: %w", err)
		}
		out = append(out, s)
	}
	return out, rows.Err()
}

func countOpen(ctx context.Context, r db.Reader, cycle period.Cycle) (n int, err error) {
	if err = r.QueryRow(ctx, `SELECT count(*) FROM charge_cycle WHERE cycle = $1 AND frozen_at = 0`, int64(cycle)).Scan(&n); err != nil {
		err = fmt.Errorf("count bill cycles: %w", err)
	}
	return n, err
}

// daysOf are the days on which records that a filter wants were booked.
func daysOf(ctx context.Context, r db.Reader, customer string, cycle period.Cycle, f *Filter) (out []dayCount, err error) {
	where, args := f.where(customer, cycle, false)
	count := `records`
	if f.NoZeros {
		count = `records - zeros`
	}
	rows, err := r.Query(ctx, `SELECT booked, CAST(sum(`+count+`) AS BIGINT) FROM charge_sum`+where+` GROUP BY booked ORDER BY booked`, args...)
	if err != nil {
		return nil, fmt.Errorf("count fees: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var d dayCount
		if err := rows.Scan(&d.booked, &d.records); err != nil {
			return nil, fmt.Errorf("count fees: %w", err)
		}
		out = append(out, d)
	}
	return out, rows.Err()
}

// pageOf reads a window of the records that a filter wants: from where it begins, which the index alone finds where it has all that
// is asked for, so that what lies before it is never read.
func pageOf(ctx context.Context, r db.Reader, customer string, cycle period.Cycle, f *Filter, w window) ([]Fee, error) {
	where, args := f.where(customer, cycle, true)
	if !w.span.Start.IsZero() {
		args = append(args, db.Micros(w.span.End))
		where += fmt.Sprintf(` AND traded_at < $%d`, len(args))
	}
	from, first := ``, append([]any(nil), args...)
	if !w.span.Start.IsZero() {
		first = append(first, db.Micros(w.span.Start))
		from = fmt.Sprintf(` AND traded_at >= $%d`, len(first))
	}
	if w.offset > 0 || w.backward {
		before := w.offset
		if w.backward {
			before = w.offset + w.limit - 1
		}
		var at int64
		var id string
		if err := r.QueryRow(ctx, fmt.Sprintf(`SELECT traded_at, id FROM charge_fee%s%s ORDER BY %s LIMIT 1 OFFSET $%d`, where, from, f.order(w.backward), len(first)+1), append(first, int64(before))...).Scan(&at, &id); err != nil {
			return nil, fmt.Errorf("find where a page of fees begins: %w", err)
		}
		first = append(args, at, id)
		from = fmt.Sprintf(` AND (traded_at, id) >= ($%d, $%d)`, len(first)-1, len(first))
	}
	return collect(w.limit)(r.Query(ctx, fmt.Sprintf(`SELECT %s FROM charge_fee%s%s ORDER BY %s LIMIT $%d`, columns, where, from, f.order(false), len(first)+1), append(first, int64(w.limit))...))
}

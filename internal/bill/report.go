package bill

import (
	"context"
	"slices"

	"github.com/purser-cloud/purser/internal/charge"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/period"
)

// Debts are what a payer's bills left unpaid, its members' that it pays among them, by the month in which it was charged: of
// closed months as their rows say, of others as fee records do. What was paid later is not in it.
func Debts(ctx context.Context, r db.Reader, payer string) (map[period.Cycle]money.Amount, error) {
	charged, err := charge.Debts(ctx, r, payer)
	if err != nil {
		return nil, err
	}
	closed, err := debts(ctx, r, payer)
	if err != nil {
		return nil, err
	}
	out := map[period.Cycle]money.Amount{}
	for of, amount := range charged {
		if less, ok := closed[of]; ok {
			amount = less
		}
		out[of.Cycle] += amount
	}
	return out, nil
}

// Revenue is what everybody's fee records of a month come to by service, mode and type, less what was cut off of the months
// that are closed. Parts are those of the fee records.
func Revenue(ctx context.Context, r db.Reader, cycle period.Cycle) ([]Row, error) {
	sums, err := charge.Services(ctx, r, cycle)
	if err != nil {
		return nil, err
	}
	at := map[Row]int{}
	var rows []Row
	of := func(key Row) *Row {
		i, ok := at[key]
		if !ok {
			i = len(rows)
			at[key] = i
			rows = append(rows, key)
		}
		return &rows[i]
	}
	for i := range sums {
		s := &sums[i]
		row := of(Row{Cycle: cycle, Service: s.Service, Mode: s.Mode, Type: TypeOf(s.Bill)})
		if err := row.add(s); err != nil {
			return nil, err
		}
	}
	cut, err := cutByService(ctx, r, cycle)
	if err != nil {
		return nil, err
	}
	for i := range cut {
		row := of(Row{Cycle: cycle, Service: cut[i].Service, Mode: cut[i].Mode, Type: cut[i].Type})
		row.Truncated = cut[i].Truncated
	}
	for i := range rows {
		rows[i].Consume = rows[i].Official - rows[i].Discount - rows[i].Truncated
	}
	slices.SortFunc(rows, func(a, b Row) int { return a.compare(&b) })
	return rows, nil
}

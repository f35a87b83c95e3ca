package focus

import (
	"context"
	"fmt"

	"github.com/purser-cloud/purser/client/bss"
	"github.com/purser-cloud/purser/internal/period"
)

// Export is a month that is read through the public client.
type Export struct {
	BSS    *bss.ClientWithResponses
	Source Source
	Cycle  period.Cycle
	Member string // whose charges; empty: the caller's own and its members'
	Back   int    // months before it that are looked through for terms that reach into it
	From   int    // records of the month that are there already: an export goes on behind them
	Say    func(done, total int)
}

// pageSize is how many records are asked for at once (api.md 8.2: at most 1000).
const pageSize = 1000

// Run reads the month page by page and writes its rows; it says how many records it has read.
func (e *Export) Run(ctx context.Context, to Writer) (records int, err error) {
	if e.Source.Units == nil {
		if err := e.units(ctx); err != nil {
			return 0, err
		}
	}
	var rows []Row
	records, err = e.each(ctx, e.Cycle, e.From, nil, func(f *bss.ResFeeRecordV2) error {
		var err error
		rows, err = e.Source.Rows(f, e.Cycle, rows)
		return err
	}, func() error {
		err := to.Write(rows)
		rows = rows[:0]
		return err
	})
	if err != nil {
		return records, err
	}
	byTerm := bss.ListCustomerselfResourceRecordsParamsChargeMode("1")
	for back := 1; back <= e.Back; back++ {
		bought := e.Cycle.Add(-back)
		_, err := e.each(ctx, bought, 0, &byTerm, func(f *bss.ResFeeRecordV2) error {
			row, ok, err := e.Source.Later(f, bought, e.Cycle)
			if ok {
				rows = append(rows, row)
			}
			return err
		}, func() error {
			err := to.Write(rows)
			rows = rows[:0]
			return err
		})
		if err != nil {
			return records, err
		}
	}
	return records, nil
}

func (e *Export) units(ctx context.Context) error {
	r, err := e.BSS.ListMeasureUnitsWithResponse(ctx, &bss.ListMeasureUnitsParams{XLanguage: new("en_US")})
	if err == nil && r.JSON200 == nil {
		err = fmt.Errorf("list units: %s: %s", r.Status(), r.Body)
	}
	if err != nil {
		return err
	}
	e.Source.Units = map[int32]string{}
	for _, u := range r.JSON200.MeasureUnits {
		e.Source.Units[u.MeasureId] = u.MeasureName
	}
	return nil
}

// each reads the records of a cycle and calls take with every one, and full after each page.
func (e *Export) each(ctx context.Context, cycle period.Cycle, from int, mode *bss.ListCustomerselfResourceRecordsParamsChargeMode, take func(*bss.ResFeeRecordV2) error, full func() error) (read int, err error) {
	in := bss.ListCustomerselfResourceRecordsParams{Cycle: cycle.String(), ChargeMode: mode, Limit: new(int32(pageSize)), StatisticType: new(bss.ListCustomerselfResourceRecordsParamsStatisticType(3)), XLanguage: new("en_US")}
	if e.Member != "" {
		in.Method, in.SubCustomerId = new(bss.ListCustomerselfResourceRecordsParamsMethod("sub_customer")), &e.Member
	}
	for offset := from; ; {
		in.Offset = new(int32(offset))
		r, err := e.BSS.ListCustomerselfResourceRecordsWithResponse(ctx, &in)
		if err == nil && r.JSON200 == nil {
			err = fmt.Errorf("list fee records of %s: %s: %s", cycle, r.Status(), r.Body)
		}
		if err != nil {
			return read, err
		}
		if e.Source.Currency == "" {
			e.Source.Currency = r.JSON200.Currency
		}
		for i := range r.JSON200.FeeRecords {
			if err := take(&r.JSON200.FeeRecords[i]); err != nil {
				return read, err
			}
		}
		if err := full(); err != nil {
			return read, err
		}
		n := len(r.JSON200.FeeRecords)
		read, offset = read+n, offset+n
		if e.Say != nil && mode == nil {
			e.Say(offset, int(r.JSON200.TotalCount))
		}
		if n == 0 || offset >= int(r.JSON200.TotalCount) {
			return read, nil
		}
	}
}

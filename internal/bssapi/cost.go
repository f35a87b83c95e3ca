package bssapi

import (
	"context"
	"time"

	"github.com/purser-cloud/purser/internal/contract"
	"github.com/purser-cloud/purser/internal/cost"
	"github.com/purser-cloud/purser/internal/doorway"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/period"
)

// costByMonth is the time_measure_id of a query by month (api.md 8.4); 1: by day.
const costByMonth = 2

// How long the time of a query may be.
const (
	costDaysMost   = 366
	costMonthsMost = 36
)

// ListCosts analyses the caller's costs.
func (d *Door) ListCosts(ctx context.Context, r ListCostsRequestObject) (ListCostsResponseObject, error) {
	in := r.Body
	q := cost.Query{
		Amortised: in.CostType == AMORTIZEDCOST, Net: in.AmountType == NETAMOUNT, Offset: contract.Int(in.Offset, 0), Limit: contract.Int(in.Limit, 10),
	}
	if err := costTime(&in.TimeCondition, &q); err != nil {
		return nil, err
	}
	for _, g := range in.Groupby {
		q.Groups = append(q.Groups, cost.Group{Kind: string(g.Type), Key: g.Key})
	}
	for _, f := range in.Filters {
		q.Filters = append(q.Filters, cost.Filter{Exclude: f.Operator == 1, Key: f.FilterFactor.Key, Values: f.FilterFactor.Value})
	}
	list, err := d.counter.ListCosts(ctx, doorway.CallOf(ctx), q)
	if err != nil {
		return nil, err
	}
	out := ListCosts200JSONResponse{Currency: list.Currency.Code(), TotalCount: contract.Int32(list.Total), CostData: make([]CostDataByDimension, len(list.Rows))}
	for i := range list.Rows {
		row := &list.Rows[i]
		data := CostDataByDimension{
			Dimensions: make([]DimensionGroup, len(row.Values)), Costs: make([]Cost, len(row.Costs)), AmountByCosts: row.Amount.String(),
			OfficialAmountByCosts: row.Official.String(),
		}
		for j, value := range row.Values {
			data.Dimensions[j] = DimensionGroup{Key: q.Groups[j].Key, Value: value}
		}
		for j, c := range row.Costs {
			data.Costs[j] = Cost{TimeDimensionValue: c.Time, TimeMeasureId: contract.Int32(in.TimeCondition.TimeMeasureId), Amount: c.Amount.String(), OfficialAmount: c.Official.String()}
		}
		out.CostData[i] = data
	}
	return listCostsOK{&out}, nil
}

// costTime reads the days or months of a query.
func costTime(in *TimeCondition, q *cost.Query) error {
	q.ByMonth = in.TimeMeasureId == costByMonth
	bad := func(field, form string) error {
		return fault.New(fault.Invalid, "CBC.0100", "time_condition.%s: must be of the form %s", field, form)
	}
	most := period.Date(costDaysMost)
	if q.ByMonth {
		from, err := period.ParseCycle(in.BeginTime)
		if err != nil {
			return bad("begin_time", "YYYY-MM")
		}
		to, err := period.ParseCycle(in.EndTime)
		if err != nil {
			return bad("end_time", "YYYY-MM")
		}
		q.From, q.To = period.DateOf(from.Span().Start), period.DateOf(to.Span().End.Add(-time.Second))
		if to-from >= costMonthsMost {
			return fault.New(fault.Invalid, "CBC.0100", "time_condition: at most %d months", costMonthsMost)
		}
	} else {
		from, err := period.ParseDay(in.BeginTime)
		if err != nil {
			return bad("begin_time", "YYYY-MM-DD")
		}
		to, err := period.ParseDay(in.EndTime)
		if err != nil {
			return bad("end_time", "YYYY-MM-DD")
		}
		q.From, q.To = period.DateOf(from.Start), period.DateOf(to.Start)
		if q.To-q.From >= most {
			return fault.New(fault.Invalid, "CBC.0100", "time_condition: at most %d days", costDaysMost)
		}
	}
	if q.To < q.From {
		return fault.New(fault.Invalid, "CBC.0100", "time_condition.end_time: must not be before begin_time")
	}
	return nil
}

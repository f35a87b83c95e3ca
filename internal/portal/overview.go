package portal

import (
	"context"
	"sort"
	"strconv"
	"time"

	"github.com/a-h/templ"

	"github.com/purser-cloud/purser/client/bss"
)

// overview is what a customer sees first.
type overview struct {
	balances  *asked[*bss.ShowCustomerAccountBalancesReply]
	costs     *asked[*bss.ListCostsReply]
	month     *asked[*bss.ShowCustomerMonthlySumReply]
	unpaid    *asked[*bss.ListCustomerOrdersReply]
	expiring  *asked[*bss.ListPayPerUseCustomerResourcesReply]
	packages  *asked[*bss.ListFreeResourceInfosReply]
	quota     *asked[*bss.ShowCustomerExpenditureQuotaReply] // nil: there is none, as the account itself says
	services  *asked[*bss.ListServiceTypesReply]             // nil: the names that come with the resources do
	spend     *chart
	thisMonth amount
	lastMonth amount
	forecast  amount
	names     map[string]string // of services
	low       []lowPackage
	alerts    []alert
}

// lowPackage is a part of a package with what is left of it.
type lowPackage struct {
	Name, Unit  string
	Left, Whole amount
	Expires     *string
}

// alert is something that wants the customer's attention, with where to go.
type alert struct{ kind, text, href, next string }

// soonDays is how near an expiry is shown on the overview.
const soonDays = 30

// months is how many months charts of spend go back.
const months = 12

func showOverview(v *visit) (templ.Component, error) {
	o := &overview{}
	o.balances = askBalances(v)
	o.costs = askMonths(v, "CLOUD_SERVICE_TYPE", "CHARGING_MODE")
	o.month = ask(v, func(ctx context.Context) (*bss.ShowCustomerMonthlySumReply, error) {
		return v.api.BSS.ShowCustomerMonthlySumWithResponse(ctx, &bss.ShowCustomerMonthlySumParams{BillCycle: monthOf(v.now), Limit: new(int32(1))})
	})
	o.unpaid = ask(v, func(ctx context.Context) (*bss.ListCustomerOrdersReply, error) {
		return v.api.BSS.ListCustomerOrdersWithResponse(ctx, &bss.ListCustomerOrdersParams{Status: new(bss.ListCustomerOrdersParamsStatus(6)), Limit: new(int32(5))})
	})
	o.expiring = ask(v, func(ctx context.Context) (*bss.ListPayPerUseCustomerResourcesReply, error) {
		return v.api.BSS.ListPayPerUseCustomerResourcesWithResponse(ctx, bss.QueryResourcesReq{
			OnlyMainResource: new(bss.QueryResourcesReqOnlyMainResource(1)), StatusList: []bss.QueryResourcesReqStatusList{2, 5},
			ExpireTimeBegin: new(wire(v.now.AddDate(0, 0, -soonDays))), ExpireTimeEnd: new(wire(v.now.AddDate(0, 0, soonDays))), Limit: new(int32(50)),
		})
	})
	o.packages = ask(v, func(ctx context.Context) (*bss.ListFreeResourceInfosReply, error) {
		return v.api.BSS.ListFreeResourceInfosWithResponse(ctx, nil, bss.ListFreeResourceInfosReq{Status: new(bss.ListFreeResourceInfosReqStatus(1)), Limit: new(int32(50))})
	})
	if v.me == nil || v.me.Customer == nil || amountOf(v.me.Customer.Quota) > 0 {
		o.quota = ask(v, func(ctx context.Context) (*bss.ShowCustomerExpenditureQuotaReply, error) {
			return v.api.BSS.ShowCustomerExpenditureQuotaWithResponse(ctx)
		})
	}
	// Resources come with English names only. A page makes at most eight calls: the eighth is the quota's, where there is one.
	if v.lang != english && (v.me == nil || o.quota == nil) {
		o.services = askServices(v)
	}
	if err := v.wait(); err != nil {
		return nil, err
	}
	o.work(v)
	return overviewPage(v, o), nil
}

// service is what a resource is of, in the visitor's language: its specification, where the name is not known in that.
func (o *overview) service(v *visit, r *bss.OrderInstanceV2) string {
	switch {
	case v.lang == english:
		return r.ServiceTypeName
	case o.services.ok():
		return named(o.names, r.ServiceTypeCode, r.ServiceTypeName)
	}
	return r.ResourceSpecCode
}

func askBalances(v *visit) *asked[*bss.ShowCustomerAccountBalancesReply] {
	return ask(v, func(ctx context.Context) (*bss.ShowCustomerAccountBalancesReply, error) {
		return v.api.BSS.ShowCustomerAccountBalancesWithResponse(ctx)
	})
}

// askMonths asks for the original costs of the last months by two keys.
func askMonths(v *visit, keys ...string) *asked[*bss.ListCostsReply] {
	by := make([]bss.GroupBy, len(keys))
	for i, key := range keys {
		by[i] = bss.GroupBy{Key: key, Type: "dimension"}
	}
	return ask(v, func(ctx context.Context) (*bss.ListCostsReply, error) {
		return v.api.BSS.ListCostsWithResponse(ctx, nil, bss.ListCostsReq{
			AmountType: "PAYMENT_AMOUNT", CostType: "ORIGINAL_COST", Groupby: by, Limit: new(int32(1000)),
			TimeCondition: bss.TimeCondition{TimeMeasureId: 2, BeginTime: monthsBack(v.now, months-1), EndTime: monthOf(v.now)},
		})
	})
}

// work makes of the answers what the page shows.
func (o *overview) work(v *visit) {
	o.names = names(o.services)
	if o.costs.ok() {
		o.spend = spendChart(v, o.costs.reply.JSON200)
		for _, s := range o.spend.Series {
			n := len(s.Values)
			o.thisMonth += s.Values[n-1]
			o.lastMonth += s.Values[n-2]
		}
		o.spend.forecast(v)
	}
	if o.month.ok() {
		o.thisMonth = amountOf(o.month.reply.JSON200.ConsumeAmount)
	}
	o.forecast = pace(v.now, o.thisMonth)
	if o.packages.ok() {
		for _, p := range o.packages.reply.JSON200.FreeResourcePackages {
			for _, f := range p.FreeResources {
				o.low = append(o.low, lowPackage{p.ProductName, v.unit(f.MeasureId), amountOf(f.Amount), amountOf(f.OriginalAmount), p.ExpireTime})
			}
		}
		sort.SliceStable(o.low, func(i, k int) bool {
			return share(o.low[i].Left, o.low[i].Whole) < share(o.low[k].Left, o.low[k].Whole)
		})
	}
	o.alert(v)
}

// pace is what a month comes to if it goes on as it began.
func pace(now time.Time, spent amount) amount {
	now = now.In(zone)
	first := time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, zone)
	hours := amount(now.Sub(first)/time.Hour) + 1
	all := amount(first.AddDate(0, 1, 0).Sub(first) / time.Hour)
	if hours >= all {
		return spent
	}
	return (spent / hours * all).cents()
}

// spendChart draws months by charging mode.
func spendChart(v *visit, costs *bss.ListCostsAnswer) *chart {
	c := &chart{ID: "spend", Title: v.t("overview.spend"), Unit: costs.Currency}
	at := map[string]int{}
	for back := months - 1; back >= 0; back-- {
		at[monthsBack(v.now, back)] = len(c.Labels)
		c.Labels = append(c.Labels, monthsBack(v.now, back))
	}
	modes := []string{"1", "3"}
	sums := map[string][]amount{}
	for _, mode := range modes {
		sums[mode] = make([]amount, months)
	}
	for _, row := range costs.CostData {
		mode := dimension(row.Dimensions, "CHARGING_MODE")
		if mode != "1" {
			mode = "3"
		}
		for _, cost := range row.Costs {
			if i, ok := at[cost.TimeDimensionValue]; ok {
				sums[mode][i] += amountOf(cost.Amount)
			}
		}
	}
	for _, mode := range modes {
		c.Series = append(c.Series, series{Name: v.t("mode." + mode), Values: sums[mode]})
	}
	return c
}

func dimension(list []bss.DimensionGroup, key string) string {
	for _, d := range list {
		if d.Key == key {
			return d.Value
		}
	}
	return ""
}

// forecast adds what the rest of the month will come to at this pace, pale: of pay-per-use alone, the last series; what is
// paid ahead is paid.
func (c *chart) forecast(v *visit) {
	last := len(c.Labels) - 1
	use := &c.Series[len(c.Series)-1]
	rest := pace(v.now, use.Values[last]) - use.Values[last]
	if rest <= 0 {
		return
	}
	s := series{Name: v.t("overview.rest"), Values: make([]amount, len(c.Labels)), Forth: make([]bool, len(c.Labels))}
	s.Values[last], s.Forth[last] = rest, true
	c.Series = append(c.Series, s)
}

// money is what the customer can spend from its own account.
func (o *overview) cash() amount {
	return accountOf(o.balances, 1)
}

// accountOf is the balance of one kind of account.
func accountOf(b *asked[*bss.ShowCustomerAccountBalancesReply], kind int32) amount {
	if !b.ok() {
		return 0
	}
	var sum amount
	for _, one := range b.reply.JSON200.AccountBalances {
		if one.AccountType == kind {
			sum += amountOf(one.Amount)
		}
	}
	return sum
}

// alert gathers what wants attention, the most urgent first.
func (o *overview) alert(v *visit) {
	add := func(kind, text, href, next string) { o.alerts = append(o.alerts, alert{kind, text, href, v.t(next)}) }
	if o.balances.ok() {
		if debt := amountOf(o.balances.reply.JSON200.DebtAmount); debt > 0 {
			add("bad", v.t("alert.debt", debt.String()), "/account", "alert.topup")
		}
		if v.me != nil && v.me.Customer != nil {
			if below := amountOfP(v.me.Customer.AlertBelow); below > 0 && o.cash() < below {
				add("warn", v.t("alert.low", o.cash().String(), below.String()), "/account", "alert.topup")
			}
		}
	}
	if o.expiring.ok() {
		soon, over := 0, 0
		for _, r := range o.expiring.reply.JSON200.Data {
			left := whenP(r.ExpireTime)
			switch {
			case r.ExpirePolicy == 3:
			case r.Status == 5 || left.Before(v.now):
				over++
			case daysUntil(v.now, left) < 7:
				soon++
			}
		}
		if over > 0 {
			add("bad", v.t("alert.over", over), "/renewals", "alert.renew")
		}
		if soon > 0 {
			add("warn", v.t("alert.soon", soon), "/renewals", "alert.renew")
		}
	}
	if o.unpaid.ok() && o.unpaid.reply.JSON200.TotalCount > 0 {
		add("warn", v.t("alert.unpaid", o.unpaid.reply.JSON200.TotalCount), "/orders?status=6", "alert.pay")
	}
	used := 0
	for _, l := range o.low {
		if share(l.Left, l.Whole) < 200 {
			used++
		}
	}
	if used > 0 {
		add("warn", v.t("alert.packages", used), "/packages", "alert.look")
	}
}

// change is how this month's spend compares with last month's, in percent of last month's.
func (o *overview) change() (text string, up bool) {
	if o.lastMonth <= 0 {
		return "", false
	}
	d := o.forecast - o.lastMonth
	up = d > 0
	if d < 0 {
		d = -d
	}
	n := scale(d, o.lastMonth, 1000)
	return strconv.Itoa(n/10) + "." + strconv.Itoa(n%10) + " %", up
}

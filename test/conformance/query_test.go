package conformance

import (
	"fmt"
	"slices"
	"testing"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/bssintl/v2/model"
	"github.com/shopspring/decimal"
)

// values are the different values that rows have, in the order in which they come.
func values[R any](rows []R, of func(*R) string) (out []string) {
	for i := range rows {
		if v := of(&rows[i]); !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	return out
}

// some are at most a dozen of many values, from all over the list.
func some(list []string) (out []string) {
	for i := 0; i < len(list); i += 1 + len(list)/12 {
		out = append(out, list[i])
	}
	return out
}

func text[T any](p *T) string {
	if p == nil {
		return ""
	}
	return fmt.Sprint(*p)
}

// Each parameter of the fee records leaves exactly what it says, held against the whole month; unknown and empty values leave nothing,
// and by billing cycle the same comes together by resource.
func TestParametersOfFeeRecords(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		c := s.Customers[0]
		b := s.bss(t, c.AccessKey, c.SecretKey, "", c.DomainID)
		running, last := s.months(t)
		month := running
		type ask = model.ListCustomerselfResourceRecordsRequest
		type row = model.ResFeeRecordV2
		list := func(change func(*ask)) []row {
			t.Helper()
			r := &ask{Cycle: month, Limit: new(int32(1000))}
			change(r)
			out, err := b.ListCustomerselfResourceRecords(r)
			if err != nil {
				t.Fatal(err)
			}
			if int(*out.TotalCount) != len(*out.FeeRecords) {
				t.Fatalf("%d records on one page of %d", *out.TotalCount, len(*out.FeeRecords))
			}
			return *out.FeeRecords
		}
		sum := func(rows []row) (d decimal.Decimal) {
			for i := range rows {
				d = d.Add(*rows[i].Amount)
			}
			return d
		}
		all := list(func(*ask) {})
		service := func(r *row) string { return *r.CloudServiceType }
		month = last
		if before := list(func(*ask) {}); len(values(before, service)) > len(values(all, service)) { // the more various one
			all = before
		} else {
			month = running
		}
		if len(all) < 20 {
			t.Fatalf("%d records", len(all))
		}
		only := func(what string, change func(*ask), of func(*row) bool) {
			t.Helper()
			var want []string
			for i := range all {
				if of(&all[i]) {
					want = append(want, *all[i].Id)
				}
			}
			var got []string
			for _, r := range list(change) {
				got = append(got, *r.Id)
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s: %d records, want %d", what, len(got), len(want))
			}
		}
		for name, k := range map[string]struct {
			of   func(*row) string
			set  func(*ask, string)
			none []string // values that leave nothing
		}{
			"cloud_service_type":    {service, func(a *ask, v string) { a.CloudServiceType = &v }, []string{"none", ""}},
			"region":                {func(r *row) string { return text(r.Region) }, func(a *ask, v string) { a.Region = &v }, []string{"none"}},
			"resource_id":           {func(r *row) string { return text(r.ResourceId) }, func(a *ask, v string) { a.ResourceId = &v }, []string{"none", ""}},
			"trade_id":              {func(r *row) string { return *r.TradeId }, func(a *ask, v string) { a.TradeId = &v }, []string{"none", ""}},
			"charge_mode":           {func(r *row) string { return *r.ChargeMode }, func(a *ask, v string) { a.ChargeMode = &v }, []string{"10", "11"}},
			"enterprise_project_id": {func(r *row) string { return *r.EnterpriseProjectId }, func(a *ask, v string) { a.EnterpriseProjectId = &v }, []string{"-1", "null", "none"}},
			"bill_type": {func(r *row) string { return fmt.Sprint(*r.BillType) }, func(a *ask, v string) {
				var n int32
				fmt.Sscan(v, &n) //nolint:errcheck // numbers of our own
				a.BillType = &n
			}, []string{"9", "12", "14", "16", "17", "18", "20", "23", "24", "101", "102"}},
		} {
			seen := values(all, k.of)
			for _, v := range slices.Concat(some(seen), k.none) {
				if v == "" && !slices.Contains(k.none, v) { // of what has none
					continue
				}
				only(name+"="+v, func(a *ask) { k.set(a, v) }, func(r *row) bool { return k.of(r) == v })
			}
			if len(seen) < 2 && name != "region" {
				t.Errorf("the demo has but one %s: %v", name, seen)
			}
		}
		for _, with := range []bool{true, false} {
			only(fmt.Sprint("include_zero_record=", with), func(a *ask) { a.IncludeZeroRecord = &with }, func(r *row) bool { return with || !r.Amount.IsZero() })
		}
		days := values(all, func(r *row) string { return *r.BillDate })
		slices.Sort(days)
		for _, k := range [][2]string{{days[0], days[0]}, {days[0], days[len(days)/2]}, {days[len(days)/2], days[len(days)-1]}} {
			only(fmt.Sprint("days ", k), func(a *ask) { a.BillDateBegin, a.BillDateEnd = &k[0], &k[1] }, func(r *row) bool { return *r.BillDate >= k[0] && *r.BillDate <= k[1] })
		}
		only("a first day alone", func(a *ask) { a.BillDateBegin = &days[1] }, func(*row) bool { return true })
		for _, method := range []string{"oneself", "all"} {
			only("method="+method, func(a *ask) { a.Method, a.SubCustomerId = &method, new("ignored") }, func(*row) bool { return true })
		}
		// Two at once, and a page of it.
		code, mode := service(&all[0]), *all[0].ChargeMode
		only("two parameters", func(a *ask) { a.CloudServiceType, a.ChargeMode = &code, &mode }, func(r *row) bool { return service(r) == code && *r.ChargeMode == mode })
		page, err := b.ListCustomerselfResourceRecords(&ask{Cycle: month, Offset: new(int32(3)), Limit: new(int32(4))})
		if err != nil || int(*page.TotalCount) != len(all) || len(*page.FeeRecords) != 4 || *(*page.FeeRecords)[0].Id != *all[3].Id {
			t.Errorf("a page: %v, %v", page, err)
		}
		// By billing cycle the days are ignored, and records have no id of their own.
		byCycle := list(func(a *ask) { a.StatisticType, a.BillDateBegin, a.BillDateEnd = new(int32(1)), &days[0], &days[0] })
		if !sum(byCycle).Equal(sum(all)) || len(byCycle) >= len(all) {
			t.Errorf("by billing cycle %d rows come to %s; %d records to %s", len(byCycle), sum(byCycle), len(all), sum(all))
		}
		for _, r := range byCycle {
			if r.Id != nil || r.ConsumeTime != nil {
				t.Errorf("by billing cycle: %v", r)
			}
		}
		for _, r := range all {
			if r.OrderId != nil && *r.ChargeMode != "1" || *r.ChargeMode == "1" && *r.TradeId != text(r.OrderId) || *r.ProductId == "" || *r.TradeTime == "" || text(r.ConsumeTime) == "" || *r.MeasureId != 1 || !slices.Contains([]string{"19", "20", "24", "25", "5"}, *r.PeriodType) {
				t.Errorf("%v", r)
			}
		}
	})
}

// Each parameter of the resource records and of the monthly sum does what it says, held against the whole month.
func TestParametersOfResourceRecordsAndSums(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		c := s.Customers[0]
		b := s.bss(t, c.AccessKey, c.SecretKey, "", c.DomainID)
		month, last := s.months(t)
		type ask = model.QueryResRecordsDetailReq
		type row = model.MonthlyBillRes
		list := func(change func(*ask)) []row {
			t.Helper()
			r := &ask{Cycle: month, Limit: new(int32(1000)), StatisticType: new(int32(2))}
			change(r)
			out, err := b.ListCustomerselfResourceRecordDetails(&model.ListCustomerselfResourceRecordDetailsRequest{Body: r})
			if err != nil {
				t.Fatal(err)
			}
			if int(*out.TotalCount) != len(*out.MonthlyRecords) {
				t.Fatalf("%d rows on one page of %d", *out.TotalCount, len(*out.MonthlyRecords))
			}
			return *out.MonthlyRecords
		}
		shown := func(rows []row, of func(*row) bool) (out []string) {
			for i := range rows {
				if r := &rows[i]; of(r) {
					out = append(out, fmt.Sprint(text(r.BillDate), text(r.ResInstanceId), text(r.TradeId), text(r.BillType), r.ConsumeAmount, r.OfficialAmount))
				}
			}
			slices.Sort(out)
			return out
		}
		whole := func(*row) bool { return true }
		all := list(func(*ask) {})
		only := func(what string, change func(*ask), of func(*row) bool) {
			t.Helper()
			if got, want := shown(list(change), whole), shown(all, of); !slices.Equal(got, want) {
				t.Errorf("%s: %d rows, want %d", what, len(got), len(want))
			}
		}
		number := func(v string) *int32 {
			var n int32
			fmt.Sscan(v, &n) //nolint:errcheck // numbers of our own
			return &n
		}
		for name, k := range map[string]struct {
			of   func(*row) string
			set  func(*ask, string)
			none []string // values that leave nothing
			off  bool     // the empty text is no filter
		}{
			"cloud_service_type":    {func(r *row) string { return *r.CloudServiceType }, func(a *ask, v string) { a.CloudServiceType = &v }, []string{"none"}, true},
			"resource_type":         {func(r *row) string { return *r.ResourceTypeCode }, func(a *ask, v string) { a.ResourceType = &v }, []string{"none"}, true},
			"region":                {func(r *row) string { return text(r.Region) }, func(a *ask, v string) { a.Region = &v }, []string{"none"}, true},
			"res_instance_id":       {func(r *row) string { return text(r.ResInstanceId) }, func(a *ask, v string) { a.ResInstanceId = &v }, []string{"none"}, true},
			"enterprise_project_id": {func(r *row) string { return *r.EnterpriseProjectId }, func(a *ask, v string) { a.EnterpriseProjectId = &v }, []string{"-1", "none"}, true},
			"payer_account_id":      {func(r *row) string { return *r.PayerAccountId }, func(a *ask, v string) { a.PayerAccountId = &v }, []string{"none"}, true},
			"charge_mode":           {func(r *row) string { return text(r.ChargeMode) }, func(a *ask, v string) { a.ChargeMode = number(v) }, []string{"10", "11"}, false},
			"bill_type":             {func(r *row) string { return text(r.BillType) }, func(a *ask, v string) { a.BillType = number(v) }, []string{"9", "14", "20", "102"}, false},
		} {
			for _, v := range slices.Concat(some(values(all, k.of)), k.none) {
				if v != "" {
					only(name+"="+v, func(a *ask) { k.set(a, v) }, func(r *row) bool { return k.of(r) == v })
				}
			}
			if k.off {
				only(name+" empty", func(a *ask) { k.set(a, "") }, whole)
			}
		}
		only("include_zero_record", func(a *ask) { a.IncludeZeroRecord = new(false) }, func(r *row) bool { return !r.ConsumeAmount.IsZero() })
		days := values(all, func(r *row) string { return *r.BillDate })
		slices.Sort(days)
		from, to := days[1], days[len(days)-2]
		within := func(r *row) bool { return *r.BillDate >= from && *r.BillDate <= to }
		daily := func(a *ask) { a.QueryType, a.BillCycleBegin, a.BillCycleEnd = new("DAILY"), &from, &to }
		only("DAILY", daily, within)
		only("BILLCYCLE ignores days", func(a *ask) { a.QueryType, a.BillCycleBegin, a.BillCycleEnd = new("BILLCYCLE"), &from, &to }, whole)
		sum := func(rows []row, of func(*row) bool) (d decimal.Decimal) {
			for i := range rows {
				if of(&rows[i]) {
					d = d.Add(*rows[i].ConsumeAmount)
				}
			}
			return d
		}
		records := list(func(a *ask) { daily(a); a.StatisticType = new(int32(3)) })
		if got, want := sum(records, whole), sum(all, within); !got.Equal(want) || got.IsZero() {
			t.Errorf("DAILY by record %s, by day %s", got, want)
		}
		for _, r := range records {
			if text(r.ConsumeTime) == "" || r.ExtendParams == nil || *r.ExtendParams.SelfResourceId != text(r.ResInstanceId) || *r.PayerAccountId != c.DomainID || *r.Cycle != month || *r.MeasureId != 1 {
				t.Errorf("%v", r)
			}
		}

		// The monthly sum: by service, by project, in pages.
		bill := func(r *model.ShowCustomerMonthlySumRequest) *model.ShowCustomerMonthlySumResponse {
			t.Helper()
			r.BillCycle = last
			out, err := b.ShowCustomerMonthlySum(r)
			if err != nil {
				t.Fatal(err)
			}
			return out
		}
		one := bill(&model.ShowCustomerMonthlySumRequest{Limit: new(int32(1000))})
		for _, service := range append(values(*one.BillSums, func(r *model.BillSumRecordInfoV2) string { return *r.ServiceTypeCode }), "none") {
			var want decimal.Decimal
			n := 0
			for _, r := range *one.BillSums {
				if *r.ServiceTypeCode == service {
					want, n = want.Add(*r.ConsumeAmount), n+1
				}
			}
			if got := bill(&model.ShowCustomerMonthlySumRequest{ServiceTypeCode: &service}); !got.ConsumeAmount.Equal(want) || int(*got.TotalCount) != n {
				t.Errorf("sum of %s: %s in %d rows, want %s in %d", service, got.ConsumeAmount, *got.TotalCount, want, n)
			}
		}
		var of decimal.Decimal
		for _, project := range []string{"0", s.ProjectUser.EnterpriseProjectID} {
			of = of.Add(*bill(&model.ShowCustomerMonthlySumRequest{EnterpriseProjectId: &project}).ConsumeAmount)
		}
		if !of.Equal(*one.ConsumeAmount) {
			t.Errorf("projects come to %s of %s", of, one.ConsumeAmount)
		}
		for _, project := range []string{"-1", "null"} {
			if got := bill(&model.ShowCustomerMonthlySumRequest{EnterpriseProjectId: &project}); *got.TotalCount != 0 || !got.ConsumeAmount.IsZero() {
				t.Errorf("project %s: %v", project, got)
			}
		}
		_, err := b.ShowCustomerMonthlySum(&model.ShowCustomerMonthlySumRequest{BillCycle: last, EnterpriseProjectId: new("")})
		refused(t, "an empty project", err, 400, "CBC.0100")
		page := bill(&model.ShowCustomerMonthlySumRequest{Offset: new(int32(1)), Limit: new(int32(1))})
		if *page.TotalCount != *one.TotalCount || len(*page.BillSums) != 1 || !page.ConsumeAmount.Equal(*one.ConsumeAmount) || !(*page.BillSums)[0].ConsumeAmount.Equal(*(*one.BillSums)[1].ConsumeAmount) {
			t.Errorf("a page: %v", page)
		}
		for _, method := range []string{"oneself", "all"} {
			if got := bill(&model.ShowCustomerMonthlySumRequest{Method: &method}); !got.ConsumeAmount.Equal(*one.ConsumeAmount) {
				t.Errorf("method %s: %s", method, got.ConsumeAmount)
			}
		}
	})
}

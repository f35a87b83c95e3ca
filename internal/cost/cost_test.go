package cost_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/purser-cloud/purser/internal/charge"
	"github.com/purser-cloud/purser/internal/cost"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/db/dbtest"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/period"
)

func at(text string) time.Time {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	return t.UTC()
}

func day(text string) period.Date { return period.DateOf(at(text + "T00:00:00+08:00")) }

func amount(text string) money.Amount {
	a, err := money.ParseAmount(text)
	if err != nil {
		panic(err)
	}
	return a
}

// world is a store with fee records.
type world struct {
	*testing.T
	d *db.DB
	n int
}

// record adds fee records; each has its ids and its parts made for it.
func (w *world) record(now time.Time, fees ...charge.Fee) {
	w.Helper()
	for i := range fees {
		w.n++
		f := &fees[i]
		f.ID = fmt.Sprint("fee", w.n)
		f.Amount = f.Official - f.Discount
		f.Parts.Cash = f.Amount - f.Parts.Coupon
		f.Traded = now
		if f.Consumed.Start.IsZero() {
			f.Consumed = period.Span{Start: now, End: now}
		}
		if f.Payer == "" {
			f.Payer = f.Customer
		}
	}
	err := w.d.Update(w.Context(), db.Instants{Now: now, Real: now}, func(tx *db.Tx) error { return charge.RecordAll(w.Context(), tx, fees) })
	if err != nil {
		w.Fatal(err)
	}
}

// line keeps an order's line with what it pays for.
func (w *world) line(customer, order string, from, to time.Time) {
	w.Helper()
	err := w.d.Update(w.Context(), db.Instants{Now: from, Real: from}, func(tx *db.Tx) error {
		_, err := tx.Exec(w.Context(), `INSERT INTO order_head (customer, id, type, status, source, trade, service, cloud_project, project, official, amount, tax, fee, consumed,
			discount_id, discount_kind, coupon_id, coupon_held, payer, cash, credit, coupon, debt, policy, base, reason, user_name, created_at, deadline_at, effective_at, paid_at, finished_at)
			VALUES ($1, $2, 1, 5, 1, '', 's', '', '0', 0, 0, 0, 0, 0, '', 0, '', '', $1, 0, 0, 0, 0, 0, '', '', '', 0, 0, 0, 0, 0)`, customer, order)
		if err != nil {
			return err
		}
		_, err = tx.Exec(w.Context(), `INSERT INTO order_line (customer, order_id, no, parent, name, service, resource_type, product, spec, region, zone, size, size_unit, unit, periods, num,
			official, amount, coupon, fee, consumed, tax_rate, tax_inclusive, tax, effective_at, expires_at, base)
			VALUES ($1, $2, 1, 0, '', 's', 'r', 'p', 'x', 'g', '', '0', 0, 3, 1, 1, 0, 0, 0, 0, 0, '0', 0, 0, $3, $4, '')`, customer, order, db.Micros(from), db.Micros(to))
		return err
	})
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) ask(q cost.Query) cost.Answer {
	w.Helper()
	out, err := w.try(q)
	if err != nil {
		w.Fatal(err)
	}
	return out
}

func (w *world) try(q cost.Query) (out cost.Answer, err error) {
	if q.Limit == 0 {
		q.Limit = 1000
	}
	if q.Customer == "" {
		q.Customer = "me"
	}
	err = w.d.View(w.Context(), db.Instants{}, func(v *db.View) error {
		out, err = cost.Analyse(w.Context(), v, &q)
		return err
	})
	return out, err
}

// show is an answer in short: value,value=amount/official(time=amount …).
func show(a cost.Answer) string {
	text := fmt.Sprint(a.Total, ":")
	for _, row := range a.Rows {
		text += fmt.Sprintf(" %v=%s/%s(", row.Values, row.Amount, row.Official)
		for i, c := range row.Costs {
			if i > 0 {
				text += " "
			}
			text += fmt.Sprintf("%s=%s", c.Time, c.Amount)
		}
		text += ")"
	}
	return text
}

func onEach(t *testing.T, test func(w *world)) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) { test(&world{T: t, d: d}) })
}

func dims(keys ...string) (out []cost.Group) {
	for _, k := range keys {
		out = append(out, cost.Group{Kind: cost.Dimension, Key: k})
	}
	return out
}

func usage(customer, resource string, from string, official, discount string) charge.Fee {
	return charge.Fee{
		Customer: customer, Bill: charge.Usage, Mode: charge.OnDemand, Trade: "t", Service: "ecs", ResourceType: "vm", Product: "p", Spec: "s3.small", Region: "north",
		Project: "0", Official: amount(official), Discount: amount(discount), Consumed: period.Span{Start: at(from), End: at(from).Add(time.Hour)}, Resource: resource, UsageType: "Duration",
	}
}

func term(bill charge.BillType, trade, instance, official, coupon string) charge.Fee {
	f := charge.Fee{
		Customer: "me", Bill: bill, Mode: charge.ByPeriod, Trade: trade, Line: 1, Instance: instance, Service: "ebs", ResourceType: "volume", Product: "v", Spec: "ssd",
		Region: "south", Project: "p1", Official: amount(official),
	}
	f.Parts.Coupon = amount(coupon)
	return f
}

// bought keeps where the resource of an instance is.
func (w *world) bought(instance, resource, zone string) {
	w.Helper()
	err := w.d.Update(w.Context(), db.Instants{Now: at("2026-11-20T00:00:00Z"), Real: at("2026-11-20T00:00:00Z")}, func(tx *db.Tx) error {
		_, err := tx.Exec(w.Context(), `INSERT INTO subscription_resource (customer, instance, resource, name, status, order_id, line, parent, service, resource_type, product, spec, region, zone, size,
			size_unit, cloud_project, project, unit, periods, anchor_at, expires_at, policy, busy_with, created_at, updated_at)
			VALUES ('me', $1, $2, '', 2, 'o', 1, '', 's', 'r', 'p', 'x', 'g', $3, '0', 0, '', '0', 2, 1, 0, 0, 0, '', 0, 0)`, instance, resource, zone)
		return err
	})
	if err != nil {
		w.Fatal(err)
	}
}

// Every dimension, filters both ways, days and months of GMT+8, members that are paid for.
func TestDimensionsAndFilters(t *testing.T) {
	onEach(t, func(w *world) {
		now := at("2026-11-20T00:00:00Z")
		other := usage("member", "vm-9", "2026-11-03T01:00:00Z", "7", "0")
		other.Payer = "me"
		b := usage("me", "vm-2", "2026-10-31T15:30:00Z", "2", "0") // 23:30 of 31 October there
		c := usage("me", "vm-2", "2026-10-31T16:00:00Z", "3", "1") // 1 November
		c.Region, c.Project = "east", "p1"
		w.record(at("2026-10-31T17:00:00Z"), b)
		w.record(now, usage("me", "vm-1", "2026-11-02T01:00:00Z", "1.00000001", "0.5"), c, other, usage("stranger", "vm-1", "2026-11-02T01:00:00Z", "99", "0"), term(charge.Purchase, "o1", "i1", "365", "100"))
		err := w.d.Update(w.Context(), db.Instants{Now: now, Real: now}, func(tx *db.Tx) error {
			_, err := tx.Exec(w.Context(), `INSERT INTO usage_resource (customer, id, name, service, resource_type, spec, region, project, size, size_unit, tags, factor, status, running, created_at, ended_at)
				VALUES ('me', 'vm-1', '', 'ecs', 'vm', '', '', '0', '', 0, '{"team":"red","env":"prod"}', '', 2, 0, 0, 0), ('me', 'vm-2', '', 'ecs', 'vm', '', '', '0', '', 0, '{"team":"blue"}', '', 2, 0, 0, 0)`)
			return err
		})
		if err != nil {
			w.Fatal(err)
		}
		w.bought("i1", "volume-1", "north-1a")
		days := cost.Query{From: day("2026-10-01"), To: day("2026-11-30")}
		months := days
		months.ByMonth = true
		for _, k := range []struct {
			name string
			q    cost.Query
			do   func(*cost.Query)
			want string
		}{
			{"nothing", months, func(*cost.Query) {}, "1: []=376.50000001/378.00000001(2026-10=2 2026-11=374.50000001)"},
			{"account", months, func(q *cost.Query) { q.Groups = dims("ASSOCIATED_ACCOUNT") }, "2: [me]=369.50000001/371.00000001(2026-10=2 2026-11=367.50000001) [member]=7/7(2026-11=7)"},
			{"service, by day", days, func(q *cost.Query) { q.Groups = dims("CLOUD_SERVICE_TYPE") }, "2: [ebs]=365/365(2026-11-20=365) [ecs]=11.50000001/13.00000001(2026-10-31=2 2026-11-01=2 2026-11-02=0.50000001 2026-11-03=7)"},
			{"two", months, func(q *cost.Query) { q.Groups = dims("REGION_CODE", "ENTERPRISE_PROJECT_ID") }, "3: [south p1]=365/365(2026-11=365) [north 0]=9.50000001/10.00000001(2026-10=2 2026-11=7.50000001) [east p1]=2/3(2026-11=2)"},
			{"net", months, func(q *cost.Query) { q.Groups, q.Net = dims("CHARGING_MODE"), true }, "2: [1]=265/365(2026-11=265) [3]=11.50000001/13.00000001(2026-10=2 2026-11=9.50000001)"},
			{"resource", months, func(q *cost.Query) { q.Groups = dims("RESOURCE_ID") }, "4: [volume-1]=365/365(2026-11=365) [vm-9]=7/7(2026-11=7) [vm-2]=4/5(2026-10=2 2026-11=2) [vm-1]=0.50000001/1.00000001(2026-11=0.50000001)"},
			{"spec, usage", months, func(q *cost.Query) { q.Groups = dims("RES_SPEC_CODE", "USAGE_TYPE") }, "2: [ssd ]=365/365(2026-11=365) [s3.small Duration]=11.50000001/13.00000001(2026-10=2 2026-11=9.50000001)"},
			{"type, payer", months, func(q *cost.Query) { q.Groups = dims("RESOURCE_TYPE", "PAYER_ACCOUNT_ID") }, "2: [volume me]=365/365(2026-11=365) [vm me]=11.50000001/13.00000001(2026-10=2 2026-11=9.50000001)"},
			{"bill type, entity", months, func(q *cost.Query) { q.Groups = dims("BILL_TYPE", "BE_ID") }, "2: [1 purser]=365/365(2026-11=365) [5 purser]=11.50000001/13.00000001(2026-10=2 2026-11=9.50000001)"},
			{"zone", months, func(q *cost.Query) { q.Groups = dims("AZ_CODE") }, "2: [north-1a]=365/365(2026-11=365) []=11.50000001/13.00000001(2026-10=2 2026-11=9.50000001)"},
			{"in one zone", months, func(q *cost.Query) { q.Filters = []cost.Filter{{Key: "AZ_CODE", Values: []string{"north-1a"}}} }, "1: []=365/365(2026-11=365)"},
			{"in no other zone", months, func(q *cost.Query) {
				q.Filters = []cost.Filter{{Exclude: true, Key: "AZ_CODE", Values: []string{"north-1a"}}}
			}, "1: []=11.50000001/13.00000001(2026-10=2 2026-11=9.50000001)"},
			{"tag", months, func(q *cost.Query) { q.Groups = []cost.Group{{Kind: cost.Tag, Key: "team"}} }, "3: []=372/372(2026-11=372) [blue]=4/5(2026-10=2 2026-11=2) [red]=0.50000001/1.00000001(2026-11=0.50000001)"},
			{"only one region", months, func(q *cost.Query) { q.Filters = []cost.Filter{{Key: "REGION_CODE", Values: []string{"east", "none"}}} }, "1: []=2/3(2026-11=2)"},
			{"without one, of another", months, func(q *cost.Query) {
				q.Filters = []cost.Filter{{Exclude: true, Key: "REGION_CODE", Values: []string{"south"}}, {Key: "ASSOCIATED_ACCOUNT", Values: []string{"me"}}}
			}, "1: []=4.50000001/6.00000001(2026-10=2 2026-11=2.50000001)"},
			{"with a tag", months, func(q *cost.Query) { q.Filters = []cost.Filter{{Key: "RESOURCE_TAG", Values: []string{"team=red"}}} }, "1: []=0.50000001/1.00000001(2026-11=0.50000001)"},
			{"without any of a key", months, func(q *cost.Query) {
				q.Filters = []cost.Filter{{Exclude: true, Key: "RESOURCE_TAG", Values: []string{"team"}}}
			}, "1: []=372/372(2026-11=372)"},
			{"one project only", months, func(q *cost.Query) { q.Within = []string{"p1"} }, "1: []=367/368(2026-11=367)"},
			{"no project", months, func(q *cost.Query) { q.Within = []string{} }, "0:"},
			{"a page", months, func(q *cost.Query) { q.Groups, q.Offset, q.Limit = dims("RESOURCE_ID"), 1, 1 }, "4: [vm-9]=7/7(2026-11=7)"},
			{"behind the end", months, func(q *cost.Query) { q.Groups, q.Offset = dims("RESOURCE_ID"), 9 }, "4:"},
			{"a month before", cost.Query{ByMonth: true, From: day("2026-09-01"), To: day("2026-09-30")}, func(*cost.Query) {}, "0:"},
		} {
			q := k.q
			k.do(&q)
			if got := show(w.ask(q)); got != k.want {
				w.Errorf("%s:\n got %s\nwant %s", k.name, got, k.want)
			}
		}
		for name, q := range map[string]cost.Query{
			"an unknown dimension": {Groups: dims("COLOUR")}, "twice": {Groups: dims("BE_ID", "BE_ID")}, "a cost unit": {Groups: []cost.Group{{Kind: cost.CostUnit, Key: "x"}}},
			"an unknown filter": {Filters: []cost.Filter{{Key: "COLOUR", Values: []string{"x"}}}}, "a cost unit's filter": {Filters: []cost.Filter{{Key: "COST_UNIT", Values: []string{"x"}}}},
			"no value": {Filters: []cost.Filter{{Key: "BE_ID"}}},
		} {
			if _, err := w.try(q); !fault.Is(err, "CBC.0100") {
				w.Errorf("%s: %v", name, err)
			}
		}
	})
}

// A year bought with a coupon, a renewal, a refund: over its life the amortised cost is the original one, each day its share.
func TestAmortised(t *testing.T) {
	onEach(t, func(w *world) {
		bought := at("2026-11-28T02:00:00Z")
		end := period.End(bought, period.Year, 1)
		w.line("me", "o1", bought, end)
		w.line("me", "o2", end, period.End(bought, period.Year, 2))
		w.record(bought, term(charge.Purchase, "o1", "i1", "366", "36.6"), term(charge.Tax, "o1", "i1", "10", "0"))
		w.record(at("2027-03-01T02:00:00Z"), term(charge.Renewal, "o2", "i1", "400", "0"))
		w.record(at("2027-03-01T03:00:00Z"), usage("me", "vm-1", "2027-03-01T01:00:00Z", "5", "0"))
		q := cost.Query{ByMonth: true, Amortised: true, From: day("2026-11-01"), To: day("2027-04-30"), Groups: dims("CLOUD_SERVICE_TYPE")}
		want := "2: [ebs]=164/164(2026-11=13 2026-12=31 2027-01=31 2027-02=28 2027-03=31 2027-04=30) [ecs]=5/5(2027-03=5)"
		if got := show(w.ask(q)); got != want {
			w.Errorf("\n got %s\nwant %s", got, want)
		}
		q.Net = true
		if got := w.ask(q).Rows[0].Costs[1].Amount; got != amount("27.9") { // 31 days of 0.9
			w.Errorf("net in December: %s", got)
		}
		back := term(charge.Refund, "o3", "i1", "-600", "0")
		w.record(at("2027-04-10T02:00:00Z"), back)
		q = cost.Query{Amortised: true, From: day("2027-04-08"), To: day("2027-04-12")}
		// 133 days of 1 until then; 233 and the renewal's 400 are left, 600 go back
		if got, want := show(w.ask(q)), "1: []=35/35(2027-04-08=1 2027-04-09=1 2027-04-10=33)"; got != want {
			w.Errorf("\n got %s\nwant %s", got, want)
		}
		for _, net := range []bool{false, true} {
			all := cost.Query{ByMonth: true, Net: net, From: day("2026-11-01"), To: day("2029-01-31")}
			original := w.ask(all)
			all.Amortised = true
			if got := w.ask(all); got.Rows[0].Amount != original.Rows[0].Amount || got.Rows[0].Official != original.Rows[0].Official {
				w.Errorf("over its life: %s, want %s", show(got), show(original))
			}
		}
	})
}

// Whatever was charged: every grouping comes to the ungrouped sum, days come to months, and the kept sums say what the
// records say.
func TestGroupsComeToTheWhole(t *testing.T) {
	onEach(t, func(w *world) {
		random := rand.New(rand.NewPCG(1, 2))
		pick := func(list ...string) string { return list[random.IntN(len(list))] }
		for m := range 4 {
			now := at("2026-08-05T00:00:00Z").AddDate(0, m, 0)
			var fees []charge.Fee
			for range 60 {
				f := usage("me", pick("a", "b", "c"), now.Add(time.Duration(random.IntN(20*24))*time.Hour).Format(time.RFC3339), fmt.Sprint(random.IntN(1000)), "0")
				f.Service, f.Region, f.Project, f.Official = pick("ecs", "evs"), pick("n", "s"), pick("0", "p"), money.Amount(random.Int64N(1e10))
				f.Discount = f.Official / 7
				fees = append(fees, f)
			}
			for k := range 6 {
				order := fmt.Sprint("o", m, k)
				f := term(charge.Purchase, order, pick("i1", "i2", "i3"), "1", "0")
				f.Official = money.Amount(random.Int64N(1e11))
				f.Parts.Coupon = f.Official / 3
				w.line("me", order, now, period.End(now, period.Month, 1+random.IntN(14)))
				fees = append(fees, f)
			}
			fees = append(fees, term(charge.Refund, fmt.Sprint("r", m), pick("i1", "i2", "i3"), "-1", "0"))
			w.record(now.AddDate(0, 0, 21), fees...)
		}
		whole := cost.Query{ByMonth: true, From: day("2026-08-01"), To: day("2026-12-31")}
		for i := range 4 {
			whole.Amortised, whole.Net = i&1 == 1, i&2 == 2
			total := w.ask(whole).Rows[0]
			for _, groups := range [][]cost.Group{dims("REGION_CODE"), dims("RESOURCE_ID"), dims("CLOUD_SERVICE_TYPE", "ENTERPRISE_PROJECT_ID"), dims("RES_SPEC_CODE", "BILL_TYPE"), {{Kind: cost.Tag, Key: "x"}}} {
				for _, month := range []bool{true, false} {
					q := whole
					q.Groups, q.ByMonth = groups, month
					var amount, official, timed money.Amount
					for _, row := range w.ask(q).Rows {
						amount, official = amount+row.Amount, official+row.Official
						for _, c := range row.Costs {
							timed += c.Amount
						}
					}
					if amount != total.Amount || official != total.Official || timed != total.Amount {
						w.Errorf("%v, by month %v: %s, %s, %s; want %s, %s", groups, month, amount, official, timed, total.Amount, total.Official)
					}
				}
			}
		}
	})
}

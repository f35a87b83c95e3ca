package portal

import (
	"context"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"github.com/purser-cloud/purser/client/bss"
	"github.com/purser-cloud/purser/client/purser"
)

// renewals are the yearly/monthly resources by what happens at their expiry.
type renewals struct {
	list     *asked[*bss.ListPayPerUseCustomerResourcesReply]
	services *asked[*bss.ListServiceTypesReply]
	tab      string
	counts   map[string]int
	rows     []bss.OrderInstanceV2
	offset   int
	calendar []calendarDay
	month    time.Time
}

// calendarDay is a day of the calendar of expiries.
type calendarDay struct {
	Day   int // 0: not of the month
	Today bool
	Names []string
	Query string
}

// renewalTabs are the tabs, in order.
var renewalTabs = []string{"manual", "auto", "use", "none", "all"}

// tabOf is the tab that a resource stands in.
func tabOf(r *bss.OrderInstanceV2) string {
	switch r.ExpirePolicy {
	case 3:
		return "auto"
	case 1:
		return "use"
	case 2:
		return "none"
	}
	return "manual"
}

// resourcesMost is how many resources are asked for at once: tabs and calendar are made of them.
const resourcesMost = 500

func showRenewals(v *visit) (templ.Component, error) {
	g := &renewals{tab: v.q("tab"), counts: map[string]int{}, offset: v.offset()}
	if g.tab == "" {
		g.tab = "manual"
		if v.q("order") != "" {
			g.tab = "all"
		}
	}
	q := bss.QueryResourcesReq{
		OnlyMainResource: new(bss.QueryResourcesReqOnlyMainResource(1)), StatusList: []bss.QueryResourcesReqStatusList{2, 4, 5}, Limit: new(int32(resourcesMost)),
		OrderId: v.some("order"), ServiceTypeCode: v.some("service"), ExpireTimeBegin: wireDay(v.q("from"), false), ExpireTimeEnd: wireDay(v.q("until"), true),
	}
	g.list = ask(v, func(ctx context.Context) (*bss.ListPayPerUseCustomerResourcesReply, error) {
		return v.api.BSS.ListPayPerUseCustomerResourcesWithResponse(ctx, q)
	})
	g.services = askServices(v)
	if err := v.wait(); err != nil {
		return nil, err
	}
	if g.list.ok() {
		g.sort(v)
	}
	return renewalsPage(v, g), nil
}

func (g *renewals) sort(v *visit) {
	all := g.list.reply.JSON200.Data
	sort.SliceStable(all, func(i, k int) bool { return whenP(all[i].ExpireTime).Before(whenP(all[k].ExpireTime)) })
	name := strings.ToLower(v.q("name"))
	g.counts["all"] = len(all)
	for _, r := range all {
		tab := tabOf(&r)
		g.counts[tab]++
		if (g.tab == "all" || g.tab == tab || g.tab == "calendar") && (name == "" || strings.Contains(strings.ToLower(r.ResourceName+r.ResourceId), name)) {
			g.rows = append(g.rows, r)
		}
	}
	if g.tab == "calendar" {
		g.draw(v)
	}
}

// page is the part of the rows that is shown.
func (g *renewals) page() []bss.OrderInstanceV2 {
	if g.offset >= len(g.rows) {
		return nil
	}
	return g.rows[g.offset:min(len(g.rows), g.offset+pageSize)]
}

// draw fills the calendar of a month, whole weeks from Monday on.
func (g *renewals) draw(v *visit) {
	now := v.now.In(zone)
	g.month = time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, zone)
	if at, err := time.ParseInLocation("2006-01", v.q("month"), zone); err == nil {
		g.month = at
	} else { // that in which something expires next
		for _, r := range g.rows {
			if at := whenP(r.ExpireTime).In(zone); at.After(now) {
				g.month = time.Date(at.Year(), at.Month(), 1, 0, 0, 0, 0, zone)
				break
			}
		}
	}
	for range (int(g.month.Weekday()) + 6) % 7 {
		g.calendar = append(g.calendar, calendarDay{})
	}
	byDay := map[string][]string{}
	for _, r := range g.rows {
		day := dayText(whenP(r.ExpireTime))
		byDay[day] = append(byDay[day], r.ResourceName)
	}
	for day := g.month; day.Month() == g.month.Month(); day = day.AddDate(0, 0, 1) {
		text := dayText(day)
		g.calendar = append(g.calendar, calendarDay{Day: day.Day(), Today: text == dayText(now), Names: byDay[text], Query: text})
	}
	for len(g.calendar)%7 != 0 {
		g.calendar = append(g.calendar, calendarDay{})
	}
}

// chosen are the resources that a query names, as many as one call takes.
func (v *visit) chosen() []string {
	list := v.r.URL.Query()["res"]
	if len(list) > 10 {
		list = list[:10]
	}
	return list
}

// renewing is the price of renewing what was chosen.
type renewing struct {
	ids   []string
	term  string
	names map[string]bss.OrderInstanceV2
	rate  *asked[*bss.ListRenewRateOnPeriodReply]
	best  *bss.OptionalDiscountRatingResultV2
}

// termOf reads "2-3" as three months.
func termOf(text string) (kind, n int32) {
	a, b, _ := strings.Cut(text, "-")
	i, err := strconv.Atoi(a)
	k, err2 := strconv.Atoi(b)
	if err != nil || err2 != nil {
		return 2, 1
	}
	return int32(i), int32(k)
}

func showRenew(v *visit) (templ.Component, error) {
	n := &renewing{ids: v.chosen(), term: v.q("term"), names: map[string]bss.OrderInstanceV2{}}
	if len(n.ids) == 0 {
		return empty(v.t("renew.none"), "/renewals", v.t("renewals.title")), nil
	}
	if n.term == "" {
		n.term = "2-1"
	}
	kind, num := termOf(n.term)
	list := askResources(v, n.ids)
	n.rate = ask(v, func(ctx context.Context) (*bss.ListRenewRateOnPeriodReply, error) {
		return v.api.BSS.ListRenewRateOnPeriodWithResponse(ctx, bss.ListRenewRateOnPeriodReq{ResourceIds: n.ids, PeriodType: bss.ListRenewRateOnPeriodReqPeriodType(kind), PeriodNum: num, IncludeRelativeResources: new(true)})
	})
	if err := v.wait(); err != nil {
		return nil, err
	}
	n.names = byID(list)
	if n.rate.ok() {
		for i := range n.rate.reply.JSON200.OptionalDiscountRatingResults {
			if one := &n.rate.reply.JSON200.OptionalDiscountRatingResults[i]; one.BestOffer == 1 {
				n.best = one
			}
		}
	}
	return renewPage(v, n), nil
}

func askResources(v *visit, ids []string) *asked[*bss.ListPayPerUseCustomerResourcesReply] {
	return ask(v, func(ctx context.Context) (*bss.ListPayPerUseCustomerResourcesReply, error) {
		return v.api.BSS.ListPayPerUseCustomerResourcesWithResponse(ctx, bss.QueryResourcesReq{ResourceIds: ids, Limit: new(int32(100))})
	})
}

func byID(list *asked[*bss.ListPayPerUseCustomerResourcesReply]) map[string]bss.OrderInstanceV2 {
	out := map[string]bss.OrderInstanceV2{}
	if list.ok() {
		for _, r := range list.reply.JSON200.Data {
			out[r.ResourceId] = r
		}
	}
	return out
}

// doRenew renews what was chosen; paid at once, or left as orders.
func doRenew(v *visit) outcome {
	kind, num := termOf(v.form("term"))
	ids := v.r.PostForm["res"]
	in := bss.RenewalResourcesReq{ResourceIds: ids, PeriodType: bss.RenewalResourcesReqPeriodType(kind), PeriodNum: num, IsAutoPay: new(bss.RenewalResourcesReqIsAutoPay(v.number("pay", 0, 1, 0)))}
	got, bad := do(v, func(ctx context.Context) (*bss.RenewalResourcesReply, error) {
		return v.api.BSS.RenewalResourcesWithResponse(ctx, in)
	})
	if bad != nil {
		return v.refusal("", bad)
	}
	text := v.t("renew.done", strings.Join(got.JSON200.OrderIds, ", "))
	if len(got.JSON200.FailResourceInfos) > 0 {
		text += " " + v.failed(got.JSON200.FailResourceInfos)
	}
	at := "/renewals"
	if v.form("pay") != "1" {
		at = "/orders?status=6"
	}
	return outcome{good: len(got.JSON200.FailResourceInfos) == 0, text: text, to: at}
}

func (v *visit) failed(list []bss.FailResourceInfo) string {
	var out []string
	for _, f := range list {
		why := ""
		if f.ErrorMsg != nil {
			why = v.said(*f.ErrorMsg)
		}
		out = append(out, f.ResourceId+": "+why)
	}
	return v.t("renew.failed", strings.Join(out, "; "))
}

// ending is what unsubscribing would give back.
type ending struct {
	ids      []string
	renewals bool
	names    map[string]bss.OrderInstanceV2
	preview  *asked[*purser.PreviewUnsubscriptionReply]
	back     amount
	any      bool
}

func showUnsubscribe(v *visit) (templ.Component, error) {
	e := &ending{ids: v.chosen(), renewals: v.q("kind") == "2"}
	if len(e.ids) == 0 {
		return empty(v.t("renew.none"), "/renewals", v.t("renewals.title")), nil
	}
	list := askResources(v, e.ids)
	if v.session.Own {
		kind := purser.PreviewUnsubscriptionRequestUnsubscribeType(1)
		if e.renewals {
			kind = 2
		}
		e.preview = ask(v, func(ctx context.Context) (*purser.PreviewUnsubscriptionReply, error) {
			return v.api.Purser.PreviewUnsubscriptionWithResponse(ctx, purser.PreviewUnsubscriptionRequest{ResourceIds: e.ids, UnsubscribeType: &kind})
		})
	}
	if err := v.wait(); err != nil {
		return nil, err
	}
	e.names = byID(list)
	if e.preview != nil && e.preview.ok() {
		for _, r := range e.preview.reply.JSON200.Resources {
			if r.ErrorCode == nil {
				e.any = true
				e.back += amountOf(r.RefundAmount) + amountOf(r.TaxAmount)
			}
		}
	} else {
		e.any = true
	}
	return unsubscribePage(v, e), nil
}

func doUnsubscribe(v *visit) outcome {
	kind := bss.UnsubscribeResourcesReqUnsubscribeType(v.number("kind", 1, 2, 1))
	in := bss.UnsubscribeResourcesReq{ResourceIds: v.r.PostForm["res"], UnsubscribeType: kind, UnsubscribeReason: v.someForm("reason")}
	if n := v.number("why", 1, 5, 0); n > 0 {
		in.UnsubscribeReasonType = new(bss.UnsubscribeResourcesReqUnsubscribeReasonType(n))
	}
	got, bad := do(v, func(ctx context.Context) (*bss.CancelResourcesSubscriptionReply, error) {
		return v.api.BSS.CancelResourcesSubscriptionWithResponse(ctx, in)
	})
	if bad != nil {
		return v.refusal("", bad)
	}
	answer := got.JSON200
	text := v.t("unsubscribe.done", strings.Join(answer.OrderIds, ", "))
	if len(answer.FailResourceInfos) > 0 {
		text += " " + v.failed(answer.FailResourceInfos)
	}
	at := "/renewals"
	if len(answer.OrderIds) == 1 {
		at = to("/order", "id", answer.OrderIds[0])
	}
	return outcome{good: len(answer.FailResourceInfos) == 0, text: text, to: at}
}

// setPolicy changes what happens at the expiry of a resource.
func setPolicy(v *visit) outcome {
	id := v.form("res")
	var bad *problem
	switch v.form("policy") {
	case "auto":
		_, bad = do(v, func(ctx context.Context) (*bss.AutoRenewalResourcesReply, error) {
			return v.api.BSS.AutoRenewalResourcesWithResponse(ctx, id, bss.AutoRenewalResourcesReq{})
		})
	case "manual":
		_, bad = do(v, func(ctx context.Context) (*bss.CancelAutoRenewalResourcesReply, error) {
			return v.api.BSS.CancelAutoRenewalResourcesWithResponse(ctx, id)
		})
	case "use", "not_use":
		in := bss.PeriodToOnDemandReq{Operation: "SET_UP", ResourceIds: []string{id}}
		if v.form("policy") == "not_use" {
			in.Operation = "CANCEL"
		}
		var got *bss.UpdatePeriodToOnDemandReply
		got, bad = do(v, func(ctx context.Context) (*bss.UpdatePeriodToOnDemandReply, error) {
			return v.api.BSS.UpdatePeriodToOnDemandWithResponse(ctx, in)
		})
		if bad == nil && len(got.JSON200.ErrorDetails) > 0 {
			first := got.JSON200.ErrorDetails[0]
			bad = &problem{status: 400, text: textOf(first.ErrorMsg), code: textOf(first.ErrorCode)}
		}
	default:
		return refused("", v.t("trouble.form"))
	}
	if bad != nil {
		return v.refusal("", bad)
	}
	return done("", v.t("renewals.policy_set", v.form("name")))
}

func textOf(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}

// setRenewDay sets the common day of expiry, or how early automatic renewal begins.
func setRenewDay(v *visit) outcome {
	in := bss.RenewResourceConfigReq{ConfigName: "EXPIRE_DATE", ConfigValue: v.form("day")}
	if ahead := v.form("ahead"); ahead != "" {
		in = bss.RenewResourceConfigReq{ConfigName: "DEDUCTION_DATE", ConfigValue: ahead}
	}
	if _, bad := do(v, func(ctx context.Context) (*bss.SetResourcesRenewConfigReply, error) {
		return v.api.BSS.SetResourcesRenewConfigWithResponse(ctx, in)
	}); bad != nil {
		return v.refusal("", bad)
	}
	return done("", v.t("renewals.day_set"))
}

func (v *visit) renewTerms() []choice {
	var out []choice
	for _, n := range []int32{1, 2, 3, 6, 9} {
		out = append(out, choice{"2-" + strconv.Itoa(int(n)), v.period(2, n)})
	}
	for _, n := range []int32{1, 2, 3} {
		out = append(out, choice{"3-" + strconv.Itoa(int(n)), v.period(3, n)})
	}
	return out
}

func showExpiry(v *visit) (templ.Component, error) {
	ids := v.chosen()
	if len(ids) == 0 {
		return empty(v.t("renew.none"), "/renewals", v.t("renewals.title")), nil
	}
	list := askResources(v, ids)
	if err := v.wait(); err != nil {
		return nil, err
	}
	if list.bad != nil {
		return nil, list.bad
	}
	return expiryPage(v, list.reply.JSON200.Data), nil
}

// renewDay is the common day of expiry; 0: none, or not told.
func (v *visit) renewDay() int {
	if v.me == nil || v.me.RenewDay == nil {
		return 0
	}
	return int(*v.me.RenewDay)
}

func (v *visit) renewAhead() int {
	if v.me == nil || v.me.RenewAhead == nil {
		return 0
	}
	return int(*v.me.RenewAhead)
}

// untilText says how far off an instant is.
func (v *visit) untilText(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	days := daysUntil(v.now, t)
	if t.Before(v.now) {
		return v.t("renewals.ago", -days)
	}
	return v.t("renewals.in", days)
}

func resourceKind(state int32) string {
	switch state {
	case 2:
		return "good"
	case 4, 5:
		return "bad"
	case 6:
		return "warn"
	}
	return ""
}

func policyKind(r *bss.OrderInstanceV2) string {
	switch r.ExpirePolicy {
	case 3:
		return "good"
	case 1:
		return ""
	}
	return "warn"
}

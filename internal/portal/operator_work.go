package portal

import (
	"context"
	"strings"
	"time"

	"github.com/a-h/templ"

	"github.com/purser-cloud/purser/client/purser"
)

// deskView is what waits for the operator.
type deskView struct {
	customers  *asked[*purser.ListCustomersReply]
	waiting    *asked[*purser.ListWaitingOrdersReply]
	quarantine *asked[*purser.ListQuarantineReply]
	closes     *asked[*purser.ListParkedClosesReply]
	undone     *asked[*purser.ListDeliveriesReply]
	months     *asked[*purser.ListCloseProgressReply]
	jobs       *asked[*purser.ListJobsReply]
}

// showDesk is the front page of the operator, and of partners, who have no more.
func showDesk(v *visit) (templ.Component, error) {
	if v.session.Kind != "operator" || !v.session.Own {
		return plainDeskPage(v), nil
	}
	d := &deskView{}
	d.customers = ask(v, func(ctx context.Context) (*purser.ListCustomersReply, error) {
		return v.api.Purser.ListCustomersWithResponse(ctx, &purser.ListCustomersParams{Limit: new(int32(1))})
	})
	d.waiting = askWaiting(v, 0, 1)
	d.quarantine = askQuarantine(v, "kept", 0, 1)
	d.closes = askCloses(v, 0, 1)
	d.undone = askDeliveries(v, "given_up", 0, 1)
	d.jobs = askJobs(v, 5)
	d.months = askProgress(v)
	if err := v.wait(); err != nil {
		return nil, err
	}
	return deskPage(v, d), nil
}

func askWaiting(v *visit, offset, limit int) *asked[*purser.ListWaitingOrdersReply] {
	return ask(v, func(ctx context.Context) (*purser.ListWaitingOrdersReply, error) {
		return v.api.Purser.ListWaitingOrdersWithResponse(ctx, &purser.ListWaitingOrdersParams{Offset: new(int32(offset)), Limit: new(int32(limit))})
	})
}

func askQuarantine(v *visit, state string, offset, limit int) *asked[*purser.ListQuarantineReply] {
	in := &purser.ListQuarantineParams{Offset: new(int32(offset)), Limit: new(int32(limit))}
	if state != "" {
		in.State = new(purser.ListQuarantineParamsState(state))
	}
	return ask(v, func(ctx context.Context) (*purser.ListQuarantineReply, error) {
		return v.api.Purser.ListQuarantineWithResponse(ctx, in)
	})
}

func askCloses(v *visit, offset, limit int) *asked[*purser.ListParkedClosesReply] {
	return ask(v, func(ctx context.Context) (*purser.ListParkedClosesReply, error) {
		return v.api.Purser.ListParkedClosesWithResponse(ctx, &purser.ListParkedClosesParams{Offset: new(int32(offset)), Limit: new(int32(limit))})
	})
}

func askDeliveries(v *visit, state string, offset, limit int) *asked[*purser.ListDeliveriesReply] {
	in := &purser.ListDeliveriesParams{Offset: new(int32(offset)), Limit: new(int32(limit))}
	if state != "" {
		in.State = new(purser.ListDeliveriesParamsState(state))
	}
	return ask(v, func(ctx context.Context) (*purser.ListDeliveriesReply, error) {
		return v.api.Purser.ListDeliveriesWithResponse(ctx, in)
	})
}

func askJobs(v *visit, limit int) *asked[*purser.ListJobsReply] {
	return ask(v, func(ctx context.Context) (*purser.ListJobsReply, error) {
		return v.api.Purser.ListJobsWithResponse(ctx, &purser.ListJobsParams{Offset: new(int32(v.offset())), Limit: new(int32(limit))})
	})
}

func showReviews(v *visit) (templ.Component, error) {
	list := askWaiting(v, v.offset(), pageSize)
	if err := v.wait(); err != nil {
		return nil, err
	}
	if list.ok() {
		if err := nameAccounts(v, list.reply.JSON200.Orders, func(o *purser.WaitingOrder) string { return o.CustomerId }); err != nil {
			return nil, err
		}
	}
	return reviewsPage(v, list), nil
}

// judgeOrder says what becomes of an order that waits for somebody.
func judgeOrder(v *visit) outcome {
	in := purser.JudgeOrderRequest{CustomerId: v.form("customer"), Verdict: purser.JudgeOrderRequestVerdict(v.form("verdict")), Reason: v.someForm("reason")}
	if _, bad := do(v, func(ctx context.Context) (*purser.JudgeOrderReply, error) {
		return v.api.Purser.JudgeOrderWithResponse(ctx, v.form("order"), &purser.JudgeOrderParams{IdempotencyKey: &v.key}, in)
	}); bad != nil {
		return v.refusal("", bad)
	}
	return done("", v.t("reviews.done", v.form("order"), v.code("verdict", in.Verdict)))
}

func showIntake(v *visit) (templ.Component, error) {
	state := v.q("state")
	if state == "" {
		state = "kept"
	}
	list := askQuarantine(v, state, v.offset(), pageSize)
	if err := v.wait(); err != nil {
		return nil, err
	}
	if list.ok() {
		if err := nameAccounts(v, list.reply.JSON200.Records, func(r *purser.QuarantinedRecord) string { return r.Record.CustomerId }); err != nil {
			return nil, err
		}
	}
	return intakePage(v, list, state), nil
}

// replayUsage takes a record of the quarantine in after all, or gives it up.
func replayUsage(v *visit) outcome {
	in := purser.ReplayUsageRequest{CustomerId: v.form("customer"), Action: purser.ReplayUsageRequestAction(v.form("action"))}
	if _, bad := do(v, func(ctx context.Context) (*purser.ReplayUsageReply, error) {
		return v.api.Purser.ReplayUsageWithResponse(ctx, v.form("id"), in)
	}); bad != nil {
		return v.refusal("", bad)
	}
	return done("", v.t("intake.done", v.code("usage_action", in.Action)))
}

// usageExample is a record of the last hour, as its form is.
func (v *visit) usageExample() string {
	end := v.now.UTC().Truncate(time.Hour)
	return `{"source": "meter-1", "id": "1", "customer_id": "…", "resource_id": "vm-1", "cloud_service_type": "hws.service.type.ec2", "resource_type": "hws.resource.type.vm", "resource_spec": "s3.small.1.linux", "region": "` +
		defaultRegion + `", "usage_factor": "Duration", "usage_value": "1", "usage_measure_id": 4, "start_time": "` + wire(end.Add(-time.Hour)) + `", "end_time": "` + wire(end) + `"}`
}

// takeUsage hands in records of usage, as JSON: an array, or an object a line.
func takeUsage(v *visit) outcome {
	records, kind := v.form("records"), "application/x-ndjson"
	if strings.HasPrefix(records, "[") {
		kind = "application/json"
	}
	got, bad := do(v, func(ctx context.Context) (*purser.AcceptUsageReply, error) {
		return v.api.Purser.AcceptUsageWithBodyWithResponse(ctx, kind, strings.NewReader(records))
	})
	if bad != nil {
		return v.refusal("", bad)
	}
	r := got.JSON200
	out := done("", v.t("intake.taken", r.Accepted, r.Duplicates, len(r.Quarantined), len(r.Refused)))
	for _, one := range append(r.Refused, r.Quarantined...) {
		out.good = false
		out.text += " " + v.said(one.Message) + v.t("said.code", one.Code)
	}
	return out
}

func showCloses(v *visit) (templ.Component, error) {
	list := askCloses(v, v.offset(), pageSize)
	months := askProgress(v)
	jobs := askJobs(v, 10)
	if err := v.wait(); err != nil {
		return nil, err
	}
	if list.ok() {
		if err := nameAccounts(v, list.reply.JSON200.Closes, func(c *purser.ParkedClose) string { return c.CustomerId }); err != nil {
			return nil, err
		}
	}
	return closesPage(v, months, list, jobs), nil
}

func askProgress(v *visit) *asked[*purser.ListCloseProgressReply] {
	return ask(v, func(ctx context.Context) (*purser.ListCloseProgressReply, error) {
		return v.api.Purser.ListCloseProgressWithResponse(ctx)
	})
}

// closing says whether a month has ended by the house's time and customers of it wait to be closed.
func (v *visit) closing(list *purser.ListCloseProgressResponse) bool {
	for i := range list.Months {
		if m := &list.Months[i]; m.Waiting > 0 && !when(m.ClosesTime).After(v.now) {
			return true
		}
	}
	return false
}

// closeText says how far a month's close is.
func (v *visit) closeText(m *purser.CloseProgress) string {
	return v.t("closes.of", m.Closed, m.Closed+m.Waiting+m.Parked)
}

func (v *visit) closeKind(m *purser.CloseProgress) (kind, text string) {
	switch {
	case m.Parked > 0:
		return "bad", "closes.some_parked"
	case m.Waiting > 0 && when(m.ClosesTime).After(v.now):
		return "", "closes.ahead"
	case m.Waiting > 0:
		return "warn", "closes.under_way"
	case m.Closed > 0:
		return "good", "closes.all_closed"
	}
	return "", "closes.nobody"
}

func units(n int32) amount { return amount(n) * oneUnit }

func retryClose(v *visit) outcome {
	if _, bad := do(v, func(ctx context.Context) (*purser.RetryCloseReply, error) {
		return v.api.Purser.RetryCloseWithResponse(ctx, &purser.RetryCloseParams{IdempotencyKey: &v.key}, purser.RetryCloseRequest{CustomerId: v.form("customer"), Cycle: v.form("cycle")})
	}); bad != nil {
		return v.refusal("", bad)
	}
	return done("", v.t("closes.again", v.form("cycle")))
}

// reportCSV is one of the reports for finance.
func reportCSV(report string) func(*visit) (*download, error) {
	return func(v *visit) (*download, error) {
		got, bad := do(v, func(ctx context.Context) (*purser.ShowReportReply, error) {
			return v.api.Purser.ShowReportWithResponse(ctx, purser.ShowReportParamsReport(report), &purser.ShowReportParams{From: v.some("from"), To: v.some("to")})
		})
		if bad != nil {
			return nil, bad
		}
		return &download{name: report + ".csv", kind: "text/csv; charset=utf-8", content: got.Body}, nil
	}
}

func showPapers(v *visit) (templ.Component, error) {
	in := &purser.ListInvoicePapersParams{CustomerId: v.some("customer"), BillCycle: v.some("cycle"), Limit: new(int32(pageSize)), Offset: new(int32(v.offset()))}
	list := ask(v, func(ctx context.Context) (*purser.ListInvoicePapersReply, error) {
		return v.api.Purser.ListInvoicePapersWithResponse(ctx, in)
	})
	issuers := ask(v, func(ctx context.Context) (*purser.ListInvoiceIssuersReply, error) {
		return v.api.Purser.ListInvoiceIssuersWithResponse(ctx)
	})
	rates := ask(v, func(ctx context.Context) (*purser.ListTaxRatesReply, error) {
		return v.api.Purser.ListTaxRatesWithResponse(ctx)
	})
	if err := v.wait(); err != nil {
		return nil, err
	}
	if list.ok() {
		if err := nameAccounts(v, list.reply.JSON200.Invoices, func(p *purser.InvoicePaper) string { return p.CustomerId }); err != nil {
			return nil, err
		}
	}
	return papersPage(v, list, issuers, rates), nil
}

// setIssuer names who issues invoices, for the countries that are listed or for all others.
func setIssuer(v *visit) outcome {
	in := purser.InvoiceIssuer{Name: v.form("name"), Address: v.someForm("address"), TaxId: v.someForm("tax"), Note: v.someForm("note")}
	if countries := strings.Fields(strings.ToUpper(strings.ReplaceAll(v.form("countries"), ",", " "))); len(countries) > 0 {
		in.Countries = countries
	}
	if _, bad := do(v, func(ctx context.Context) (*purser.SetInvoiceIssuerReply, error) {
		return v.api.Purser.SetInvoiceIssuerWithResponse(ctx, v.form("code"), &purser.SetInvoiceIssuerParams{IdempotencyKey: &v.key}, in)
	}); bad != nil {
		return v.refusal("/papers", bad)
	}
	return done("/papers", v.t("papers.issuer_set", in.Name))
}

// setRate sets a rate of tax from the beginning of a day of GMT+8 on, or from now on.
func setRate(v *visit) outcome {
	in := purser.TaxRate{Country: strings.ToUpper(v.form("country")), Rate: v.form("rate"), ServiceTypeCode: v.someForm("service"), Inclusive: new(v.form("inclusive") == "yes")}
	if day, err := time.ParseInLocation("2006-01-02", v.form("from"), zone); err == nil {
		in.FromTime = new(day.UTC().Format(time.RFC3339))
	}
	if _, bad := do(v, func(ctx context.Context) (*purser.SetTaxRateReply, error) {
		return v.api.Purser.SetTaxRateWithResponse(ctx, &purser.SetTaxRateParams{IdempotencyKey: &v.key}, in)
	}); bad != nil {
		return v.refusal("/papers", bad)
	}
	return done("/papers", v.t("papers.rate_set", in.Country))
}

func paperPDF(v *visit) (*download, error) {
	got, bad := do(v, func(ctx context.Context) (*purser.PrintInvoiceReply, error) {
		return v.api.Purser.PrintInvoiceWithResponse(ctx, v.q("id"), nil)
	})
	if bad != nil {
		return nil, bad
	}
	return &download{name: "invoice-" + v.q("no") + ".pdf", kind: "application/pdf", content: got.Body}, nil
}

// offersView is what a customer pays less by.
type offersView struct {
	granted   *asked[*purser.ListDiscountsReply]
	customers *asked[*purser.ListCustomersReply]
}

func showOffers(v *visit) (templ.Component, error) {
	o := &offersView{}
	if v.q("customer") != "" {
		o.granted = ask(v, func(ctx context.Context) (*purser.ListDiscountsReply, error) {
			return v.api.Purser.ListDiscountsWithResponse(ctx, &purser.ListDiscountsParams{CustomerId: v.some("customer"), Limit: new(int32(pageSize)), Offset: new(int32(v.offset()))})
		})
	}
	o.customers = ask(v, func(ctx context.Context) (*purser.ListCustomersReply, error) {
		return v.api.Purser.ListCustomersWithResponse(ctx, &purser.ListCustomersParams{Limit: new(int32(100))})
	})
	if err := v.wait(); err != nil {
		return nil, err
	}
	return offersPage(v, o), nil
}

func grantDiscount(v *visit) outcome {
	in := purser.GrantDiscountRequest{
		CustomerId: v.form("customer"), Name: v.form("name"), Ratio: v.someForm("ratio"), Value: v.someForm("value"), OrderId: v.someForm("order"),
		ServiceTypeCode: v.someForm("service"), EffectiveTime: wireDay(v.form("from"), false), ExpireTime: wireDay(v.form("until"), true),
		DiscountType: purser.GrantDiscountRequestDiscountType(v.number("type", 0, 999, 0)),
	}
	if in.Value != nil {
		in.DiscountMode = new(purser.GrantDiscountRequestDiscountMode(2))
	}
	got, bad := do(v, func(ctx context.Context) (*purser.GrantDiscountReply, error) {
		return v.api.Purser.GrantDiscountWithResponse(ctx, &purser.GrantDiscountParams{IdempotencyKey: &v.key}, in)
	})
	if bad != nil {
		return v.refusal("", bad)
	}
	return done(to("/offers", "customer", in.CustomerId), v.t("offers.granted", got.JSON201.Name))
}

func withdrawDiscount(v *visit) outcome {
	if _, bad := do(v, func(ctx context.Context) (*purser.WithdrawDiscountReply, error) {
		return v.api.Purser.WithdrawDiscountWithResponse(ctx, v.form("id"), &purser.WithdrawDiscountParams{CustomerId: v.form("customer")})
	}); bad != nil {
		return v.refusal("", bad)
	}
	return done("", v.t("offers.withdrawn"))
}

func issueCoupon(v *visit) outcome {
	in := purser.IssueCouponsRequest{
		CustomerIds: []string{v.form("customer")}, FaceValue: v.form("value"), PlanName: v.someForm("name"), Version: purser.IssueCouponsRequestVersion(v.number("version", 1, 2, 1)),
		EffectiveTime: wireDay(v.form("from"), false), ExpireTime: wireDay(v.form("until"), true),
	}
	got, bad := do(v, func(ctx context.Context) (*purser.IssueCouponsReply, error) {
		return v.api.Purser.IssueCouponsWithResponse(ctx, &purser.IssueCouponsParams{IdempotencyKey: &v.key}, in)
	})
	if bad != nil {
		return v.refusal("", bad)
	}
	return done("", v.t("offers.issued", got.JSON201.Coupons[0].CouponId))
}

func actOnCoupon(v *visit) outcome {
	in := purser.ActOnCouponRequest{CustomerId: v.form("customer"), Action: purser.ActOnCouponRequestAction(v.form("action"))}
	if _, bad := do(v, func(ctx context.Context) (*purser.ActOnCouponReply, error) {
		return v.api.Purser.ActOnCouponWithResponse(ctx, v.form("coupon"), in)
	}); bad != nil {
		return v.refusal("", bad)
	}
	return done("", v.t("offers.acted", v.code("coupon_action", in.Action)))
}

func showHealth(v *visit) (templ.Component, error) {
	h := ask(v, func(ctx context.Context) (*purser.ShowHealthReply, error) {
		return v.api.Purser.ShowHealthWithResponse(ctx)
	})
	if err := v.wait(); err != nil {
		return nil, err
	}
	if h.ok() {
		if err := nameAccounts(v, []string{}, nil, troubled(h.reply.JSON200)...); err != nil {
			return nil, err
		}
	}
	return healthPage(v, h), nil
}

// troubled are the customers that checks are about.
func troubled(h *purser.HouseHealth) (ids []string) {
	for i := range h.Checks {
		ids = append(ids, h.Checks[i].Customers...)
	}
	return ids
}

// checkAt is the page on which something can be done about what a check is about.
func checkAt(name string) string {
	return map[string]string{"books": "/customers", "closes": "/closes", "deliveries": "/outbox?state=given_up", "usage": "/intake", "messages": "/outbox?state=waiting", "work": "/clock"}[name]
}

func showClock(v *visit) (templ.Component, error) {
	clocks := ask(v, func(ctx context.Context) (*purser.ListClocksReply, error) {
		return v.api.Purser.ListClocksWithResponse(ctx)
	})
	jobs := askJobs(v, pageSize)
	if err := v.wait(); err != nil {
		return nil, err
	}
	var turned []string
	if jobs.ok() {
		for i := range jobs.reply.JSON200.Jobs {
			turned = append(turned, jobs.reply.JSON200.Jobs[i].CustomerId)
		}
	}
	if clocks.ok() {
		if err := nameAccounts(v, clocks.reply.JSON200.Clocks, func(c *purser.Clock) string { return c.CustomerId }, turned...); err != nil {
			return nil, err
		}
	}
	return clockPage(v, clocks, jobs), nil
}

// moveClock turns a test clock forward; long turns go on as a job.
func moveClock(v *visit) outcome {
	at, err := time.ParseInLocation("2006-01-02T15:04", v.form("time"), zone)
	if err != nil {
		return refused("", v.t("clock.field"))
	}
	got, bad := do(v, func(ctx context.Context) (*purser.MoveClockReply, error) {
		return v.api.Purser.MoveClockWithResponse(ctx, purser.MoveClockRequest{CustomerId: v.someForm("customer"), Time: wire(at)})
	})
	if bad != nil {
		return v.refusal("", bad)
	}
	return done("/clock", v.t("clock.moved", clockText(at), v.code("job_state", got.JSON200.State), got.JSON200.Done))
}

func showOutbox(v *visit) (templ.Component, error) {
	hooks := askHooks(v)
	sent := askDeliveries(v, v.q("state"), v.offset(), pageSize)
	if err := v.wait(); err != nil {
		return nil, err
	}
	if sent.ok() {
		if err := nameAccounts(v, sent.reply.JSON200.Deliveries, func(d *purser.WebhookDelivery) string { return d.CustomerId }); err != nil {
			return nil, err
		}
	}
	return outboxPage(v, hooks, sent), nil
}

func askHooks(v *visit) *asked[*purser.ListWebhooksReply] {
	return ask(v, func(ctx context.Context) (*purser.ListWebhooksReply, error) {
		return v.api.Purser.ListWebhooksWithResponse(ctx)
	})
}

// addHook adds an address; the secret that signs what it is told is shown in this answer only.
func addHook(v *visit) outcome {
	in := purser.AddWebhookRequest{Url: v.form("url"), Topics: strings.Fields(strings.ReplaceAll(v.form("topics"), ",", " "))}
	if in.Topics == nil {
		in.Topics = []string{}
	}
	got, bad := do(v, func(ctx context.Context) (*purser.AddWebhookReply, error) {
		return v.api.Purser.AddWebhookWithResponse(ctx, &purser.AddWebhookParams{IdempotencyKey: &v.key}, in)
	})
	if bad != nil {
		return v.refusal("", bad)
	}
	return outcome{good: true, text: v.t("outbox.added"), body: hookPage(v, got.JSON201)}
}

// changeHook switches an address off or on, or takes it away.
func changeHook(v *visit) outcome {
	var bad *problem
	switch id := v.form("id"); v.form("state") {
	case "remove":
		_, bad = do(v, func(ctx context.Context) (*purser.RemoveWebhookReply, error) {
			return v.api.Purser.RemoveWebhookWithResponse(ctx, id)
		})
	case "on", "off":
		_, bad = do(v, func(ctx context.Context) (*purser.ChangeWebhookReply, error) {
			return v.api.Purser.ChangeWebhookWithResponse(ctx, id, purser.ChangeWebhookRequest{Active: new(v.form("state") == "on")})
		})
	default:
		return refused("", v.t("trouble.form"))
	}
	if bad != nil {
		return v.refusal("", bad)
	}
	return done("/outbox", v.t("account.saved"))
}

// pingHooks sends a message that says nothing, to see whether it arrives.
func pingHooks(v *visit) outcome {
	if _, bad := do(v, func(ctx context.Context) (*purser.PingWebhooksReply, error) {
		return v.api.Purser.PingWebhooksWithResponse(ctx)
	}); bad != nil {
		return v.refusal("/outbox", bad)
	}
	return done("/outbox", v.t("outbox.pinged"))
}

func retryDelivery(v *visit) outcome {
	in := purser.RetryDeliveryRequest{CustomerId: v.form("customer"), MessageId: v.form("message"), WebhookId: v.form("webhook")}
	if _, bad := do(v, func(ctx context.Context) (*purser.RetryDeliveryReply, error) {
		return v.api.Purser.RetryDeliveryWithResponse(ctx, in)
	}); bad != nil {
		return v.refusal("", bad)
	}
	return done("", v.t("outbox.again"))
}

// jobKind is the colour of a state of long work or of a delivery.
func jobKind(state string) string {
	switch state {
	case "done", "delivered":
		return "good"
	case "failed", "parked", "given_up":
		return "bad"
	}
	return "warn"
}

// customerChoices are customers by their names.
func customerChoices(list *asked[*purser.ListCustomersReply]) []choice {
	var out []choice
	for _, c := range list.reply.JSON200.Customers {
		out = append(out, choice{c.CustomerId, c.AccountName})
	}
	return out
}

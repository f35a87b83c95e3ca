package portal

import (
	"bytes"
	"context"
	"encoding/json"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"github.com/purser-cloud/purser/client/cts"
	"github.com/purser-cloud/purser/client/iam"
)

// traces is the trace list of Cloud Trace Service.
type traces struct {
	projects   *asked[*iam.KeystoneListAuthProjectsReply]
	list       *asked[*cts.ListTracesReply]
	operations *asked[*cts.ListOperationsReply]
	users      *asked[*cts.ListUserResourcesReply]
	trackers   *asked[*cts.ListTrackersReply]
	project    string
	region     string
	from, to   time.Time
	span       string
	kind       string
	by         string // what the text is searched in
	one        *cts.Trace
}

// Spans of the time range, as the console's trace list has them.
var traceSpans = []string{"1h", "1d", "1w", "own"}

// traceBy are the fields that a text is searched in.
var traceBy = []string{"resource_id", "trace_name", "resource_name", "trace_id"}

func (v *visit) instant(name string) (time.Time, bool) {
	t, err := time.ParseInLocation("2006-01-02T15:04", v.q(name), zone)
	return t, err == nil
}

func showTraces(v *visit) (templ.Component, error) {
	t := &traces{region: v.q("region"), span: v.q("span"), kind: v.q("kind"), by: v.q("by")}
	if t.kind != "data" {
		t.kind = "system"
	}
	if t.by == "" {
		t.by = "resource_id"
	}
	t.to = v.now.Add(time.Second) // known to the second: what has just happened is among them, on a clock that stands too
	switch t.span {
	case "1d":
		t.from = t.to.Add(-24 * time.Hour)
	case "1w":
		t.from = t.to.Add(-7 * 24 * time.Hour)
	case "own":
		from, good := v.instant("from")
		until, good2 := v.instant("until")
		if good && good2 && from.Before(until) {
			t.from, t.to = from, until
			break
		}
		fallthrough
	default:
		t.span, t.from = "1h", t.to.Add(-time.Hour)
	}
	t.projects = ask(v, func(ctx context.Context) (*iam.KeystoneListAuthProjectsReply, error) {
		return v.api.IAM.KeystoneListAuthProjectsWithResponse(ctx)
	})
	if err := v.wait(); err != nil {
		return nil, err
	}
	if t.projects.bad != nil {
		return nil, t.projects.bad
	}
	list := t.projects.reply.JSON200.Projects
	sort.SliceStable(list, func(i, k int) bool { return list[i].Name < list[k].Name })
	for _, p := range list {
		if t.project == "" || p.Id == v.q("project") || v.q("project") == "" && p.Name == defaultRegion {
			t.project, t.region = p.Id, p.Name
		}
	}
	t.ask(v)
	if err := v.wait(); err != nil {
		return nil, err
	}
	if t.list.ok() {
		for i := range t.list.reply.JSON200.Traces {
			if one := &t.list.reply.JSON200.Traces[i]; one.TraceId == v.q("view") {
				t.one = one
			}
		}
	}
	return tracesPage(v, t), nil
}

func (t *traces) ask(v *visit) {
	q := &cts.ListTracesParams{
		TraceType: cts.ListTracesParamsTraceType(t.kind), From: new(t.from.UnixMilli()), To: new(t.to.UnixMilli()), Limit: new(int32(50)), Next: v.some("next"),
		ServiceType: v.some("source"), ResourceType: v.some("resource_type"), User: v.some("user"),
	}
	if text := v.some("text"); text != nil {
		switch t.by {
		case "resource_id":
			q.ResourceId = text
		case "trace_name":
			q.TraceName = text
		case "resource_name":
			q.ResourceName = text
		case "trace_id":
			q.TraceId = text
		}
	}
	if state := v.q("state"); state != "" {
		q.TraceRating = new(cts.ListTracesParamsTraceRating(state))
	}
	t.list = ask(v, func(ctx context.Context) (*cts.ListTracesReply, error) {
		return v.api.CTS.ListTracesWithResponse(ctx, t.project, q)
	})
	t.operations = ask(v, func(ctx context.Context) (*cts.ListOperationsReply, error) {
		return v.api.CTS.ListOperationsWithResponse(ctx, t.project, nil)
	})
	t.users = ask(v, func(ctx context.Context) (*cts.ListUserResourcesReply, error) {
		return v.api.CTS.ListUserResourcesWithResponse(ctx, t.project)
	})
	t.trackers = ask(v, func(ctx context.Context) (*cts.ListTrackersReply, error) {
		return v.api.CTS.ListTrackersWithResponse(ctx, t.project, nil)
	})
}

// Whether a project's traces are recorded: by its management tracker.
const (
	tracesUnknown = "unknown" // the endpoint does not tell, or not to this user
	tracesNever   = "never"   // CTS was never enabled
	tracesOff     = "disabled"
	tracesOn      = "enabled"
)

// recording says whether traces are recorded in the project.
func (t *traces) recording() string {
	if !t.trackers.ok() {
		return tracesUnknown
	}
	for i := range t.trackers.reply.JSON200.Trackers {
		if one := &t.trackers.reply.JSON200.Trackers[i]; textOf(one.TrackerType) == "system" {
			if textOf(one.Status) == tracesOff {
				return tracesOff
			}
			return tracesOn
		}
	}
	return tracesNever
}

// trackerName is what every management tracker is called.
const trackerName = "system"

// switchTraces switches the recording of a project's traces: on for the first time by making its management tracker.
func switchTraces(v *visit) outcome {
	project, state := v.form("project"), v.form("state")
	var bad *problem
	switch state {
	case tracesNever:
		_, bad = do(v, func(ctx context.Context) (*cts.CreateTrackerReply, error) {
			return v.api.CTS.CreateTrackerWithResponse(ctx, project, cts.CreateTrackerRequestBody{TrackerType: cts.CreateTrackerRequestBodyTrackerTypeSystem, TrackerName: trackerName})
		})
		state = tracesOn
	case tracesOn, tracesOff:
		_, bad = changeTracker(v, project, cts.UpdateTrackerRequestBody{Status: new(cts.UpdateTrackerRequestBodyStatus(state))})
	default:
		return refused("", v.t("trouble.form"))
	}
	if bad != nil {
		return v.refusal("", bad)
	}
	return done(to("/traces", "project", project), v.code("traces_now", state))
}

// transferTraces says where the files of a project's traces are written.
func transferTraces(v *visit) outcome {
	project, proved := v.form("project"), v.form("validate") == "yes"
	_, bad := changeTracker(v, project, cts.UpdateTrackerRequestBody{
		ObsInfo: &cts.TrackerObsInfo{BucketName: new(v.form("bucket")), FilePrefixName: new(v.form("prefix"))}, IsSupportValidate: &proved,
	})
	if bad != nil {
		return v.refusal("", bad)
	}
	return done(to("/traces", "project", project)+"#trackers", v.t("traces.transfer_set"))
}

func changeTracker(v *visit, project string, in cts.UpdateTrackerRequestBody) (*cts.UpdateTrackerReply, *problem) {
	in.TrackerType, in.TrackerName = cts.UpdateTrackerRequestBodyTrackerTypeSystem, trackerName
	return do(v, func(ctx context.Context) (*cts.UpdateTrackerReply, error) {
		return v.api.CTS.UpdateTrackerWithResponse(ctx, project, in)
	})
}

func trackerKind(status string) string {
	switch status {
	case tracesOn:
		return "good"
	case tracesOff:
		return "warn"
	}
	return "bad"
}

func trackerBucket(one *cts.Tracker) string {
	if one.ObsInfo == nil {
		return ""
	}
	return textOf(one.ObsInfo.BucketName)
}

func trackerPrefix(one *cts.Tracker) string {
	if one.ObsInfo == nil {
		return ""
	}
	return textOf(one.ObsInfo.FilePrefixName)
}

// goesTo is where a tracker's files are written; empty: nowhere.
func goesTo(one *cts.Tracker) string {
	if trackerBucket(one) == "" {
		return ""
	}
	at := trackerBucket(one) + "/CloudTraces/"
	if prefix := trackerPrefix(one); prefix != "" {
		at += "…/" + prefix + "_"
	}
	return at
}

// sources are the services that leave traces; with one chosen, its resource types.
func (t *traces) sources(v *visit) (sources, kinds []choice) {
	sources, kinds = []choice{{"", v.t("filter.any")}}, []choice{{"", v.t("filter.any")}}
	if !t.operations.ok() {
		return sources, kinds
	}
	seen := map[string]bool{}
	for _, o := range t.operations.reply.JSON200.Operations {
		if service := textOf(o.ServiceType); service != "" && !seen["s"+service] {
			seen["s"+service] = true
			sources = append(sources, choice{service, service})
		}
		if kind := textOf(o.ResourceType); kind != "" && !seen["k"+kind] && (v.q("source") == "" || textOf(o.ServiceType) == v.q("source")) {
			seen["k"+kind] = true
			kinds = append(kinds, choice{kind, kind})
		}
	}
	return sources, kinds
}

func (t *traces) userChoices(v *visit) []choice {
	out := []choice{{"", v.t("filter.any")}}
	if t.users.ok() {
		for _, u := range t.users.reply.JSON200.Users {
			if u.Name != nil {
				out = append(out, choice{*u.Name, *u.Name})
			}
		}
	}
	return out
}

func (t *traces) projectChoices() []choice {
	var out []choice
	for _, p := range t.projects.reply.JSON200.Projects {
		out = append(out, choice{p.Id, p.Name})
	}
	return out
}

func millis(n int64) string { return clockText(time.UnixMilli(n)) }

func ratingKind(rating string) string {
	switch rating {
	case "normal":
		return "good"
	case "warning":
		return "warn"
	}
	return "bad"
}

// pretty is a trace as View Trace shows it: its JSON, with the bodies in it unpacked.
func pretty(t *cts.Trace) string {
	text, err := json.Marshal(t)
	if err != nil {
		return ""
	}
	var out bytes.Buffer
	if json.Indent(&out, text, "", "  ") != nil {
		return string(text)
	}
	return out.String()
}

// inputAt is an instant as a field of a form has it.
func inputAt(t time.Time) string { return t.In(zone).Format("2006-01-02T15:04") }

// next is where the list goes on; empty at its end.
func (t *traces) next() string {
	if !t.list.ok() || t.list.reply.JSON200.MetaData.Marker == nil || len(t.list.reply.JSON200.Traces) < 50 {
		return ""
	}
	return *t.list.reply.JSON200.MetaData.Marker
}

// apiPage's contracts.
var contracts = []string{"bss", "iam", "eps", "cts", "purser"}

// apiView is how to use the API with what this user has.
type apiView struct{ at, python, golang, curl string }

func showAPI(v *visit) (templ.Component, error) {
	if err := v.wait(); err != nil {
		return nil, err
	}
	a := &apiView{at: v.portal.config.Endpoints.BSS}
	if v.portal.config.Here {
		a.at = v.origin()
	}
	fill := strings.NewReplacer("ENDPOINT", a.at, "ACCOUNT", v.session.AccountName, "USER", v.session.UserName, "DOMAIN", v.session.AccountID).Replace
	a.curl = fill(`TOKEN=$(curl -sS -D - -o /dev/null 'ENDPOINT/v3/auth/tokens' -H 'Content-Type: application/json' \
  -d '{"auth": {"identity": {"methods": ["password"], "password": {"user": {"name": "USER", "password": "'"$PASSWORD"'", "domain": {"name": "ACCOUNT"}}}}, "scope": {"domain": {"name": "ACCOUNT"}}}}' \
  | tr -d '\r' | sed -n 's/^X-Subject-Token: //Ip')
curl -sS 'ENDPOINT/v2/accounts/customer-accounts/balances' -H "X-Auth-Token: $TOKEN"`)
	a.python = fill(`# pip install huaweicloudsdkbssintl
import os
from huaweicloudsdkcore.auth.credentials import GlobalCredentials
from huaweicloudsdkbssintl.v2 import *

bss = (BssintlClient.new_builder()
       .with_credentials(GlobalCredentials(os.environ["AK"], os.environ["SK"], "DOMAIN"))
       .with_endpoint("ENDPOINT").build())
print(bss.show_customer_account_balances(ShowCustomerAccountBalancesRequest()))`)
	a.golang = fill(`api, err := client.New("ENDPOINT", client.Credential{AccessKey: os.Getenv("AK"), SecretKey: os.Getenv("SK"), DomainID: "DOMAIN"}, nil, nil)
reply, err := api.BSS.ShowCustomerAccountBalancesWithResponse(ctx)`)
	return apiPage(v, a), nil
}

// lineNo is a row's number for labels.
func lineNo(i int) string { return strconv.Itoa(i + 1) }

func (v *visit) spanChoices() []choice {
	out := make([]choice, len(traceSpans))
	for i, span := range traceSpans {
		out[i] = choice{span, v.code("span", span)}
	}
	return out
}

func (v *visit) byChoices() []choice {
	out := make([]choice, len(traceBy))
	for i, by := range traceBy {
		out[i] = choice{by, v.code("trace_by", by)}
	}
	return out
}

package authorisation

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/purser-cloud/purser/api"
	"github.com/purser-cloud/purser/internal/agreement"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/identity"
	"github.com/purser-cloud/purser/internal/trace"
)

// op is one operation of the contracts with its row.
type op struct {
	name, method, path string
	params             []*openapi3.Parameter
	body               *openapi3.Schema
	actions            []string // needed; without those that only hide discounts
	byProject          bool
	event              string   // resource type/name of its trace; empty: it leaves none
	events             []string // names that a field of the body, or a refusal, chooses instead
	row
}

// operations walks the contracts: every operation has a row, every row an operation.
func operations(t *testing.T) []op {
	t.Helper()
	var out []op
	seen := map[string]bool{}
	for _, file := range api.Names {
		text, err := api.Files.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		doc, err := openapi3.NewLoader().LoadFromData(text)
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range doc.Paths.InMatchingOrder() {
			item := doc.Paths.Find(path)
			for method, o := range item.Operations() {
				one := op{name: o.OperationID, method: method, path: path}
				r, ok := rows[one.name]
				if !ok {
					t.Errorf("%s has no row: add it to rows.go", one.name)
					continue
				}
				if seen[one.name] {
					t.Errorf("%s is there twice", one.name)
				}
				one.row, seen[one.name] = r, true
				for _, list := range []openapi3.Parameters{item.Parameters, o.Parameters} {
					for _, p := range list {
						one.params = append(one.params, p.Value)
					}
				}
				if o.RequestBody != nil {
					if c := o.RequestBody.Value.Content.Get("application/json"); c != nil && c.Schema != nil {
						one.body = c.Schema.Value
					}
				}
				one.byProject, _ = o.Extensions["x-by-project"].(bool)
				if actions, ok := o.Extensions["x-actions"].(map[string]any); ok {
					list, _ := actions["role"].([]any)
					for _, a := range list {
						if a != "bss:discount:view" {
							one.actions = append(one.actions, a.(string))
						}
					}
				}
				if event, ok := o.Extensions["x-event"].(map[string]any); ok {
					one.event = fmt.Sprint(event["type"], "/", event["name"])
					if failed, ok := event["failed"]; ok {
						one.events = append(one.events, fmt.Sprint(event["type"], "/", failed))
					}
					by, _ := o.Extensions["x-event-by"].(map[string]any)
					for value, name := range by {
						if value != "field" {
							one.events = append(one.events, fmt.Sprint(event["type"], "/", name))
						}
					}
				}
				out = append(out, one)
			}
		}
	}
	for name := range rows {
		if !seen[name] {
			t.Errorf("the row %s belongs to no operation", name)
		}
	}
	slices.SortFunc(out, func(a, b op) int { return strings.Compare(a.name, b.name) })
	if len(out) < 100 {
		t.Fatalf("only %d operations found", len(out))
	}
	return out
}

var looksLikeID = regexp.MustCompile(`(^|[.:_])(id|ids|access_key|reference)(\[\])?$`)

// places lists where an operation takes ids, with their kinds. One that nobody accounts for is an error.
func (o *op) places(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	note := func(place, name string) {
		if slices.Contains(o.plain, place) {
			return
		}
		kind, given := o.kinds[place]
		if !given {
			kind = names[name]
		}
		switch {
		case kind != "":
			out[place] = kind
		case looksLikeID.MatchString(place):
			t.Errorf("%s: %s looks like an id: say its kind, or that it is plain", o.name, place)
		}
	}
	for _, p := range o.params {
		if p.In != "header" && p.Schema != nil && p.Schema.Value.Type.Is("string") {
			note(p.In+":"+p.Name, p.Name)
		}
	}
	var walk func(s *openapi3.Schema, place, name string, depth int)
	walk = func(s *openapi3.Schema, place, name string, depth int) {
		switch {
		case s == nil || depth > 8:
		case s.Type.Is("object"):
			for k, v := range s.Properties {
				walk(v.Value, place+"."+k, k, depth+1)
			}
		case s.Type.Is("array"):
			walk(s.Items.Value, place+"[]", name, depth+1)
		case s.Type.Is("string"):
			note(place, name)
		}
	}
	walk(o.body, "body", "", 0)
	for place := range o.kinds {
		if _, ok := out[place]; !ok {
			t.Errorf("%s: there is no id at %s", o.name, place)
		}
	}
	return out
}

// request is an operation as one caller calls it.
type request struct {
	path, query, body string
	header            map[string]string
}

// base is the request with a caller's own objects.
func (o *op) base(c *city, places map[string]string, own world) request {
	r := request{path: o.path, query: c.fill(o.query, own), body: c.fill(o.row.body, own), header: map[string]string{}}
	for _, p := range o.params {
		if p.In != "path" {
			continue
		}
		value, given := o.row.path[p.Name]
		if !given {
			value = c.fill("{"+places["path:"+p.Name]+"}", own)
		}
		r.path = strings.Replace(r.path, "{"+p.Name+"}", escape(value), 1)
	}
	for k, v := range o.header {
		r.header[k] = c.fill(v, own)
	}
	return r
}

// with puts an id in one place of a request.
func (o *op) with(t *testing.T, c *city, places map[string]string, own world, place, id string) request {
	t.Helper()
	where, name, _ := strings.Cut(place, ":")
	switch where {
	case "path":
		one := *o
		one.row.path = maps.Clone(o.row.path)
		if one.row.path == nil {
			one.row.path = map[string]string{}
		}
		one.row.path[name] = id
		return one.base(c, places, own)
	case "query":
		r := o.base(c, places, own)
		q, err := url.ParseQuery(r.query)
		if err != nil {
			t.Fatal(err)
		}
		q.Set(name, id)
		r.query = q.Encode()
		return r
	case "header":
		r := o.base(c, places, own)
		r.header[name] = id
		return r
	}
	r := o.base(c, places, own)
	var value any = map[string]any{}
	if r.body != "" {
		if err := json.Unmarshal([]byte(r.body), &value); err != nil {
			t.Fatalf("%s: %v in %s", o.name, err, r.body)
		}
	}
	text, err := json.Marshal(put(value, strings.Split(strings.TrimPrefix(place, "body."), "."), id))
	if err != nil {
		t.Fatal(err)
	}
	r.body = string(text)
	return r
}

// put sets a member of a JSON value, of the first element where there is a list.
func put(value any, path []string, id string) any {
	if len(path) == 0 {
		return id
	}
	members, _ := value.(map[string]any)
	if members == nil {
		members = map[string]any{}
	}
	name, list := strings.CutSuffix(path[0], "[]")
	if !list {
		members[name] = put(members[name], path[1:], id)
		return members
	}
	elements, _ := members[name].([]any)
	if len(elements) == 0 {
		elements = []any{nil}
	}
	elements[0] = put(elements[0], path[1:], id)
	members[name] = complete(name, elements)
	return members
}

// complete adds what the contract wants beside an id in lists that a row leaves out.
func complete(name string, elements []any) []any {
	if first, ok := elements[0].(map[string]any); ok {
		switch name {
		case "coupon_infos":
			first["type"] = 301
		case "discount_infos":
			first["type"] = 2
		}
	}
	return elements
}

func (c *city) send(o *op, token string, r request) answer {
	return c.call(c.Context(), token, o.method, r.path, r.query, r.body, r.header)
}

// masked is an answer with an id taken out.
func (a answer) masked(id string) answer {
	return answer{a.status, strings.ReplaceAll(strings.ReplaceAll(a.text, id, "<id>"), strings.ToUpper(id), "<id>")}
}

// probe asks for an object of somebody else and for one of nobody: both are answered alike.
func (c *city) probe(t *testing.T, o *op, places map[string]string, who *caller, victim world, within []string) {
	t.Helper()
	for place, kind := range all(places, o.header) {
		real, ok := victim[kind]
		if !ok || within != nil && !slices.Contains(within, kind) {
			continue
		}
		none := fake(real)
		one := c.send(o, who.token, o.with(t, c, places, who.own, place, real)).masked(real)
		two := c.send(o, who.token, o.with(t, c, places, who.own, place, none)).masked(none)
		if one != two {
			t.Errorf("%s: %s sees a difference at %s (%s):\n  there: %d %s\n  not:   %d %s", o.name, who.name, place, kind, one.status, one.text, two.status, two.text)
		}
		if one.status >= 500 && one.status != 501 {
			t.Errorf("%s: %s at %s: %d %s", o.name, who.name, place, one.status, one.text)
		}
	}
}

func all(places map[string]string, header map[string]string) map[string]string {
	out := maps.Clone(places)
	for name, template := range header {
		out["header:"+name] = strings.Trim(template, "{}")
	}
	return out
}

// leaks looks for a victim's ids in an answer.
func leaks(t *testing.T, o *op, who *caller, a answer, victim world, within []string) {
	t.Helper()
	for kind, id := range victim {
		if within != nil && !slices.Contains(within, kind) || kind == "password" || who.own[kind] == id {
			continue
		}
		if strings.Contains(a.text, id) {
			t.Errorf("%s tells %s of the %s %s: %.300s", o.name, who.name, kind, id, a.text)
		}
	}
}

// coverage says which operations are built: docs/coverage.md is generated from the contracts and the code, and `make verify`
// proves it fresh. A row whose operation is not built yet waits; once it is, it is tested.
func coverage(t *testing.T) map[string]bool {
	t.Helper()
	text, err := os.ReadFile("../../docs/coverage.md")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^\| (\w+) \| `+"`[^`]*`"+` \| (built|not built) \|$`).FindAllStringSubmatch(string(text), -1) {
		out[m[1]] = m[2] == "built"
	}
	if len(out) != len(rows) {
		t.Errorf("docs/coverage.md has %d operations, the table %d rows", len(out), len(rows))
	}
	return out
}

func TestEveryOperationForEverybody(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { everybody(t, "") })
	if address := os.Getenv("PURSER_TEST_POSTGRES"); address != "" {
		t.Run("postgres", func(t *testing.T) { everybody(t, address) })
	}
}

func everybody(t *testing.T, address string) {
	list := operations(t)
	c := open_(t, address)
	mine, owner := c.enterprise("quay-cranes")
	others, stranger := c.enterprise("salt-works")
	research, webshop := c.projectOf(mine, "research"), c.projectOf(mine, "webshop")
	victim := caller{"the owner", owner, c.build(mine, research, "research")}
	elsewhere := caller{"another customer", stranger, c.build(others, c.projectOf(others, "salt"), "salt")}
	idle := caller{"a user without the action", c.user(mine.Name, identity.Customer, "idle"), victim.own}
	staff := caller{"a user of another project", "", c.build(mine, webshop, "webshop")}
	c.user(mine.Name, identity.Customer, "stella")
	_, err := c.Counter.Grant(t.Context(), c.owner(mine), "", identity.Grant{User: "stella", Project: webshop, Actions: []string{"*"}})
	c.must(err)
	staff.token = c.signIn(mine.Name, "stella")
	partner := caller{"a partner of others", c.user("far-partner", identity.Partner, "owner"), world{"customer": c.domain("far-partner").ID}}
	chief := caller{"the operator", c.user("purser-operator", identity.Operator, "chief", "*"), victim.own}
	nobody := caller{"nobody", "", victim.own}
	for _, k := range []string{"webhook", "webhook2"} {
		hook, err := c.Counter.AddWebhook(t.Context(), c.local(), "http://127.0.0.1:9/"+k, []string{"nothing.at.all"})
		c.must(err)
		victim.own[k] = hook.ID
	}
	for account, own := range map[identity.Domain]world{mine: victim.own, others: elsewhere.own} {
		made, err := c.Counter.ApplyForContract(t.Context(), c.owner(account), agreement.Contract{Title: "frame"})
		c.must(err)
		own["contract"] = made.ID
	}
	c.user("near-partner", identity.Partner, "owner")
	master, _ := c.enterprise("tide-mills")
	victim.own["partner"], victim.own["master"] = c.domain("near-partner").ID, master.ID
	places := map[string]map[string]string{}
	built := coverage(t)
	var ready []op
	for i := range list {
		o := &list[i]
		switch {
		case o.notBuilt && built[o.name]:
			t.Errorf("%s has landed: write its row", o.name)
		case built[o.name]:
			places[o.name] = o.places(t)
			ready = append(ready, *o)
		}
	}
	t.Logf("%d operations, %d of them built", len(list), len(ready))
	state := c.state(mine)

	for i := range ready {
		o := &ready[i]
		base := o.base(c, places[o.name], victim.own)
		t.Run(o.name, func(t *testing.T) {
			if o.may != open {
				if a := c.send(o, nobody.token, base); a.status != 401 {
					t.Errorf("nobody gets %d %s", a.status, a.text)
				}
			}
			if (o.may == holder || o.may == operator || o.may == issuer) && len(o.actions) > 0 {
				if a := c.send(o, idle.token, base); a.status != 403 {
					t.Errorf("a user without the action gets %d %s", a.status, a.text)
				}
			}
			if !o.byProject && len(o.actions) > 0 && o.may != self {
				if a := c.send(o, staff.token, o.base(c, places[o.name], staff.own)); a.status != 403 {
					t.Errorf("a user of one project gets %d of an operation on the whole account: %s", a.status, a.text)
				}
			}
			if o.may == operator {
				for _, who := range []*caller{&elsewhere, &partner, &staff} {
					if a := c.send(o, who.token, o.base(c, places[o.name], who.own)); a.status != 403 {
						t.Errorf("%s gets %d %s", who.name, a.status, a.text)
					}
				}
			}
			for _, who := range []*caller{&elsewhere, &partner, &idle} {
				w := *who
				if who == &idle {
					w.own = world{}
				}
				if who == &idle && (o.may == self || o.may == known) {
					continue // its own account's
				}
				target := victim.own
				if who == &idle {
					target = elsewhere.own
				}
				c.probe(t, o, places[o.name], &w, target, nil)
			}
			c.probe(t, o, places[o.name], &staff, victim.own, inProject)
			c.probe(t, o, places[o.name], &staff, elsewhere.own, nil)
			if o.may != operator && o.may != issuer {
				c.probe(t, o, places[o.name], &caller{chief.name, chief.token, world{}}, victim.own, inProject)
			}
		})
	}
	if after := c.state(mine); after != state {
		t.Errorf("somebody else changed the account: %s", difference(state, after))
	}
	t.Run("nothing is to be seen", func(t *testing.T) {
		c.nothingSeen(t, ready, places, &victim, &elsewhere, &staff, &partner, mine, research)
	})
	t.Run("who may", func(t *testing.T) { c.whoMay(t, ready, places, &victim, &chief, &staff) })
	t.Run("everything is traced", func(t *testing.T) { c.traced(t, ready, mine.ID, others.ID, c.domain("purser-operator").ID) })
}

// keyOperations is table 10-1 of the guide.
var keyOperations = map[string]string{
	"ListCustomerselfResourceRecords": "billDetail/queryResFeeRecords", "ListCustomerselfResourceRecordDetails": "billDetail/queryResRecordsDetail",
	"CancelCustomerOrder": "order/cancelCustomerOrder", "PayOrders": "order/payCustomerOrderV3", "RenewalResources": "subscription/renewResources",
	"CancelResourcesSubscription": "subscription/unsubscribeResources", "AutoRenewalResources": "subscription/setResourcesAutorenew",
	"CancelAutoRenewalResources": "subscription/cancelResourcesAutoRenew", "UpdatePeriodToOnDemand": "subscription/updatePeriodToOnDemand",
	"CreateEnterpriseProjectAuth": "billing/openEnterpriseProjectAuth", "ListInvoices": "invoice/queryInvoiceIntlList",
}

// traced holds what all these calls have left in the logs of some accounts against the contracts: every operation with an event has left
// exactly that, done and refused, and no operation without one has left anything.
func (c *city) traced(t *testing.T, ready []op, accounts ...string) {
	left := map[string]map[string]map[string]int{} // operation, event, rating
	err := c.Counter.DB.View(t.Context(), db.Instants{Now: now(), Real: now()}, func(v *db.View) error {
		for _, account := range accounts {
			list, err := trace.Latest(t.Context(), v, account, 100_000)
			if err != nil {
				return err
			}
			for _, l := range list {
				event := l.ResourceType + "/" + l.Name
				if left[l.Operation] == nil {
					left[l.Operation] = map[string]map[string]int{}
				}
				if left[l.Operation][event] == nil {
					left[l.Operation][event] = map[string]int{}
				}
				left[l.Operation][event][l.Rating]++
			}
		}
		return nil
	})
	c.must(err)
	events := 0
	for i := range ready {
		o := &ready[i]
		if o.event == "" {
			if len(left[o.name]) > 0 {
				t.Errorf("%s has no event and left %v", o.name, left[o.name])
			}
			continue
		}
		events++
		if want := keyOperations[o.name]; want != "" && o.event != want {
			t.Errorf("%s: its event is %s, the guide's is %s", o.name, o.event, want)
		}
		sum := map[string]int{}
		for event, ratings := range left[o.name] {
			if event != o.event && !slices.Contains(o.events, event) && event != "balance/accountTopUp" { // money that an operation let in
				t.Errorf("%s left %s", o.name, event)
			}
			for rating, n := range ratings {
				sum[rating] += n
			}
		}
		if len(o.ok) == 0 && sum[trace.Normal] == 0 {
			t.Errorf("%s was done and left no trace: %v", o.name, left[o.name])
		}
		if (o.may == holder || o.may == operator || o.may == issuer) && len(o.actions) > 0 && sum[trace.Warning] == 0 {
			t.Errorf("%s was refused and left no trace: %v", o.name, left[o.name])
		}
		if sum[trace.Incident] > 0 {
			t.Errorf("%s: incidents %v", o.name, left[o.name])
		}
	}
	for name := range keyOperations {
		if !slices.ContainsFunc(ready, func(o op) bool { return o.name == name && o.event != "" }) {
			t.Errorf("%s of table 10-1 has no event", name)
		}
	}
	t.Logf("%d operations with events", events)
}

// nothingSeen reads everything as others, lets the account be busy in the other project, and reads again: not a number
// has changed.
func (c *city) nothingSeen(t *testing.T, ready []op, places map[string]map[string]string, victim, elsewhere, staff, partner *caller, mine identity.Domain, ep string) {
	look := func() map[string]answer {
		out := map[string]answer{}
		for i := range ready {
			o := &ready[i]
			if !o.read || o.may == operator {
				continue
			}
			for _, who := range []*caller{elsewhere, staff, partner} {
				within := []string(nil)
				if who == staff {
					within = inProject
				}
				if who == staff && !o.byProject {
					continue
				}
				a := c.send(o, who.token, o.base(c, places[o.name], who.own))
				leaks(t, o, who, a, victim.own, within)
				out[o.name+" by "+who.name] = a
			}
		}
		return out
	}
	first := look()
	c.build(mine, ep, "more")
	second := look()
	for what, a := range first {
		if b := second[what]; a != b {
			t.Errorf("%s has changed:\n  %d %s\n  %d %s", what, a.status, a.text, b.status, b.text)
		}
	}
	if len(first) < 50 {
		t.Errorf("only %d answers were compared", len(first))
	}
}

// whoMay calls every operation as who may, and those that know of projects in a project as a user of that: it is let in.
func (c *city) whoMay(t *testing.T, ready []op, places map[string]map[string]string, victim, chief, staff *caller) {
	for i := range ready {
		o := &ready[i]
		who := victim
		if o.may == operator || o.may == issuer {
			who = chief
		}
		if o.may == issuer || o.may == operator {
			if a := c.send(o, victim.token, o.base(c, places[o.name], victim.own)); a.status != 403 {
				t.Errorf("%s: the customer gets %d %s", o.name, a.status, a.text)
			}
		}
		good := func(status int) bool { return len(o.ok) == 0 && status/100 == 2 || slices.Contains(o.ok, status) }
		if o.byProject && o.may == holder {
			if a := c.send(o, staff.token, o.base(c, places[o.name], staff.own)); !good(a.status) {
				t.Errorf("%s: a user of the project gets %d %s", o.name, a.status, a.text)
			}
		}
		a := c.send(o, who.token, o.base(c, places[o.name], victim.own))
		if !good(a.status) {
			t.Errorf("%s: %s gets %d %s", o.name, who.name, a.status, a.text)
		}
	}
}

func difference(a, b string) string {
	x, y := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range min(len(x), len(y)) {
		if x[i] == y[i] {
			continue
		}
		k := 0
		for k < min(len(x[i]), len(y[i])) && x[i][k] == y[i][k] {
			k++
		}
		return fmt.Sprintf("…%.200s\n became …%.200s", x[i][max(0, k-60):], y[i][max(0, k-60):])
	}
	return "its length"
}

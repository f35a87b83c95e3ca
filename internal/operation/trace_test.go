package operation_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/purser-cloud/purser/internal/account"
	"github.com/purser-cloud/purser/internal/bucket"
	"github.com/purser-cloud/purser/internal/contract"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/identity"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/operation"
	"github.com/purser-cloud/purser/internal/order"
	"github.com/purser-cloud/purser/internal/trace"
)

// event makes a call one of an operation with an event.
func event(c *operation.Call, service, kind, name string) *operation.Call {
	c.Operation = &contract.Operation{ID: name + "Operation", Service: service, Status: 200, Event: contract.Event{Type: kind, Name: name}}
	return c
}

func (o *office) traces(t *testing.T, name string, q trace.Query) []trace.Line {
	t.Helper()
	if q.Project == "" {
		q.Project = o.project(name)
	}
	if q.Limit == 0 {
		q.Limit = 200
	}
	list, err := o.ListTraces(t.Context(), o.by(name, o.Clock()), q)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func names(list []trace.Line) (out []string) {
	for i := range list {
		out = append(out, list[i].Name)
	}
	return out
}

// Filters one by one, pages to the end, and what the window and other projects hide.
func TestListTraces(t *testing.T) {
	furnished.Each(t, func(t *testing.T, d *db.DB) {
		o, ctx := open(t, d), t.Context()
		project := o.project("cedar-labs")
		me := o.by("cedar-labs", now).Caller
		lines := make([]trace.Line, 25)
		for i := range lines {
			l := &lines[i]
			*l = trace.Line{
				Customer: me.DomainID, Project: project, Kind: trace.ByAPI, Service: "BSS", ResourceType: "order", Name: "payCustomerOrderV3", Rating: trace.Normal,
				ResourceID: fmt.Sprint("CS", i%3), ResourceName: fmt.Sprint("order ", i%2), CallerName: []string{"ann", "ben"}[i%2], AccessKey: fmt.Sprint("AK", i%4), Enterprise: fmt.Sprint(i % 5),
			}
			if i%7 == 0 {
				l.Rating, l.Name, l.ResourceType, l.Service = trace.Warning, "createTracker", "tracker", "CTS"
			}
			at := now.Add(-time.Duration(i*i) * 20 * time.Minute) // from now to 8 days ago
			err := d.Update(ctx, db.Instants{Now: at, Real: now}, func(tx *db.Tx) error { return trace.Record(ctx, tx, o.Random, l, false) })
			if err != nil {
				t.Fatal(err)
			}
		}
		week := trace.Query{From: now.Add(-30 * 24 * time.Hour), To: now.Add(time.Hour)}
		within := func(l *trace.Line) bool { return l.Happened.After(now.Add(-trace.Window)) }
		for what, c := range map[string]struct {
			q    func(*trace.Query)
			want func(l *trace.Line) bool
		}{
			"seven days":         {func(*trace.Query) {}, func(*trace.Line) bool { return true }},
			"service":            {func(q *trace.Query) { q.Service = "CTS" }, func(l *trace.Line) bool { return l.Service == "CTS" }},
			"user":               {func(q *trace.Query) { q.User = "ben" }, func(l *trace.Line) bool { return l.CallerName == "ben" }},
			"resource id":        {func(q *trace.Query) { q.ResourceID = "CS1" }, func(l *trace.Line) bool { return l.ResourceID == "CS1" }},
			"resource name":      {func(q *trace.Query) { q.ResourceName = "order 1" }, func(l *trace.Line) bool { return l.ResourceName == "order 1" }},
			"resource type":      {func(q *trace.Query) { q.ResourceType = "tracker" }, func(l *trace.Line) bool { return l.ResourceType == "tracker" }},
			"name":               {func(q *trace.Query) { q.Name = "createTracker" }, func(l *trace.Line) bool { return l.Name == "createTracker" }},
			"rating":             {func(q *trace.Query) { q.Rating = trace.Warning }, func(l *trace.Line) bool { return l.Rating == trace.Warning }},
			"access key":         {func(q *trace.Query) { q.AccessKey = "AK3" }, func(l *trace.Line) bool { return l.AccessKey == "AK3" }},
			"enterprise project": {func(q *trace.Query) { q.Enterprise = "4" }, func(l *trace.Line) bool { return l.Enterprise == "4" }},
			"two at once":        {func(q *trace.Query) { q.User, q.AccessKey = "ben", "AK3" }, func(l *trace.Line) bool { return l.CallerName == "ben" && l.AccessKey == "AK3" }},
			"tracker":            {func(q *trace.Query) { q.Tracker = "system" }, func(*trace.Line) bool { return true }},
			"another tracker":    {func(q *trace.Query) { q.Tracker = "files" }, func(*trace.Line) bool { return false }},
			"between, excluded":  {func(q *trace.Query) { q.From, q.To = lines[5].Happened, lines[2].Happened }, func(l *trace.Line) bool { return l == &lines[3] || l == &lines[4] }},
			"the last hour":      {func(q *trace.Query) { q.From, q.To = time.Time{}, time.Time{} }, func(l *trace.Line) bool { return l.Happened.After(now.Add(-time.Hour)) }},
		} {
			q := week
			c.q(&q)
			var want, got []string
			for i := range lines {
				if l := &lines[i]; within(l) && c.want(l) {
					want = append(want, l.ID)
				}
			}
			q.Limit = 3
			for pages := 0; ; pages++ {
				page := o.traces(t, "cedar-labs", q)
				if len(page) == 0 { // the page behind the last marker
					break
				}
				for i := range page {
					got = append(got, page[i].ID)
				}
				if q.Next = page[len(page)-1].ID; pages > 20 {
					t.Fatal("pages without end")
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s: got %d, want %d", what, len(got), len(want))
			}
		}
		if one := o.traces(t, "cedar-labs", trace.Query{ID: lines[3].ID, Rating: trace.Incident}); len(one) != 1 || one[0].ID != lines[3].ID {
			t.Errorf("by id alone: %+v", one)
		}
		if old := o.traces(t, "cedar-labs", trace.Query{ID: lines[24].ID}); len(old) != 0 {
			t.Errorf("older than a week: %+v", old)
		}
		other := o.by("alpine-robotics", now)
		if list, err := o.ListTraces(ctx, other, trace.Query{Project: project, Limit: 10}); code(err) != "CTS.0012" {
			t.Errorf("another's project: %v %v", list, err)
		}
		if list, err := o.ListTraces(ctx, other, trace.Query{Project: o.project("alpine-robotics"), ID: lines[1].ID, Limit: 10}); err != nil || len(list) > 0 {
			t.Errorf("another's trace: %v %v", list, err)
		}
		for _, q := range []trace.Query{{From: now}, {To: now}, {From: now, To: now}, {Next: "no such"}} {
			q.Project, q.Limit = project, 10
			if _, err := o.ListTraces(ctx, o.by("cedar-labs", now), q); code(err) != "CTS.0003" {
				t.Errorf("%+v: %v", q, err)
			}
		}
		if list := o.traces(t, "cedar-labs", trace.Query{Project: o.accounts[4].Projects[1].ID, From: week.From, To: week.To}); len(list) > 0 {
			t.Errorf("a project that is not the home: %+v", list)
		}
		users, err := o.TraceUsers(ctx, o.by("cedar-labs", now), project)
		if err != nil || !slices.Equal(users, []string{"ann", "ben"}) {
			t.Errorf("users: %v %v", users, err)
		}
	})
}

// A trace costs a payment at most two statements, also when its tracker carries lines and everybody is asked for notifications.
func TestTraceStatements(t *testing.T) {
	furnished.Each(t, func(t *testing.T, d *db.DB) {
		var heard []db.Statement
		listening := false
		d.Listen(func(list []db.Statement) {
			if listening {
				heard = append(heard, list...)
			}
		})
		o, ctx := open(t, d), t.Context()
		o.Traces, o.Homes = &trace.Book{}, &operation.Homes{}
		o.Objects, _ = bucket.Open(t.TempDir(), bucket.Keys{}, time.Now)
		pay := func(traced bool) []db.Statement {
			t.Helper()
			placed, err := o.PlaceOrder(ctx, o.by("cedar-labs", now), oneServer(1))
			if err != nil {
				t.Fatal(err)
			}
			call := o.by("cedar-labs", now)
			if traced {
				event(call, "BSS", "order", "payCustomerOrderV3")
			}
			heard, listening = nil, true
			err = o.PayOrder(ctx, call, placed.Order.ID, order.Means{})
			if listening = false; err != nil {
				t.Fatal(err)
			}
			return heard
		}
		project := o.project("cedar-labs")
		err := o.UpdateTracker(ctx, o.by("cedar-labs", now), project, &trace.Change{Kind: "system", Name: "system", Bucket: new("cedar-audit")})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := o.CreateNotification(ctx, o.by("cedar-labs", now), trace.Notice{Project: project, Name: "logins", Topic: "urn:smn:1", Operations: []trace.Operations{{Service: "IAM", ResourceType: "user", Names: []string{"login"}}}}); err != nil {
			t.Fatal(err)
		}
		pay(false) // the catalogue is looked at once a second
		without, with := pay(false), pay(true)
		if n := len(with) - len(without); n != 2 {
			t.Errorf("%d statements without, %d with a trace: %d more", len(without), len(with), n)
			for _, s := range with {
				t.Log(strings.Fields(s.Text)[:3])
			}
		}
		list := o.traces(t, "cedar-labs", trace.Query{})
		if len(list) != 1 || list[0].Rating != trace.Normal {
			t.Errorf("%+v", list)
		}
	})
}

// What is in a trace: who, where from, in which form; refused ones too; nothing of accounts without a tracker; what somebody does to a
// customer lies with both.
func TestTraceContent(t *testing.T) {
	furnished.Each(t, func(t *testing.T, d *db.DB) {
		o, ctx := open(t, d), t.Context()
		customer := o.by("cedar-labs", now).Caller.DomainID
		call := event(o.by("purser-operator", now), "BSS", "balance", "accountTopUp")
		call.Source, call.Path, call.Host, call.Console, call.Caller.UserName, call.RequestID = "198.51.100.7", "/purser/v1/customers/x/top-ups", "pay.example.com", true, "op", "r-1"
		call.Caller.AccessKey, call.Caller.DomainName = "OPKEY", "purser-operator"
		call.Body = []byte(`{"amount":"5","note":"\u0000 x","password":"hunter2","auth":{"identity":{"methods":["password"],"password":{"user":{"name":"n","password":"p4ss"}}}},"credential":{"access":"AK","secret":"s3cr3t"},"tokens":["t0k"]}`)
		m := operation.Movement{Customer: customer, Amount: money.Amount(500_000_000), Reference: "bank-1"}
		if _, err := o.TopUp(ctx, call, m); err != nil {
			t.Fatal(err)
		}
		for _, who := range []string{"purser-operator", "cedar-labs"} {
			list := o.traces(t, who, trace.Query{})
			if len(list) != 1 {
				t.Fatalf("%s: %d lines", who, len(list))
			}
			l := list[0]
			page := trace.PageJSON(list)
			var shown struct {
				Traces []map[string]any
				Meta   struct{ Marker string } `json:"meta_data"`
			}
			if err := json.Unmarshal(page, &shown); err != nil {
				t.Fatal(err)
			}
			one := shown.Traces[0]
			user := one["user"].(map[string]any)
			for name, want := range map[string]any{
				"trace_name": "accountTopUp", "resource_type": "balance", "trace_type": "ConsoleAction", "service_type": "BSS", "source_ip": "198.51.100.7", "code": "200",
				"api_version": "v1", "endpoint": "pay.example.com", "resource_url": "/purser/v1/customers/x/top-ups", "read_only": false, "request_id": "r-1", "trace_rating": "normal",
				"resource_account_id": customer, "operation_id": "accountTopUpOperation", "time": float64(now.UnixMilli()), "record_time": float64(now.UnixMilli()),
			} {
				if one[name] != want {
					t.Errorf("%s: %v, want %v", name, one[name], want)
				}
			}
			if user["access_key_id"] != "OPKEY" || user["principal_is_root_user"] != "true" || user["domain"].(map[string]any)["name"] != "purser-operator" || user["invoked_by"].([]any)[0] != "service.console" ||
				user["principal_urn"] != "iam::"+l.CallerAccount+":user:op" {
				t.Errorf("user %v", user)
			}
			for _, secret := range []string{"hunter2", "p4ss", "s3cr3t", "t0k"} {
				if strings.Contains(string(page), secret) {
					t.Errorf("holds %s: %s", secret, l.Request)
				}
			}
			if !strings.Contains(l.Request, `"password":"********"`) || !strings.Contains(l.Request, `"access":"AK"`) || !strings.Contains(l.Request, `"name":"n"`) || shown.Meta.Marker != l.ID {
				t.Errorf("request %s, marker %s", l.Request, shown.Meta.Marker)
			}
		}
		// A refused one lies with who was refused, and nowhere else.
		if _, err := o.TopUp(ctx, event(o.by("blue-harbour", now), "BSS", "balance", "accountTopUp"), m); code(err) != "CBC.0151" {
			t.Error(err)
		}
		if list := o.traces(t, "cedar-labs", trace.Query{}); len(list) != 1 {
			t.Errorf("a stranger wrote into the log: %v", names(list))
		}
		if list := o.traces(t, "blue-harbour", trace.Query{}); len(list) != 1 || list[0].Rating != trace.Warning || list[0].Code != "403" || !strings.HasPrefix(list[0].Message, "CBC.0151: ") {
			t.Errorf("%+v", list)
		}
		// Without a tracker nothing is left; that it was switched off is.
		project := o.project("cedar-labs")
		if err := o.DeleteTracker(ctx, event(o.by("cedar-labs", now), "CTS", "tracker", "deleteTracker"), project, "system", "system"); err != nil {
			t.Fatal(err)
		}
		m.Reference = "bank-2"
		if _, err := o.TopUp(ctx, event(o.by("purser-operator", now), "BSS", "balance", "accountTopUp"), m); err != nil {
			t.Fatal(err)
		}
		if err := o.PayOrder(ctx, event(o.by("cedar-labs", now), "BSS", "order", "payCustomerOrderV3"), "CS-NONE", order.Means{}); err == nil {
			t.Error("paid an order that is not there")
		}
		left := names(o.traces(t, "cedar-labs", trace.Query{}))
		slices.Sort(left)
		if !slices.Equal(left, []string{"accountTopUp", "deleteTracker"}) {
			t.Errorf("without a tracker: %v", left)
		}
		create := func() error {
			_, err := o.CreateTracker(ctx, event(o.by("cedar-labs", now), "CTS", "tracker", "createTracker"), project, &trace.Change{Kind: "system", Name: "system"})
			return err
		}
		if err := create(); err != nil {
			t.Fatal(err)
		}
		if err := create(); code(err) != "CTS.0201" {
			t.Error(err)
		}
		off := false
		if err := o.UpdateTracker(ctx, event(o.by("cedar-labs", now), "CTS", "tracker", "updateTracker"), project, &trace.Change{Kind: "system", Name: "system", Enabled: &off}); err != nil {
			t.Fatal(err)
		}
		o.PayOrder(ctx, event(o.by("cedar-labs", now), "BSS", "order", "payCustomerOrderV3"), "CS-NONE", order.Means{}) //nolint:errcheck // it leaves nothing
		got := names(o.traces(t, "cedar-labs", trace.Query{}))
		slices.Sort(got)
		if !slices.Equal(got, []string{"accountTopUp", "createTracker", "createTracker", "deleteTracker", "updateTracker"}) {
			t.Errorf("switched on and off: %v", got)
		}
	})
}

// A change that only says when to tell of a low balance has the console's name.
func TestBalanceAlertTrace(t *testing.T) {
	furnished.Each(t, func(t *testing.T, d *db.DB) {
		o, ctx := open(t, d), t.Context()
		id := o.by("cedar-labs", now).Caller.DomainID
		for _, change := range []func(*account.Customer){func(c *account.Customer) { c.AlertBelow = 1 }, func(c *account.Customer) { c.AlertBelow, c.CreditLimit = 2, 5 }} {
			if _, err := o.ChangeCustomer(ctx, event(o.by("purser-operator", now), "BSS", "customer", "changeCustomer"), id, change); err != nil {
				t.Fatal(err)
			}
		}
		got := names(o.traces(t, "cedar-labs", trace.Query{}))
		slices.Sort(got)
		if !slices.Equal(got, []string{"changeBalanceAlert", "changeCustomer"}) {
			t.Errorf("%v", got)
		}
	})
}

// Sign-ins and changes of keys and users, done and refused, lie with the account that was to be entered.
func TestIdentityTraces(t *testing.T) {
	furnished.Each(t, func(t *testing.T, d *db.DB) {
		o, ctx := open(t, d), t.Context()
		owner := o.accounts[4]
		login := func(password identity.Secret) *operation.Call {
			c := &operation.Call{Real: now, Source: "198.51.100.9", Operation: &contract.Operation{ID: "CreateToken", Service: "IAM", Status: 201, Event: contract.Event{Type: "user", Name: "login", Failed: "loginFailed"}}}
			_, err := o.IssueToken(ctx, c, &identity.SignIn{UserName: owner.User, DomainName: owner.Domain.Name, Password: password})
			if (err == nil) != (password == owner.Password) {
				t.Fatal(err)
			}
			return c
		}
		login(owner.Password)
		login("wrong")
		me := func(name string) *operation.Call { return event(o.by("cedar-labs", now), "IAM", "user", name) }
		k, err := o.AddKey(ctx, me("createCredential"), "", "") // of nobody
		if err == nil {
			t.Fatal(k)
		}
		list := o.traces(t, "cedar-labs", trace.Query{})
		got := []string{}
		for _, l := range list {
			got = append(got, l.Name+" "+l.Rating+" "+l.Code+" "+l.Service+" "+l.Source)
		}
		slices.Sort(got)
		if want := []string{"createCredential warning 404 IAM ", "login normal 201 IAM 198.51.100.9", "loginFailed warning 401 IAM 198.51.100.9"}; !slices.Equal(got, want) {
			t.Errorf("%q", got)
		}
	})
}

// Key events reach the outbox once, when somebody who is meant does something that is meant.
func TestNotifications(t *testing.T) {
	furnished.Each(t, func(t *testing.T, d *db.DB) {
		o, ctx := open(t, d), t.Context()
		if _, err := o.AddWebhook(ctx, o.by("purser-operator", now), "https://example.com/hook", []string{"trace.*"}); err != nil {
			t.Fatal(err)
		}
		project := o.project("cedar-labs")
		add := func(n trace.Notice) error {
			n.Project = project
			_, err := o.CreateNotification(ctx, o.by("cedar-labs", now), n)
			return err
		}
		order1 := []trace.Operations{{Service: "BSS", ResourceType: "order", Names: []string{"payCustomerOrderV3"}}}
		many := make([]string, 51)
		for _, n := range []trace.Notice{
			{Name: "a b", Every: true}, {Name: strings.Repeat("x", 65), Every: true},
			{Name: "none"}, {Name: "users", Every: true, Users: []trace.Group{{Name: "g", Users: many[:25]}, {Name: "h", Users: many[:26]}}},
			{Name: "groups", Every: true, Users: make([]trace.Group, 11)},
			{Name: "rule", Every: true, Filter: &trace.Filter{Condition: "AND", On: true, Rules: []string{"colour = red"}}},
		} {
			if err := add(n); code(err) != "CTS.0003" && code(err) != "CTS.0400" {
				t.Errorf("%s: %v", n.Name, err)
			}
		}
		if err := add(trace.Notice{Name: "payments", Operations: order1, Topic: "urn:smn:1", Users: []trace.Group{{Name: "g", Users: []string{"carol"}}},
			Filter: &trace.Filter{Condition: "AND", On: true, Rules: []string{"trace_rating = warning", "code != 500"}}}); err != nil {
			t.Fatal(err)
		}
		if err := add(trace.Notice{Name: "payments", Operations: order1}); code(err) != "CTS.0400" {
			t.Errorf("the same name: %v", err)
		}
		do := func(user, name string) {
			c := event(o.by("cedar-labs", now), "BSS", "order", name)
			c.Caller.UserName = user
			o.PayOrder(ctx, c, "CS-NONE", order.Means{}) //nolint:errcheck // refused, that is told
		}
		do("carol", "payCustomerOrderV3")
		do("dave", "payCustomerOrderV3")
		do("carol", "cancelCustomerOrder")
		due, err := o.LeaseDeliveries(ctx, now, 10)
		if err != nil || len(due) != 1 || due[0].Topic != "trace.notification" {
			t.Fatalf("%v %+v", err, due)
		}
		var told struct {
			Topic, Name string
			TopicID     string `json:"topic_id"`
			Trace       struct {
				Name string `json:"trace_name"`
				User struct{ Name string }
			}
		}
		if err := json.Unmarshal([]byte(due[0].Body), &told); err != nil || told.Trace.Name != "payCustomerOrderV3" || told.Trace.User.Name != "carol" || told.TopicID != "urn:smn:1" {
			t.Errorf("%v %s", err, due[0].Body)
		}
	})
}

// The codes of trackers, in the order of the contract.
func TestTrackers(t *testing.T) {
	furnished.Each(t, func(t *testing.T, d *db.DB) {
		o, ctx := open(t, d), t.Context()
		var err error
		if o.Objects, err = bucket.Open(t.TempDir(), bucket.Keys{}, time.Now); err != nil {
			t.Fatal(err)
		}
		yes, me := true, func() *operation.Call { return o.by("cedar-labs", now) }
		project := o.project("cedar-labs")
		data := func(name, watched string) trace.Change {
			return trace.Change{Kind: "data", Name: name, DataBucket: &watched, HasData: true}
		}
		ok := data("files", "files-bucket")
		if _, err := o.CreateTracker(ctx, me(), project, &ok); err != nil {
			t.Fatal(err)
		}
		same := data("same", "one-bucket")
		same.Bucket = new("one-bucket")
		foreign := data("foreign", "x-bucket")
		foreign.Bucket = new("alpine-audit")
		err = o.UpdateTracker(ctx, o.by("alpine-robotics", now), o.project("alpine-robotics"), &trace.Change{Kind: "system", Name: "system", Bucket: new("alpine-audit")})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			want string
			c    trace.Change
		}{
			{"CTS.0202", trace.Change{Kind: "what", Name: "x"}},
			{"CTS.0204", trace.Change{Kind: "system", Name: "x"}},
			{"CTS.0206", trace.Change{Kind: "system", Name: "system", HasData: true}},
			{"CTS.0207", data("system", "b-bucket")},
			{"CTS.0210", trace.Change{Kind: "data", Name: "x", HasData: true}},
			{"CTS.0221", trace.Change{Kind: "system", Name: "system", Encrypted: &yes}},
			{"CTS.0222", trace.Change{Kind: "system", Name: "system", Encrypted: &yes, Key: new("k")}},
			{"CTS.0003", trace.Change{Kind: "system", Name: "system", Logged: &yes}},
			{"CTS.0003", trace.Change{Kind: "system", Name: "system", Organization: &yes}},
			{"CTS.0201", trace.Change{Kind: "system", Name: "system"}},
			{"CTS.0208", data("files", "other-bucket")},
			{"CTS.0209", data("files2", "files-bucket")},
			{"CTS.0213", same},
			{"CTS.0231", foreign},
			{"CTS.0231", data("bad", "a..b")},
		} {
			if _, err := o.CreateTracker(ctx, me(), project, &c.c); code(err) != c.want {
				t.Errorf("%+v: %v, want %s", c.c, err, c.want)
			}
		}
		for i := range trace.DataMost - 1 {
			c := data(fmt.Sprint("t", i), fmt.Sprint("bucket-", i))
			if _, err := o.CreateTracker(ctx, me(), project, &c); err != nil {
				t.Fatal(err)
			}
		}
		full := data("full", "bucket-full")
		if _, err := o.CreateTracker(ctx, me(), project, &full); code(err) != "CTS.0200" {
			t.Errorf("one too many: %v", err)
		}
		for name, list := range map[string]int{"files": 1, "": trace.DataMost + 1} {
			if got, err := o.Trackers(ctx, me(), project, "", name); err != nil || len(got) != list {
				t.Errorf("%q: %d, %v", name, len(got), err)
			}
		}
		if _, err := o.Trackers(ctx, me(), project, "", "nobody"); code(err) != "CTS.0214" {
			t.Error(err)
		}
		if err := o.UpdateTracker(ctx, me(), project, &trace.Change{Kind: "data", Name: "nobody"}); code(err) != "CTS.0214" {
			t.Error(err)
		}
		if err := o.DeleteTracker(ctx, me(), project, "data", ""); err != nil {
			t.Error(err)
		}
		if got, _ := o.Trackers(ctx, me(), project, "", ""); len(got) != 1 || got[0].Name != "system" {
			t.Errorf("all but the management tracker go: %d", len(got))
		}
		if err := o.TagTracker(ctx, me(), project, "no-id", []trace.Tag{{Key: "a"}}, func(int) bool { return true }, false); code(err) != "CTS.0214" {
			t.Error(err)
		}
		o.Objects = nil
		if err := o.UpdateTracker(ctx, me(), project, &trace.Change{Kind: "system", Name: "system", Bucket: new("cedar-audit")}); code(err) != "CTS.0001" {
			t.Errorf("nowhere to write to: %v", err)
		}
		buckets, err := o.CheckBuckets(ctx, me(), me().Caller.DomainID, []string{"alpine-audit"})
		if err != nil || len(buckets) != 1 || buckets[0].Why == nil {
			t.Errorf("%v %+v", err, buckets)
		}
	})
}

// carrying is a customer whose tracker carries lines into a folder, hour by hour.
type carrying struct {
	*office
	t      *testing.T
	folder string
	at     time.Time
	key    *rsa.PublicKey
}

func newCarrying(t *testing.T, d *db.DB) *carrying {
	t.Helper()
	c := &carrying{office: open(t, d), t: t, folder: t.TempDir(), at: now.Truncate(time.Hour).Add(10 * time.Minute)}
	c.Clock = func() time.Time { return c.at }
	var err error
	if c.Objects, err = bucket.Open(c.folder, bucket.Keys{}, c.Clock); err != nil {
		t.Fatal(err)
	}
	err = c.UpdateTracker(t.Context(), c.by("cedar-labs", c.at), c.project("cedar-labs"), &trace.Change{Kind: "system", Name: "system", Bucket: new("cedar-audit"), Prefix: new("quay")})
	if err != nil {
		t.Fatal(err)
	}
	text, err := c.TraceKey(t.Context(), c.at)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode([]byte(text))
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	c.key = key.(*rsa.PublicKey)
	return c
}

// happen leaves n traces.
func (c *carrying) happen(n int) {
	for range n {
		c.PayOrder(c.t.Context(), event(c.by("cedar-labs", c.at), "BSS", "order", "payCustomerOrderV3"), "CS-NONE", order.Means{}) //nolint:errcheck // refused, and traced
	}
}

func (c *carrying) carry() int {
	c.t.Helper()
	n, err := c.CarryTraces(c.t.Context(), c.Clock)
	if err != nil {
		c.t.Fatal(err)
	}
	return n
}

func (c *carrying) verify(change func(*trace.Proof)) trace.Report {
	c.t.Helper()
	store, _ := bucket.Open(c.folder, bucket.Keys{}, c.Clock)
	p := trace.Proof{Store: bucket.Within(store, "cedar-audit"), Bucket: "cedar-audit", Key: c.key, Now: c.at}
	if change != nil {
		change(&p)
	}
	r, err := trace.Verify(c.t.Context(), &p)
	if err != nil {
		c.t.Fatal(err)
	}
	return r
}

// objects are the files in the folder, without metadata.
func (c *carrying) objects() (files, digests []string) {
	filepath.WalkDir(c.folder, func(path string, e os.DirEntry, _ error) error { //nolint:errcheck // a test's
		switch {
		case e.IsDir() || strings.HasSuffix(path, ".meta"):
		case strings.Contains(path, "/Digest/"):
			digests = append(digests, path)
		default:
			files = append(files, path)
		}
		return nil
	})
	return files, digests
}

// hours lets three hours pass: traces, none, traces.
func (c *carrying) hours() {
	for i, n := range []int{3, 0, 2} {
		c.happen(n)
		c.carry()
		c.at = c.at.Add(time.Hour)
		c.carry()
		_ = i
	}
}

// Files and hourly digests, also empty ones, in the documented layout; every line in one file; whatever is changed, taken away, put in or
// swapped is found.
func TestTransferAndVerify(t *testing.T) {
	furnished.Each(t, func(t *testing.T, d *db.DB) {
		c := newCarrying(t, d)
		c.hours()
		files, digests := c.objects()
		if len(files) != 2 || len(digests) != 3 {
			t.Fatalf("files %q, digests %q", files, digests)
		}
		day := c.at.UTC()
		want := fmt.Sprintf("%s/cedar-audit/CloudTraces/ap-southeast-1/%d/%d/%d/system/BSS/quay_CloudTrace_ap-southeast-1_", c.folder, day.Year(), int(day.Month()), day.Day())
		if !strings.HasPrefix(files[0], want) || !strings.HasSuffix(files[0], ".json.gz") {
			t.Errorf("%s, want %s…", files[0], want)
		}
		r := c.verify(nil)
		if len(r.Problems) > 0 || r.Digests != 3 || r.Files != 2 {
			t.Fatalf("%+v", r)
		}
		seen := map[string]bool{}
		for _, f := range files {
			for _, one := range readTraces(t, f) {
				seen[one["trace_id"].(string)] = true
			}
		}
		if all := c.traces(t, "cedar-labs", trace.Query{From: c.at.Add(-24 * time.Hour), To: c.at.Add(time.Hour)}); len(seen) != 5 || len(all) != 5 {
			t.Errorf("%d traces in files, %d in the store", len(seen), len(all))
		}

		found := func(what string, change func(), undo func()) {
			t.Helper()
			change()
			if r := c.verify(nil); len(r.Problems) == 0 {
				t.Errorf("%s: not found", what)
			}
			undo()
			if r := c.verify(nil); len(r.Problems) > 0 {
				t.Fatalf("%s: not undone: %q", what, r.Problems)
			}
		}
		put := func(path string, text []byte) {
			t.Helper()
			if err := os.WriteFile(path, text, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		get := func(path string) []byte {
			t.Helper()
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			return text
		}
		for _, path := range []string{files[0], digests[1], digests[2]} {
			whole := get(path)
			step := max(1, len(whole)/40)
			for i := 0; i < len(whole); i += step {
				changed := bytes.Clone(whole)
				changed[i] ^= 1
				found(fmt.Sprintf("byte %d of %s", i, filepath.Base(path)), func() { put(path, changed) }, func() { put(path, whole) })
			}
			found("a byte more", func() { put(path, append(bytes.Clone(whole), 'x')) }, func() { put(path, whole) })
			found("deleted "+filepath.Base(path), func() { os.Remove(path) }, func() { put(path, whole) }) //nolint:errcheck // looked at next
		}
		swap := func(a, b string) func() {
			return func() { one, other := get(a), get(b); put(a, other); put(b, one) }
		}
		found("two files swapped", swap(files[0], files[1]), swap(files[0], files[1]))
		found("two digests swapped", swap(digests[0], digests[1]), swap(digests[0], digests[1]))
		found("two digests swapped with their signatures",
			func() { swap(digests[0], digests[1])(); swap(digests[0]+".meta", digests[1]+".meta")() },
			func() { swap(digests[0], digests[1])(); swap(digests[0]+".meta", digests[1]+".meta")() })
		meta := get(digests[1] + ".meta")
		found("a signature is gone", func() { os.Remove(digests[1] + ".meta") }, func() { put(digests[1]+".meta", meta) }) //nolint:errcheck // looked at next
		more := strings.Replace(files[0], "_CloudTrace_", "_CloudTrace2_", 1)
		found("a file more", func() { put(more, get(files[0])) }, func() { os.Remove(more) }) //nolint:errcheck // looked at next
		// The end cut off: newest digest with its files.
		last, lastMeta := get(digests[2]), get(digests[2]+".meta")
		found("the end cut off", func() { os.Remove(digests[2]); os.Remove(digests[2] + ".meta"); os.Remove(files[1]) }, //nolint:errcheck // looked at next
			func() { put(digests[2], last); put(digests[2]+".meta", lastMeta); put(files[1], c.again(files[1])) })
		if r := c.verify(func(p *trace.Proof) { p.Now = p.Now.Add(3 * time.Hour) }); len(r.Problems) == 0 {
			t.Error("three hours later the end is missing")
		}
		if r := c.verify(func(p *trace.Proof) { p.Known = []string{"CloudTraces/ap-southeast-1/2026/1/1/system/Digest/CTS/x"} }); len(r.Problems) != 1 {
			t.Errorf("a digest that the store knows: %q", r.Problems)
		}
	})
}

var kept = map[string][]byte{}

// again is what a file held when it was first asked for.
func (c *carrying) again(path string) []byte { return kept[path] }

func readTraces(t *testing.T, path string) (out []map[string]any) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	kept[path] = text
	if strings.HasSuffix(path, ".gz") {
		text = gunzip(t, text)
	}
	if err := json.Unmarshal(text, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// A transfer that is cut off at any point, by a store or a bucket that fails, is finished by whoever comes next: nothing twice, nothing lost.
func TestTransferCutOff(t *testing.T) {
	furnished.Each(t, func(t *testing.T, d *db.DB) {
		c := newCarrying(t, d)
		whole := c.Objects
		for try := range 12 {
			c.happen(2)
			c.Objects = &failing{whole, try % 4}
			c.CarryTraces(t.Context(), c.Clock) //nolint:errcheck // it fails now and then
			c.Objects = whole
			c.at = c.at.Add(20 * time.Minute)
			// Two nodes at once, beside each other.
			done := make(chan error, 2)
			for range 2 {
				go func() { _, err := c.CarryTraces(t.Context(), c.Clock); done <- err }()
			}
			for range 2 {
				if err := <-done; err != nil {
					t.Fatal(err)
				}
			}
		}
		c.at = c.at.Add(time.Hour)
		c.carry()
		if r := c.verify(nil); len(r.Problems) > 0 {
			t.Fatalf("%q", r.Problems)
		}
		files, digests := c.objects()
		seen := map[string]int{}
		for _, f := range files {
			for _, one := range readTraces(t, f) {
				seen[one["trace_id"].(string)]++
			}
		}
		for id, n := range seen {
			if n != 1 {
				t.Errorf("%s is there %d times", id, n)
			}
		}
		if len(seen) != 24 || len(digests) != 5 {
			t.Errorf("%d traces, %d digests", len(seen), len(digests))
		}
	})
}

// A tracker whose bucket is taken away writes nowhere and lets what still waits wait; with a bucket again that is written, once.
func TestBucketTakenAway(t *testing.T) {
	furnished.Each(t, func(t *testing.T, d *db.DB) {
		c := newCarrying(t, d)
		target := func(bucket string) {
			t.Helper()
			err := c.UpdateTracker(t.Context(), c.by("cedar-labs", c.at), c.project("cedar-labs"), &trace.Change{Kind: "system", Name: "system", Bucket: &bucket})
			if err != nil {
				t.Fatal(err)
			}
		}
		pass := func() {
			c.at = c.at.Add(time.Hour)
			c.carry()
		}
		c.happen(1)
		pass()
		c.happen(2) // they wait
		target("")
		c.happen(3) // they are kept for queries, and carried nowhere
		pass()
		before, _ := c.objects()
		target("cedar-audit")
		pass()
		pass()
		after, _ := c.objects()
		if len(before) == 0 || len(after) <= len(before) {
			t.Errorf("%d files, then %d", len(before), len(after))
		}
		payments := 0
		for _, f := range after {
			for _, one := range readTraces(t, f) {
				if one["trace_name"] == "payCustomerOrderV3" {
					payments++
				}
			}
		}
		if payments != 3 {
			t.Errorf("%d payments in the files", payments)
		}
		if r := c.verify(nil); len(r.Problems) > 0 {
			t.Errorf("%q", r.Problems)
		}
	})
}

// failing is a store that breaks after some puts: the object is there or not, the answer is lost.
type failing struct {
	bucket.Store
	left int
}

func (f *failing) Put(ctx context.Context, key string, body io.ReadSeeker, meta map[string]string) error {
	if f.left--; f.left == 0 {
		return io.ErrUnexpectedEOF
	}
	if err := f.Store.Put(ctx, key, body, meta); err != nil || f.left > 0 {
		return err
	}
	return io.ErrUnexpectedEOF
}

// What is older than it is kept goes, files before the digest that still proves the rest; switched off, a last digest is written.
func TestRetention(t *testing.T) {
	furnished.Each(t, func(t *testing.T, d *db.DB) {
		c := newCarrying(t, d)
		c.Carrying.Keep = 48 * time.Hour
		for range 4 * 24 {
			c.happen(1)
			c.carry()
			c.at = c.at.Add(time.Hour)
		}
		c.carry()
		r := c.verify(nil)
		files, digests := c.objects()
		if len(r.Problems) > 0 {
			t.Fatalf("%q", r.Problems)
		}
		if len(digests) > 3*24 || len(digests) < 2*24 || len(files) > 3*24 || len(files) < 2*24 {
			t.Errorf("%d files, %d digests are kept", len(files), len(digests))
		}
		c.happen(1)
		off := false
		err := c.UpdateTracker(t.Context(), c.by("cedar-labs", c.at), c.project("cedar-labs"), &trace.Change{Kind: "system", Name: "system", Enabled: &off})
		if err != nil {
			t.Fatal(err)
		}
		c.at = c.at.Add(time.Minute)
		c.carry()
		if r := c.verify(nil); len(r.Problems) > 0 || len(r.Remarks) > 1 {
			t.Errorf("after it was switched off: %q %q", r.Problems, r.Remarks)
		}
		c.at = c.at.Add(5 * time.Hour)
		if n := c.carry(); n != 0 {
			t.Errorf("a tracker that is off wrote %d objects", n)
		}
		if r := c.verify(func(p *trace.Proof) { p.To = c.at.Add(-5 * time.Hour) }); len(r.Problems) > 0 {
			t.Errorf("up to when it was switched off: %q", r.Problems)
		}
	})
}

func gunzip(t *testing.T, text []byte) []byte {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	out, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

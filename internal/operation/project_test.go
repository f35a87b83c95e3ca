package operation_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/purser-cloud/purser/internal/account"
	"github.com/purser-cloud/purser/internal/catalog"
	"github.com/purser-cloud/purser/internal/charge"
	"github.com/purser-cloud/purser/internal/contract"
	"github.com/purser-cloud/purser/internal/coupon"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/db/dbtest"
	"github.com/purser-cloud/purser/internal/identity"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/operation"
	"github.com/purser-cloud/purser/internal/order"
	"github.com/purser-cloud/purser/internal/period"
	"github.com/purser-cloud/purser/internal/project"
	"github.com/purser-cloud/purser/internal/rating"
	"github.com/purser-cloud/purser/internal/subscription"
	"github.com/purser-cloud/purser/internal/trace"
	"github.com/purser-cloud/purser/internal/usage"
)

// opened opens enterprise projects to cedar-labs and makes some.
func (o *office) opened(t *testing.T, names ...string) (ids []string) {
	t.Helper()
	owner := o.by("cedar-labs", now)
	if err := o.OpenProjects(t.Context(), owner); err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		p, err := o.CreateProject(t.Context(), owner, project.Project{Name: name})
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, p.ID)
	}
	return ids
}

func inProject(id string) *operation.NewOrder {
	in := oneServer(1)
	in.Project = id
	return in
}

// bought buys a server in a project.
func (o *office) bought(t *testing.T, call *operation.Call, id string) subscription.Resource {
	t.Helper()
	placed, err := o.PlaceOrder(t.Context(), call, inProject(id))
	if err != nil {
		t.Fatal(err)
	}
	if err := o.PayOrder(t.Context(), call, placed.Order.ID, order.Means{}); err != nil {
		t.Fatal(err)
	}
	page, err := o.ListResources(t.Context(), call, "", subscription.Query{Order: placed.Order.ID}, 0, 10)
	if err != nil || page.Total != 1 || page.Resources[0].Project != id {
		t.Fatalf("%v, %+v", err, page)
	}
	return page.Resources[0]
}

// Each refusal of the rules for enterprise projects, in turn, and what is allowed in between.
func TestProjectRules(t *testing.T) {
	furnished.Each(t, func(t *testing.T, d *db.DB) {
		o, ctx := open(t, d), t.Context()
		owner := o.by("cedar-labs", now)
		add := func(name, kind string) error {
			_, err := o.CreateProject(ctx, owner, project.Project{Name: name, Kind: kind})
			return err
		}
		want := func(what string, err error, wanted string) {
			t.Helper()
			if code(err) != wanted {
				t.Errorf("%s: %v, want %q", what, err, wanted)
			}
		}
		want("before they are open", add("one", ""), "EPS.0039")
		want("operator's account", o.OpenProjects(ctx, o.by("purser-operator", now)), "CBC.99007004")
		if _, err := o.RewriteCustomer(ctx, o.by("purser-operator", now), owner.Caller.DomainID, func(a *account.Customer) { a.Verified = false }, "", "", time.Time{}); err != nil {
			t.Fatal(err)
		}
		want("not verified", o.OpenProjects(ctx, owner), "CBC.99007004")
		if _, err := o.RewriteCustomer(ctx, o.by("purser-operator", now), owner.Caller.DomainID, func(a *account.Customer) { a.Verified = true }, "", "", time.Time{}); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			want("open", o.OpenProjects(ctx, owner), "")
		}
		for _, name := range []string{"", "a b", "DeFault", strings.Repeat("x", 65), "naïve"} {
			want("name "+name, add(name, ""), "EPS.0007")
		}
		want("long description", errOf(o.CreateProject(ctx, owner, project.Project{Name: "x", Description: strings.Repeat("界", 513)})), "EPS.0008")
		want("good", add("中文-1_a", ""), "")
		want("taken", add("中文-1_a", ""), "EPS.0010")
		for _, name := range []string{"b", "c", "d"} {
			want("good", add(name, project.Trial), "")
		}
		_, page, err := o.ListProjects(ctx, owner, project.Query{By: "name"}, 0, 100)
		var names []string
		for i := range page {
			names = append(names, page[i].Name)
		}
		if err != nil || !slices.Equal(names, []string{"b", "c", "d", "default", "中文-1_a"}) {
			t.Errorf("%v, %q", err, names)
		}
		if total, page, err := o.ListProjects(ctx, owner, project.Query{Kind: project.Trial, By: "name", Down: true}, 1, 1); err != nil || total != 3 || len(page) != 1 || page[0].Name != "c" {
			t.Errorf("%v, %d, %+v", err, total, page)
		}
		b := page[0].ID
		want("the last one", add("e", ""), "")
		want("quota", add("f", ""), "EPS.0009")
		change := func(id, name, kind string) error { return errOf(o.ChangeProject(ctx, owner, id, name, nil, kind)) }
		want("default", change("0", "x", ""), "EPS.0012")
		want("unknown", change("nope", "x", ""), "EPS.0005")
		want("taken", change(b, "c", ""), "EPS.0010")
		want("to commercial", change(b, "b2", project.Commercial), "")
		want("back to trial", change(b, "b2", project.Trial), "EPS.0002")
		want("switch the default", o.SwitchProject(ctx, owner, "0", false), "EPS.0015")
		placed, err := o.PlaceOrder(ctx, owner, inProject(b))
		want("order", err, "")
		want("unfinished order", o.SwitchProject(ctx, owner, b, false), "EPS.0037")
		want("holds an order", o.DeleteProject(ctx, owner, b), "EPS.0002")
		want("cancel", o.CancelOrder(ctx, owner, placed.Order.ID), "")
		r := o.bought(t, owner, "0")
		for range 2 {
			want("disable", o.SwitchProject(ctx, owner, b, false), "")
		}
		want("change a disabled one", change(b, "b3", ""), "EPS.0014")
		want("order in a disabled one", errOf(o.PlaceOrder(ctx, owner, inProject(b))), "CBC.0100")
		want("order in an unknown one", errOf(o.PlaceOrder(ctx, owner, inProject("nope"))), "CBC.99006073")
		want("move into a disabled one", o.MoveResource(ctx, owner, b, operation.Moving{Resource: r.ID, Type: "ecs"}), "EPS.0034")
		want("enable", o.SwitchProject(ctx, owner, b, true), "")
		want("move", o.MoveResource(ctx, owner, b, operation.Moving{Resource: r.ID, Type: "ecs"}), "")
		want("holds a resource", o.DeleteProject(ctx, owner, b), "EPS.0002")
		want("move back", o.MoveResource(ctx, owner, "0", operation.Moving{Resource: r.ID, Type: "ecs"}), "")
		want("delete", o.DeleteProject(ctx, owner, b), "")
		want("gone", errOf(o.ShowProject(ctx, owner, b)), "EPS.0005")
		want("its name is free", add("b2", ""), "")
		o.EP.Deletable = false
		want("not allowed", o.DeleteProject(ctx, owner, b), "EPS.0039")
		if most, used, err := o.ProjectQuota(ctx, owner); err != nil || most != 5 || used != 5 {
			t.Errorf("quota %d of %d, %v", used, most, err)
		}
	})
}

func errOf[T any](_ T, err error) error { return err }

// A move changes what is charged later, not what was charged; what is attached goes along.
func TestMovingResources(t *testing.T) {
	furnished.Each(t, func(t *testing.T, d *db.DB) {
		o, ctx := open(t, d), t.Context()
		ids := o.opened(t, "a", "b")
		owner := o.by("cedar-labs", now)
		in := inProject(ids[0])
		in.Items[0].Attached = []order.Item{disk(40)}
		placed, err := o.PlaceOrder(ctx, owner, in)
		if err == nil {
			err = o.PayOrder(ctx, owner, placed.Order.ID, order.Means{})
		}
		if err != nil {
			t.Fatal(err)
		}
		page, err := o.ListResources(ctx, owner, "", subscription.Query{Order: placed.Order.ID}, 0, 10)
		if err != nil || page.Total != 2 {
			t.Fatal(err, page.Total)
		}
		server, volume := page.Resources[0], page.Resources[1]
		if server.Parent != "" {
			server, volume = volume, server
		}
		move := func(m operation.Moving, to string) error { return o.MoveResource(ctx, owner, to, m) }
		for what, k := range map[string]struct {
			m    operation.Moving
			code string
		}{
			"attached":      {operation.Moving{Resource: volume.ID, Type: "disk"}, "EPS.0002"},
			"another type":  {operation.Moving{Resource: server.ID, Type: "disk"}, "EPS.0005"},
			"another place": {operation.Moving{Resource: server.ID, Type: "ecs", Region: "nowhere"}, "EPS.0005"},
			"unknown":       {operation.Moving{Resource: "nope", Type: "ecs"}, "EPS.0005"},
		} {
			if err := move(k.m, ids[1]); code(err) != k.code {
				t.Errorf("%s: %v", what, err)
			}
		}
		if err := move(operation.Moving{Resource: server.ID, Type: "ecs", Region: server.Region}, ids[1]); err != nil {
			t.Fatal(err)
		}
		if _, err := o.RenewResources(ctx, owner, []string{server.ID}, 2, 1, true); err != nil {
			t.Fatal(err)
		}
		total, fees, _, err := o.FeeRecords(ctx, owner, "", period.CycleOf(now), 0, 100)
		if err != nil {
			t.Fatal(err)
		}
		by := map[string]int{}
		for i := range fees {
			by[fees[i].Project]++
		}
		if total != 4 || by[ids[0]] != 2 || by[ids[1]] != 2 {
			t.Errorf("%d fee records by project: %v", total, by)
		}
		moves, _, err := o.Moves(ctx, owner, project.MoveQuery{}, 0, 10)
		if err != nil || len(moves) != 2 || moves[0].OriginName != "a" || moves[0].TargetName != "b" {
			t.Errorf("%v, %+v", err, moves)
		}
		if found, err := o.FindResources(ctx, owner, ids[1], []string{"ecs", "disk", "nope"}, nil, "", 0, 10); err != nil || found.Total != 2 || len(found.Omitted) != 1 {
			t.Errorf("%v, %+v", err, found)
		}
	})
}

// A pay-per-use resource that was moved: records from then on count in the new project, also those that describe the
// resource and name no project, also those of a meter that the intake had in memory.
func TestMovingUsage(t *testing.T) {
	furnished.Each(t, func(t *testing.T, d *db.DB) {
		o, ctx := open(t, d), t.Context()
		ids := o.opened(t, "a")
		owner, operator := o.by("cedar-labs", now), o.by("purser-operator", now)
		record := func(id string, hour int) usage.Record {
			at := now.Truncate(time.Hour).Add(time.Duration(hour-40) * time.Hour)
			return usage.Record{
				Source: "t", ID: id, Customer: owner.Caller.DomainID, Resource: "bucket", Factor: "size", Value: money.DecimalOf(3), Unit: 17, Start: at, End: at.Add(time.Hour),
				Described: usage.Described{Service: "hws.service.type.obs", ResourceType: "hws.resource.type.obs", Spec: "obs.standard.single", Region: "ap-southeast-1"},
			}
		}
		accept := func(list ...usage.Record) {
			t.Helper()
			out, err := o.AcceptUsage(ctx, operator, list)
			if err != nil {
				t.Fatal(err)
			}
			for i := range out {
				if out[i].Verdict != usage.Accepted {
					t.Fatal(out[i].Why)
				}
			}
		}
		accept(record("1", 1))
		accept(record("2", 2)) // now it is in memory
		if err := o.MoveResource(ctx, owner, ids[0], operation.Moving{Resource: "bucket", Type: "bucket"}); err != nil {
			t.Fatal(err)
		}
		accept(record("3", 3))
		if _, err := o.CatchUp(ctx, now, owner.Caller.DomainID); err != nil {
			t.Fatal(err)
		}
		_, fees, _, err := o.FeeRecords(ctx, owner, "", period.CycleOf(now), 0, 100)
		if err != nil || len(fees) != 3 {
			t.Fatal(err, len(fees))
		}
		slices.SortFunc(fees, func(a, b charge.Fee) int { return a.Consumed.Start.Compare(b.Consumed.Start) })
		for i := range fees {
			if want := []string{"0", "0", ids[0]}[i]; fees[i].Project != want {
				t.Errorf("record %d is in project %s, not %s", i+1, fees[i].Project, want)
			}
		}
	})
}

// staff is a user of cedar-labs with actions in one project only.
func (o *office) staff(t *testing.T, name, id string, actions ...string) *operation.Call {
	t.Helper()
	ctx, operator := t.Context(), operation.LocalOperator("Test", now)
	if _, _, err := o.AddUser(ctx, operator, operation.NewUser{Account: "cedar-labs", User: name, Kind: identity.Customer, Password: "Quay-Master-1"}); err != nil {
		t.Fatal(err)
	}
	if id != "" {
		if _, err := o.Grant(ctx, o.by("cedar-labs", now), "", identity.Grant{User: name, Project: id, Actions: actions}); err != nil {
			t.Fatal(err)
		}
	}
	return o.signIn(t, name)
}

func (o *office) signIn(t *testing.T, name string) *operation.Call {
	t.Helper()
	token, err := o.IssueToken(t.Context(), &operation.Call{Operation: &contract.Operation{ID: "Test"}, Real: now, Source: name}, &identity.SignIn{DomainName: "cedar-labs", UserName: name, Password: "Quay-Master-1"})
	if err != nil {
		t.Fatal(err)
	}
	return &operation.Call{
		Operation: &contract.Operation{ID: "Test", Role: []string{"bss:order:view"}, Identity: []string{"billing:order:view"}, ByProject: true},
		Caller:    token.Caller, Real: now,
	}
}

// Groups and users are granted actions on one project: they act there, and nowhere else; an operation on the account as a
// whole needs the action everywhere; what is taken back is gone at once.
func TestGrantsByProject(t *testing.T) {
	furnished.Each(t, func(t *testing.T, d *db.DB) {
		o, ctx := open(t, d), t.Context()
		ids := o.opened(t, "a", "b")
		owner := o.by("cedar-labs", now)
		inA, inB := o.bought(t, owner, ids[0]), o.bought(t, owner, ids[1])
		staff := o.staff(t, "quay", ids[0], "bss:order:*")
		list, err := o.ListOrders(ctx, staff, "", false, order.Query{}, 0, 10)
		if err != nil || list.Total != 1 || list.Orders[0].Project != ids[0] {
			t.Errorf("%v, %d orders", err, list.Total)
		}
		if list, err := o.ListOrders(ctx, staff, "", false, order.Query{Status: order.Completed}, 0, 10); err != nil || list.Total != 1 {
			t.Errorf("%v, %d completed orders", err, list.Total)
		}
		if page, err := o.ListResources(ctx, staff, "", subscription.Query{}, 0, 10); err != nil || page.Total != 1 || page.Resources[0].ID != inA.ID {
			t.Errorf("%v, %+v", err, page)
		}
		_, mine := o.ShowOrder(ctx, staff, "", inA.Order, 0, 10)
		_, others := o.ShowOrder(ctx, staff, "", inB.Order, 0, 10)
		_, nobodys := o.ShowOrder(ctx, staff, "", "CS0000", 0, 10)
		if mine != nil || strings.ReplaceAll(others.Error(), inB.Order, "CS0000") != nobodys.Error() {
			t.Errorf("%v; %v; %v", mine, others, nobodys)
		}
		if _, err := o.RenewResources(ctx, staff, []string{inB.ID}, 2, 1, true); code(err) != "CBC.99003016" {
			t.Errorf("renew in another project: %v", err)
		}
		if made, err := o.RenewResources(ctx, staff, []string{inA.ID, inB.ID}, 2, 1, true); err != nil || len(made.Orders) != 1 || len(made.Failed) != 1 {
			t.Errorf("renew both: %v, %+v", err, made)
		}
		whole := *staff
		whole.Operation = &contract.Operation{ID: "Test", Role: []string{"bss:order:view"}}
		if _, err := o.ShowBalances(ctx, &whole); code(err) != "CBC.0151" {
			t.Errorf("an operation on the whole account: %v", err)
		}
		if _, err := o.PlaceOrder(ctx, staff, inProject("")); code(err) != "CBC.0100" {
			t.Errorf("order in the default project: %v", err)
		}
		if _, err := o.PlaceOrder(ctx, staff, inProject(ids[1])); code(err) != "CBC.99006073" {
			t.Errorf("order in another project: %v", err)
		}
		if _, err := o.PlaceOrder(ctx, staff, inProject(ids[0])); err != nil {
			t.Errorf("order in its own project: %v", err)
		}
		// by a group
		other := o.staff(t, "crane", "")
		if _, err := o.ListOrders(ctx, other, "", false, order.Query{}, 0, 10); code(err) != "CBC.0151" {
			t.Errorf("without any grant: %v", err)
		}
		if _, err := o.SetGroup(ctx, owner, "", "cranes", []string{"crane"}); err != nil {
			t.Fatal(err)
		}
		if _, err := o.Grant(ctx, owner, "", identity.Grant{Group: "cranes", Project: ids[1], Actions: []string{"billing:*"}}); err != nil {
			t.Fatal(err)
		}
		other = o.signIn(t, "crane")
		if list, err := o.ListOrders(ctx, other, "", false, order.Query{}, 0, 10); err != nil || list.Total != 1 || list.Orders[0].Project != ids[1] {
			t.Errorf("by a group: %v, %+v", err, list.Orders)
		}
		if _, err := o.Grant(ctx, owner, "", identity.Grant{Group: "cranes", Project: ids[1]}); err != nil {
			t.Fatal(err)
		}
		if _, err := o.ListOrders(ctx, o.signIn(t, "crane"), "", false, order.Query{}, 0, 10); code(err) != "CBC.0151" {
			t.Errorf("taken back: %v", err)
		}
		if _, err := o.Grant(ctx, owner, "", identity.Grant{User: "quay", Project: "nope", Actions: []string{"*"}}); code(err) != "CBC.99006073" {
			t.Errorf("in an unknown project: %v", err)
		}
	})
}

// A fund quota refuses the payment that would pass it, by hand and automatic; alerts come once a share; what is given back
// counts; the counter is what the fee records come to.
func TestProjectBudgets(t *testing.T) {
	furnished.Each(t, func(t *testing.T, d *db.DB) {
		o, ctx := open(t, d), t.Context()
		ids := o.opened(t, "a")
		owner, operator := o.by("cedar-labs", now), o.by("purser-operator", now)
		hook, err := o.AddWebhook(ctx, operator, "http://127.0.0.1:1/", []string{"project.*"})
		if err != nil {
			t.Fatal(err)
		}
		_, coupons, _, err := o.Coupons(ctx, owner, coupon.Query{}, 0, 10)
		for i := range coupons { // automatic payments would use them, and they do not count
			if err == nil {
				err = o.ActOnCoupon(ctx, operator, owner.Caller.DomainID, coupons[i].ID, coupon.Freeze)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
		first := o.bought(t, owner, ids[0]) // before there is a budget: it counts
		price := func() (sum money.Amount) {
			err := d.View(ctx, dbtest.At(now), func(v *db.View) (err error) {
				sum, err = charge.SpentIn(ctx, v, owner.Caller.DomainID, ids[0], period.CycleOf(now))
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			return sum
		}
		one := price()
		set, err := o.SetBudget(ctx, owner, "", project.Budget{Project: ids[0], Amount: 2 * one, Quota: 2*one + one/2, Shares: []int{100, 75}})
		if err != nil || set.Spent != one || set.Alerted != 0 {
			t.Fatalf("%v, %+v", err, set)
		}
		second := o.bought(t, owner, ids[0])
		spending := func() project.Spending {
			t.Helper()
			list, err := o.Budgets(ctx, owner, "")
			if err != nil || len(list.List) != 1 {
				t.Fatal(err, list)
			}
			if list.List[0].Spent != price() {
				t.Errorf("counted %s, fee records come to %s", list.List[0].Spent, price())
			}
			return list.List[0]
		}
		if s := spending(); s.Spent != 2*one || s.Alerted != 100 {
			t.Errorf("%+v", s)
		}
		placed, err := o.PlaceOrder(ctx, owner, inProject(ids[0]))
		if err != nil {
			t.Fatal(err)
		}
		if err := o.PayOrder(ctx, owner, placed.Order.ID, order.Means{}); code(err) != "CBC.99003155" {
			t.Errorf("above the quota: %v", err)
		}
		automatic := inProject(ids[0])
		automatic.AutoPay = true
		if out, err := o.PlaceOrder(ctx, owner, automatic); err != nil || out.Refused == nil || out.Refused.Code != "CBC.99003155" {
			t.Errorf("automatic payment: %v, %v", err, out.Refused)
		}
		if made, err := o.RenewResources(ctx, owner, []string{first.ID}, 2, 1, true); err != nil || len(made.Failed) != 1 || !strings.Contains(made.Failed[0].Why.Message, "CBC.99003155") {
			t.Errorf("automatic payment of a renewal: %v, %+v", err, made)
		}
		if err := o.SetAutoRenewal(ctx, owner, second.ID, nil, period.None); err != nil {
			t.Fatal(err)
		}
		o.bought(t, owner, "0") // another project's quota is its own
		if _, err := o.Unsubscribe(ctx, owner, []string{second.ID}, false, ""); err != nil {
			t.Fatal(err)
		}
		if s := spending(); s.Spent >= 2*one || s.Alerted != 100 {
			t.Errorf("after a refund: %+v", s)
		}
		if _, err := o.CheckBooks(ctx, operator, false, func(w operation.Wrong) { t.Error(w) }); err != nil {
			t.Error(err)
		}
		total, _, err := o.Deliveries(ctx, operator, hook.ID, "", 0, 10)
		if err != nil || total != 1 {
			t.Errorf("%d alerts, %v", total, err)
		}
		if err := o.DropBudget(ctx, owner, "", ids[0]); err != nil {
			t.Error(err)
		}
		if err := o.PayOrder(ctx, owner, placed.Order.ID, order.Means{}); err != nil {
			t.Errorf("without a quota: %v", err)
		}
		for what, b := range map[string]project.Budget{
			"nothing":     {Project: ids[0]},
			"a fraction":  {Project: ids[0], Quota: 1},
			"below zero":  {Project: ids[0], Quota: -dollar},
			"share alone": {Project: ids[0], Quota: dollar, Shares: []int{50}},
		} {
			if _, err := o.SetBudget(ctx, owner, "", b); code(err) != "CBC.0100" {
				t.Errorf("%s: %v", what, err)
			}
		}
	})
}

// The night shift's renewal is refused by a fund quota as by anything else: the resource stays, is traced and told, and is tried again
// each day; with more quota it renews.
func TestBudgetAtNight(t *testing.T) {
	furnished.Each(t, func(t *testing.T, d *db.DB) {
		o, ctx := open(t, d), t.Context()
		o.Orders.Tell = o.TellOrder
		start := time.Date(2026, 12, 10, 10, 0, 0, 0, period.GMT8)
		operator := o.by("purser-operator", start)
		if _, err := o.AddWebhook(ctx, operator, "https://cloud.example/purser", []string{"resource.*"}); err != nil {
			t.Fatal(err)
		}
		made, err := o.CreateCustomer(ctx, operator, operation.NewCustomer{Account: "night-owls", User: "n", Record: account.Customer{Country: "SG", Kind: account.Enterprise, Verified: true}})
		if err != nil {
			t.Fatal(err)
		}
		customer := made.Customer.ID
		o.traced(t, customer, start)
		o.pays(t, customer, start, 100_000)
		me := func(at time.Time) *operation.Call { return o.as(customer, at) }
		if err := o.OpenProjects(ctx, me(start)); err != nil {
			t.Fatal(err)
		}
		p, err := o.CreateProject(ctx, me(start), project.Project{Name: "owls"})
		if err != nil {
			t.Fatal(err)
		}
		r := o.bought(t, me(start), p.ID) // until the end of January 10
		if err := o.SetAutoRenewal(ctx, me(start), r.ID, nil, period.None); err != nil {
			t.Fatal(err)
		}
		if _, err := o.SetBudget(ctx, me(start), "", project.Budget{Project: p.ID, Quota: dollar}); err != nil {
			t.Fatal(err)
		}
		at := func(day, hour int) time.Time { return time.Date(2027, 1, day, hour, 0, 0, 0, period.GMT8) }
		expires := func(now time.Time) (time.Time, int) {
			t.Helper()
			page, err := o.ListResources(ctx, me(now), "", subscription.Query{IDs: []string{r.ID}}, 0, 10)
			if err != nil || len(page.Resources) != 1 {
				t.Fatal(err, page)
			}
			return page.Resources[0].Expires, int(page.Resources[0].Status)
		}
		before, _ := expires(start)
		o.shift(t, customer, at(5, 12))
		refused := 0
		for _, line := range o.told(t, customer) {
			if strings.Contains(line, "resource.renewal-refused") {
				if !strings.Contains(line, "CBC.99003155 the fund quota of enterprise project "+p.ID) {
					t.Errorf("told %s", line)
				}
				refused++
			}
		}
		if after, status := expires(at(5, 12)); !after.Equal(before) || status != int(subscription.InUse) || refused < 2 {
			t.Errorf("until %s, before %s; %d refusals", after, before, refused)
		}
		left := o.left(t, customer)
		if len(left) != refused || left[0] != "renewResource warning" {
			t.Errorf("%d refusals, traces %q", refused, left)
		}
		err = d.View(ctx, dbtest.At(start), func(v *db.View) error {
			list, err := trace.Latest(ctx, v, customer, 1)
			if err == nil && (list[0].ResourceID != r.ID || list[0].Enterprise != p.ID || !strings.HasPrefix(list[0].Message, "CBC.99003155: ")) {
				t.Errorf("%+v", list[0])
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := o.SetBudget(ctx, me(at(5, 12)), "", project.Budget{Project: p.ID, Quota: 100 * dollar}); err != nil {
			t.Fatal(err)
		}
		o.shift(t, customer, at(6, 12))
		if after, _ := expires(at(6, 12)); !after.After(before) {
			t.Error("not renewed with more quota")
		}
		if left := o.left(t, customer); left[len(left)-1] != "renewResource normal" {
			t.Errorf("traces %q", left)
		}
		o.sound(t)
	})
}

// Four payments at once against a quota for two: two pass.
func TestBudgetRace(t *testing.T) {
	furnished.Each(t, func(t *testing.T, d *db.DB) {
		o, ctx := open(t, d), t.Context()
		ids := o.opened(t, "a")
		owner := o.by("cedar-labs", now)
		var orders []string
		var one money.Amount
		for range 4 {
			placed, err := o.PlaceOrder(ctx, owner, inProject(ids[0]))
			if err != nil {
				t.Fatal(err)
			}
			orders, one = append(orders, placed.Order.ID), placed.Order.Amount+placed.Order.Tax
		}
		if _, err := o.SetBudget(ctx, owner, "", project.Budget{Project: ids[0], Quota: 2 * one}); err != nil {
			t.Fatal(err)
		}
		results := make(chan error)
		for _, id := range orders {
			go func() { results <- o.PayOrder(ctx, o.by("cedar-labs", now), id, order.Means{}) }()
		}
		paid := 0
		var others error
		for range orders {
			if err := <-results; err == nil {
				paid++
			} else if code(err) != "CBC.99003155" {
				others = errors.Join(others, err)
			}
		}
		if paid != 2 || others != nil {
			t.Errorf("%d were paid; %v", paid, others)
		}
	})
}

func disk(size int64) order.Item {
	return order.Item{Wanted: catalog.Wanted{
		ID: "disk", Service: "hws.service.type.ebs", ResourceType: "hws.resource.type.volume", Spec: "SAS", Region: "ap-southeast-1", Num: 1,
		Size: rating.Size{Value: money.DecimalOf(size), Unit: 17},
	}}
}

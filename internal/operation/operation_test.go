package operation_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/purser-cloud/purser/cloud"
	"github.com/purser-cloud/purser/internal/bill"
	"github.com/purser-cloud/purser/internal/catalog"
	"github.com/purser-cloud/purser/internal/contract"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/db/dbtest"
	"github.com/purser-cloud/purser/internal/discount"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/identity"
	"github.com/purser-cloud/purser/internal/job"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/operation"
	"github.com/purser-cloud/purser/internal/order"
	"github.com/purser-cloud/purser/internal/project"
	"github.com/purser-cloud/purser/internal/rating"
	"github.com/purser-cloud/purser/internal/settlement"
	"github.com/purser-cloud/purser/internal/usage"
)

var now = time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC)

// office is a counter with the demo cloud behind it.
type office struct {
	*operation.Counter
	accounts []operation.DemoAccount
}

// furnished are stores with the demo cloud; settled are its accounts by engine.
var (
	furnished = dbtest.Template{Fill: func(t testing.TB, d *db.DB) {
		content, err := catalog.Read(cloud.Files)
		if err != nil {
			t.Fatal(err)
		}
		accounts, err := newOffice(t, d).SetUpDemo(t.Context(), content, false, func(string) {})
		if err != nil {
			t.Fatal(err)
		}
		settled[d.Engine()] = accounts
	}}
	settled = map[string][]operation.DemoAccount{}
)

// open is the office in a furnished store.
func open(t *testing.T, d *db.DB) *office {
	t.Helper()
	o := newOffice(t, d)
	o.accounts = settled[d.Engine()]
	return o
}

func newOffice(t testing.TB, d *db.DB) *office {
	t.Helper()
	sealer, err := identity.NewSealer(bytes.Repeat([]byte{1}, 32), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	o := &office{Counter: &operation.Counter{
		DB: d, Clock: func() time.Time { return now }, Random: rand.Reader, Log: slog.New(slog.DiscardHandler),
		Identity: identity.NewDesk(sealer, rand.Reader), Catalogue: &catalog.Shelf{}, Discounts: &discount.Book{},
	}}
	o.Orders = &order.Desk{Random: rand.Reader, Currency: money.USD, Catalogue: o.Catalogue, Discounts: o.Discounts, Rules: order.StandardRules()}
	o.Usage = &usage.Intake{}
	o.Bills = &bill.Desk{Currency: money.USD, Rounding: bill.Truncate}
	o.EP = project.Rules{Most: 5, Deletable: true}
	o.Settling = &settlement.Desk{Catalogue: o.Catalogue, Discounts: o.Discounts, Rules: settlement.StandardRules()}
	return o
}

// by is a call of an account's owner.
func (o *office) by(name string, at time.Time) *operation.Call {
	for _, a := range o.accounts {
		if a.Domain.Name == name {
			return &operation.Call{
				Operation: &contract.Operation{ID: "Test"}, Real: at,
				Caller: identity.Caller{DomainID: a.Domain.ID, DomainKind: a.Domain.Kind, UserID: "u-" + name, Owner: true},
			}
		}
	}
	panic("no account " + name)
}

func (o *office) project(name string) string {
	for _, a := range o.accounts {
		if a.Domain.Name == name {
			return a.Projects[0].ID
		}
	}
	return ""
}

func vm(id string, hours string) catalog.Wanted {
	usage, err := money.ParseDecimal(hours)
	if err != nil {
		panic(err)
	}
	return catalog.Wanted{
		ID: id, Service: "hws.service.type.ec2", ResourceType: "hws.resource.type.vm", Spec: "s3.small.1.linux", Region: "ap-southeast-1",
		Num: 1, Factor: "duration", Usage: usage, UsageUnit: 4, PeriodType: 2, Periods: 1,
	}
}

func with(w catalog.Wanted, change func(*catalog.Wanted)) catalog.Wanted {
	change(&w)
	return w
}

// Which refusal wins when several apply is part of the contract.
func TestPriceRefusals(t *testing.T) {
	furnished.Each(t, func(t *testing.T, d *db.DB) {
		o := open(t, d)
		call, project := o.by("blue-harbour", now), o.project("blue-harbour")
		disk := catalog.Wanted{ID: "d", Service: "hws.service.type.ebs", ResourceType: "hws.resource.type.volume", Spec: "GPSSD", Region: "ap-southeast-1", Num: 1, Factor: "Duration", Usage: money.DecimalOf(1), UsageUnit: 4, PeriodType: 2, Periods: 1}
		huge := with(vm("h", "999999999999999999"), func(w *catalog.Wanted) { w.Num = 1_000_000 })
		for name, k := range map[string]struct {
			project string
			wanted  []catalog.Wanted
			demand  string // code on demand; empty: taken
			term    string
		}{
			"good":                 {project, []catalog.Wanted{vm("1", "1")}, "", ""},
			"duplicate ids first":  {"nobody's", []catalog.Wanted{vm("1", "1"), vm("1", "1")}, "CBC.0100", "CBC.0100"},
			"another's project":    {o.project("cedar-labs"), []catalog.Wanted{vm("1", "1")}, "CBC.0100", "CBC.0100"},
			"no such product":      {project, []catalog.Wanted{with(vm("1", "1"), func(w *catalog.Wanted) { w.Spec, w.Factor, w.UsageUnit = "nope", "x", 999 })}, "CBC.99006006", "CBC.99006006"},
			"code in another case": {project, []catalog.Wanted{with(vm("1", "1"), func(w *catalog.Wanted) { w.Region = "AP-southeast-1" })}, "CBC.99006006", "CBC.99006006"},
			"no such zone":         {project, []catalog.Wanted{with(vm("1", "1"), func(w *catalog.Wanted) { w.Zone = "moon-1a" })}, "CBC.99006006", "CBC.99006006"},
			"zone in any case":     {project, []catalog.Wanted{with(vm("1", "1"), func(w *catalog.Wanted) { w.Zone = "AP-Southeast-1A" })}, "", ""},
			"no such usage factor": {project, []catalog.Wanted{with(vm("1", "1"), func(w *catalog.Wanted) { w.Factor, w.UsageUnit = "upflow", 999 })}, "CBC.99006074", ""},
			"unit of another kind": {project, []catalog.Wanted{with(vm("1", "1"), func(w *catalog.Wanted) { w.UsageUnit = 10 })}, "CBC.99006050", ""},
			"size missing":         {project, []catalog.Wanted{disk}, "CBC.0100", "CBC.0100"},
			"above the maximum":    {project, []catalog.Wanted{huge}, "CBC.99006055", ""},
			"no such period":       {project, []catalog.Wanted{with(vm("1", "1"), func(w *catalog.Wanted) { w.PeriodType = 4 })}, "", "CBC.99006006"},
			"the first of several": {project, []catalog.Wanted{vm("1", "1"), with(vm("2", "1"), func(w *catalog.Wanted) { w.Spec = "x" }), with(vm("3", "1"), func(w *catalog.Wanted) { w.Factor = "x" })}, "CBC.99006006", "CBC.99006006"},
		} {
			_, err := o.RateOnDemand(t.Context(), call, k.project, 0, k.wanted)
			if code(err) != k.demand {
				t.Errorf("on demand, %s: %v, want %q", name, err, k.demand)
			}
			_, err = o.RateByTerm(t.Context(), call, k.project, k.wanted)
			if code(err) != k.term {
				t.Errorf("by term, %s: %v, want %q", name, err, k.term)
			}
		}
	})
}

func code(err error) string {
	if err == nil {
		return ""
	}
	if f, ok := fault.As(err); ok {
		return f.Code
	}
	return err.Error()
}

// Prices to the digit, with the demo customer's discounts: commercial 0.85 on everything, partner's 0.9 on servers.
func TestPricesWithDiscounts(t *testing.T) {
	furnished.Each(t, func(t *testing.T, d *db.DB) {
		o := open(t, d)
		call, project := o.by("alpine-robotics", now), o.project("alpine-robotics")
		got, err := o.RateOnDemand(t.Context(), call, project, 1, []catalog.Wanted{vm("a", "1.5"), vm("b", "720")})
		if err != nil {
			t.Fatal(err)
		}
		// 0.0203 an hour: 0.03045 and 14.616; × 0.85
		if s := fmt.Sprint(got.Official, got.Amount, got.Discount, " ", got.Lines[0].Amount); s != "14.64645 12.4494825 2.1969675 0.0258825" {
			t.Errorf("on demand: %s", s)
		}
		if n := len(got.Lines[0].Offers); n != 2 {
			t.Errorf("%d offers, want the commercial and the partner's", n)
		}
		six, err := o.RateOnDemand(t.Context(), call, project, 0, []catalog.Wanted{vm("a", "1.5")})
		if err != nil || six.Amount.String() != "0.025882" || six.Official.String() != "0.03045" || six.Discount.String() != "0.004568" {
			t.Errorf("cut at 6: %v %v %v, %v", six.Official, six.Amount, six.Discount, err)
		}
		term, err := o.RateByTerm(t.Context(), call, project, []catalog.Wanted{vm("a", "0")})
		if err != nil || len(term.Offers) != 2 || term.Best != 0 || term.Offers[0].Discount.Kind != rating.Commercial {
			t.Fatalf("by term: %+v, %v", term, err)
		}
		// 9.74 × 0.85 = 8.279, cut to cents
		if o := term.Offers[0].Quote; o.Amount.String() != "8.27" || o.Discount.String() != "1.47" || o.Official.String() != "9.74" {
			t.Errorf("best offer: %v %v %v", o.Official, o.Amount, o.Discount)
		}
		other, err := o.RateByTerm(t.Context(), o.by("blue-harbour", now), o.project("blue-harbour"), []catalog.Wanted{vm("a", "0")})
		if err != nil || len(other.Offers) != 0 || other.Best != -1 {
			t.Errorf("another customer's offers: %+v, %v", other.Offers, err)
		}
		hidden := *call
		hidden.Caller.Owner = false
		list, err := o.RateOnDemand(t.Context(), &hidden, project, 0, []catalog.Wanted{vm("a", "1")})
		if err != nil || list.Discount != 0 || len(list.Lines[0].Offers) != 0 {
			t.Errorf("discounts shown to a user who may not see them: %+v, %v", list, err)
		}
	})
}

// The c7 family is dearer from 2027 on; the question's instant decides.
func TestPriceByDate(t *testing.T) {
	furnished.Each(t, func(t *testing.T, d *db.DB) {
		o := open(t, d)
		c7 := with(vm("1", "1"), func(w *catalog.Wanted) { w.Spec = "c7.large.2.linux" })
		price := func(at time.Time) string {
			got, err := o.RateOnDemand(t.Context(), o.by("blue-harbour", at), o.project("blue-harbour"), 0, []catalog.Wanted{c7})
			if err != nil {
				t.Fatal(err)
			}
			return got.Official.String()
		}
		newYear := time.Date(2026, 12, 31, 16, 0, 0, 0, time.UTC)
		before, after := price(newYear.Add(-time.Second)), price(newYear)
		if before == after || before != price(now) {
			t.Errorf("before %s, after %s, today %s", before, after, price(now))
		}
	})
}

func TestDiscountsAreGrantedAndEnd(t *testing.T) {
	furnished.Each(t, func(t *testing.T, d *db.DB) {
		o := open(t, d)
		ctx := t.Context()
		customer := o.by("blue-harbour", now)
		grant := discount.Grant{Customer: customer.Caller.DomainID, Name: "x", Kind: 605, Value: mustDecimal("0.5")}
		if _, err := o.GrantDiscount(ctx, customer, grant); code(err) != "CBC.0151" {
			t.Errorf("a customer grants itself a discount: %v", err)
		}
		if _, err := o.GrantDiscount(ctx, o.by("demo-partner", now), grant); code(err) != "CBC.0151" {
			t.Errorf("a partner grants a commercial discount: %v", err)
		}
		nobody := grant
		nobody.Customer = "nobody"
		if _, err := o.GrantDiscount(ctx, o.by("purser-operator", now), nobody); code(err) != "PURSER.0104" {
			t.Errorf("for nobody: %v", err)
		}
		operator := o.by("purser-operator", now)
		operator.IdempotencyKey, operator.Body = "k1", []byte("body")
		first, err := o.GrantDiscount(ctx, operator, grant)
		if err != nil {
			t.Fatal(err)
		}
		again, err := o.GrantDiscount(ctx, operator, grant)
		if err != nil || again.ID != first.ID {
			t.Errorf("the same key gave another answer: %v %v, %v", first.ID, again.ID, err)
		}
		operator.Body = []byte("another")
		if _, err := o.GrantDiscount(ctx, operator, grant); code(err) != "PURSER.0110" {
			t.Errorf("the same key with another body: %v", err)
		}
		offers := func() int {
			got, err := o.RateByTerm(ctx, customer, o.project("blue-harbour"), []catalog.Wanted{vm("a", "0")})
			if err != nil {
				t.Fatal(err)
			}
			return len(got.Offers)
		}
		if total, _, err := o.ListDiscounts(ctx, customer, "", 0, 10); err != nil || total != 1 || offers() != 1 {
			t.Errorf("granted: %d listed, %d offered, %v", total, offers(), err)
		}
		if _, _, err := o.ListDiscounts(ctx, customer, o.by("cedar-labs", now).Caller.DomainID, 0, 10); code(err) != "PURSER.0104" {
			t.Errorf("another customer's discounts: %v", err)
		}
		late := o.by("purser-operator", now.Add(25*time.Hour))
		late.IdempotencyKey, late.Body = "k2", []byte("body")
		if _, err := o.GrantDiscount(ctx, late, grant); err != nil {
			t.Fatal(err)
		}
		var answers int
		err = d.View(ctx, dbtest.At(now), func(v *db.View) error {
			return v.QueryRow(ctx, `SELECT count(*) FROM once_answer`).Scan(&answers)
		})
		if err != nil || answers != 1 {
			t.Errorf("%d answers kept a day later, want the new one only (%v)", answers, err)
		}
		operator.IdempotencyKey = ""
		if err := o.WithdrawDiscount(ctx, operator, grant.Customer, first.ID); err != nil {
			t.Fatal(err)
		}
		if offers() != 0 { // the later grant is not in force yet
			t.Error("a discount outlived its withdrawal")
		}
		if err := o.WithdrawDiscount(ctx, operator, grant.Customer, first.ID); code(err) != "PURSER.0105" {
			t.Errorf("withdrawn twice: %v", err)
		}
	})
}

func mustDecimal(text string) money.Decimal {
	d, err := money.ParseDecimal(text)
	if err != nil {
		panic(err)
	}
	return d
}

func TestOnlyTheOperatorChangesTheCatalogue(t *testing.T) {
	furnished.Each(t, func(t *testing.T, d *db.DB) {
		o := open(t, d)
		read := func() (*catalog.Content, error) { return catalog.Read(cloud.Files) }
		for _, who := range []string{"blue-harbour", "demo-partner"} {
			if _, err := o.ImportCatalogue(t.Context(), o.by(who, now), read, false, false); code(err) != "CBC.0151" {
				t.Errorf("%s imports: %v", who, err)
			}
			if _, _, err := o.ExportCatalogue(t.Context(), o.by(who, now)); code(err) != "CBC.0151" {
				t.Errorf("%s exports: %v", who, err)
			}
		}
		version, _, err := o.ExportCatalogue(t.Context(), o.by("purser-operator", now))
		if err != nil {
			t.Fatal(err)
		}
		for _, dry := range []bool{true, false} {
			if _, err := o.ImportCatalogueMadeFrom(t.Context(), o.by("purser-operator", now), new(version-1), read, dry, false); code(err) != "PURSER.0202" {
				t.Errorf("made from an older version: %v", err)
			}
		}
		changes, err := o.ImportCatalogueMadeFrom(t.Context(), o.by("purser-operator", now), &version, read, true, false)
		if err != nil || !changes.Nothing() {
			t.Errorf("the operator: %+v, %v", changes, err)
		}
	})
}

// A lost demo.json: the accounts stay, their old keys and passwords end, and what waits for the operator, so that no page is empty, is
// there once.
func TestDemoAgain(t *testing.T) {
	d := furnished.SQLite(t)
	o := open(t, d)
	content, err := catalog.Read(cloud.Files)
	if err != nil {
		t.Fatal(err)
	}
	// Another node does not take the sign-ins away from who has them.
	if _, err := o.SetUpDemo(context.Background(), content, false, func(string) {}); !errors.Is(err, operation.ErrDemoThere) {
		t.Errorf("furnished by a second node: %v", err)
	}
	if keys, err := o.AccountKeys(context.Background(), operation.LocalOperator("x", now), o.accounts[0].Domain.Name); err != nil || !slices.ContainsFunc(keys, func(k identity.Key) bool { return k.Access == o.accounts[0].Key.Access }) {
		t.Errorf("%v, keys of the first account: %+v", err, keys)
	}
	again, err := o.SetUpDemo(context.Background(), content, true, func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	for i := range again {
		if again[i].Domain.ID != o.accounts[i].Domain.ID || again[i].Key.Access == o.accounts[i].Key.Access {
			t.Errorf("account %s: %s, key %s", again[i].Domain.Name, again[i].Domain.ID, again[i].Key.Access)
		}
		keys, err := o.AccountKeys(context.Background(), operation.LocalOperator("x", now), again[i].Domain.Name)
		want := 1
		if again[i].Staff != nil {
			want++
		}
		if err != nil || len(keys) != want {
			t.Errorf("%s has %d keys, %v", again[i].Domain.Name, len(keys), err)
		}
	}
	ctx, boss := t.Context(), o.by("purser-operator", now)
	waiting, err := o.Waiting(ctx, boss, 0, 10)
	if err != nil || waiting.Total != 2 || waiting.Orders[0].Status != order.Confirming || waiting.Orders[1].Status != order.Approving {
		t.Errorf("orders that wait: %+v, %v", waiting, err)
	}
	if total, aside, err := o.Quarantine(ctx, boss, "", usage.Kept, 0, 10); err != nil || total != 2 {
		t.Errorf("usage kept aside: %+v, %v", aside, err)
	}
	if hooks, err := o.Webhooks(ctx, boss); err != nil || len(hooks) != 1 || hooks[0].Active {
		t.Errorf("webhooks: %+v, %v", hooks, err)
	}
	if total, jobs, err := o.Jobs(ctx, boss, 0, 100); err != nil || total < 11 || jobs[0].Kind != job.Close || jobs[0].Count != 3 || jobs[0].State != job.Done {
		t.Errorf("long work: %+v, %v", jobs, err)
	}
	if _, err := o.Accounts(context.Background(), o.by("blue-harbour", now)); err == nil || !strings.Contains(err.Error(), "operator") {
		t.Errorf("a customer lists all accounts: %v", err)
	}
}

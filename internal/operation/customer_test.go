package operation_test

import (
	"testing"
	"time"

	"github.com/purser-cloud/purser/internal/account"
	"github.com/purser-cloud/purser/internal/clock"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/identity"
	"github.com/purser-cloud/purser/internal/operation"
)

// The operator creates customers on any terms, a partner its own on the house's, a customer none.
func TestCreateCustomer(t *testing.T) {
	furnished.Each(t, func(t *testing.T, d *db.DB) {
		o := open(t, d)
		ctx := t.Context()
		operator, partner, alice := o.by("purser-operator", now), o.by("demo-partner", now), o.by("alpine-robotics", now)
		firm := account.Customer{Kind: account.Enterprise, Verified: true, Country: "DE", TaxID: "DE1", InvoiceMethod: account.ByOrder, Tier: "V1"}
		credit := firm
		credit.Settlement, credit.CreditLimit, credit.Quota = account.Monthly, 100*dollar, 200*dollar
		bad := firm
		bad.Country = "Germany"
		for _, k := range []struct {
			what string
			by   *operation.Call
			in   operation.NewCustomer
			want string
		}{
			{"a customer", alice, operation.NewCustomer{Account: "x", User: "x"}, "CBC.0151"},
			{"credit by a partner", partner, operation.NewCustomer{Account: "x", User: "x", Record: credit}, "CBC.0151"},
			{"another's by a partner", partner, operation.NewCustomer{Account: "x", User: "x", Partner: "purser-operator"}, "CBC.0151"},
			{"nobody's by a partner", partner, operation.NewCustomer{Account: "x", User: "x", Partner: "nobody"}, "CBC.0151"},
			{"a member by a partner", partner, operation.NewCustomer{Account: "x", User: "x", Master: "alpine-robotics", Accounting: account.Unified}, "CBC.0151"},
			{"a short password", operator, operation.NewCustomer{Account: "x", User: "x", Password: "1234567"}, "IAM.1109"},
			{"no such partner", operator, operation.NewCustomer{Account: "x", User: "x", Partner: "nobody"}, "PURSER.0104"},
			{"a partner that is none", operator, operation.NewCustomer{Account: "x", User: "x", Partner: "alpine-robotics"}, "CBC.0100"},
			{"a name that is taken", operator, operation.NewCustomer{Account: "alpine-robotics", User: "x"}, "PURSER.0101"},
			{"no name", operator, operation.NewCustomer{User: "x"}, "CBC.0100"},
			{"no user", operator, operation.NewCustomer{Account: "x"}, "CBC.0100"},
			{"a bad country", operator, operation.NewCustomer{Account: "x", User: "x", Record: bad}, "CBC.0100"},
			{"no such master", operator, operation.NewCustomer{Account: "x", User: "x", Master: "nobody", Accounting: account.Unified}, "PURSER.0104"},
			{"a master without accounting", operator, operation.NewCustomer{Account: "x", User: "x", Master: "alpine-robotics"}, "CBC.0100"},
		} {
			if _, err := o.CreateCustomer(ctx, k.by, k.in); code(err) != k.want {
				t.Errorf("%s: %v, want %s", k.what, err, k.want)
			}
		}
		count := func() int {
			total, _, err := o.Customers(ctx, operator, operation.WantedCustomers{}, 0, 1)
			if err != nil {
				t.Fatal(err)
			}
			return total
		}
		before := count()
		dry := *operator
		dry.DryRun = true
		if _, err := o.CreateCustomer(ctx, &dry, operation.NewCustomer{Account: "acme", User: "anna", Record: credit}); err != nil || count() != before {
			t.Errorf("a dry run: %v, %d customers of %d", err, count(), before)
		}
		// Found by a part of the name, by ids, and by both.
		names := func(w operation.WantedCustomers, offset, limit int) (total int, out string) {
			total, page, err := o.Customers(ctx, operator, w, offset, limit)
			for i := range page {
				out += page[i].Relations.Account + " "
			}
			if err != nil {
				t.Error(err)
			}
			return total, out
		}
		var ids []string
		_, all, err := o.Customers(ctx, operator, operation.WantedCustomers{}, 0, 100)
		if err != nil {
			t.Fatal(err)
		}
		for i := range all {
			ids = append(ids, all[i].ID)
		}
		for _, k := range []struct {
			w     operation.WantedCustomers
			total int
			want  string
		}{
			{operation.WantedCustomers{Name: "INE-rob"}, 1, "alpine-robotics "},
			{operation.WantedCustomers{Name: "operator"}, 0, ""},
			{operation.WantedCustomers{Name: "%"}, 0, ""},
			{operation.WantedCustomers{IDs: append(ids[:1:1], ids[0], "nobody")}, 1, all[0].Relations.Account + " "},
			{operation.WantedCustomers{IDs: ids, Name: "alpine"}, 1, "alpine-robotics "},
			{operation.WantedCustomers{IDs: ids, Standing: account.Frozen}, 0, ""},
			{operation.WantedCustomers{IDs: ids}, len(ids), all[0].Relations.Account + " "},
		} {
			if total, got := names(k.w, 0, 1); total != k.total || got != k.want {
				t.Errorf("%+v: %d, %q, want %d, %q", k.w, total, got, k.total, k.want)
			}
		}
		if total, got := names(operation.WantedCustomers{IDs: ids}, len(ids)+5, 10); total != len(ids) || got != "" {
			t.Errorf("behind the last: %d, %q", total, got)
		}
		if _, _, err := o.Customers(ctx, operator, operation.WantedCustomers{IDs: make([]string, 101)}, 0, 1); code(err) != "CBC.0100" {
			t.Errorf("101 ids: %v", err)
		}
		operator.IdempotencyKey, operator.Body = "k", []byte("b")
		in := operation.NewCustomer{Account: "acme", User: "anna", Partner: "demo-partner", Master: "alpine-robotics", Accounting: account.Unified, Record: credit}
		made, err := o.CreateCustomer(ctx, operator, in)
		if err != nil {
			t.Fatal(err)
		}
		want := credit
		want.ID, want.No, want.Standing, want.Opened, want.Changed, want.RenewAhead = made.ID, made.No, account.Active, now, now, 7
		if of := made.Relations; made.Customer.Customer != want || of.Account != "acme" || of.Partner != partner.Caller.DomainID || of.Master.Master != alice.Caller.DomainID || of.Master.Accounting != account.Unified {
			t.Errorf("created %+v", made)
		}
		sign := identity.SignIn{DomainName: "acme", UserName: "anna", Password: made.Password}
		if _, err := o.IssueToken(ctx, &operation.Call{Real: now, Source: "a"}, &sign); err != nil {
			t.Errorf("the password that was made: %v", err)
		}
		again, err := o.CreateCustomer(ctx, operator, in)
		if err != nil || again.ID != made.ID || again.UserID != made.UserID || again.Relations.Master.Master != made.Relations.Master.Master || again.Password != "" || count() != before+1 {
			t.Errorf("again with its key: %+v, %v", again, err)
		}
		operator.Body = []byte("c")
		if _, err := o.CreateCustomer(ctx, operator, in); code(err) != "PURSER.0110" {
			t.Errorf("its key with another body: %v", err)
		}
		own, err := o.CreateCustomer(ctx, partner, operation.NewCustomer{Account: "brook", User: "bea", Password: "correct horse", Record: firm})
		if err != nil || own.Relations.Partner != partner.Caller.DomainID || own.Password != "" || own.Settlement != account.Prepaid || own.InvoiceMethod != account.ByOrder {
			t.Errorf("by a partner: %+v, %v", own, err)
		}
	})
}

// A relation lies on the member's clock; the master, its partner and the operator see its members.
func TestJoinMaster(t *testing.T) {
	furnished.Each(t, func(t *testing.T, d *db.DB) {
		o := open(t, d)
		o.Clocks = &clock.Wall{}
		ctx := t.Context()
		operator, partner, alice, bob := o.by("purser-operator", now), o.by("demo-partner", now), o.by("alpine-robotics", now), o.by("blue-harbour", now)
		master, member := alice.Caller.DomainID, bob.Caller.DomainID
		later := now.AddDate(1, 0, 0)
		if _, err := o.MoveClock(ctx, operator, member, later); err != nil {
			t.Fatal(err)
		}
		if _, err := o.JoinMaster(ctx, partner, member, master, account.Unified, time.Time{}); code(err) != "CBC.0151" {
			t.Errorf("a partner joins them: %v", err)
		}
		r, err := o.JoinMaster(ctx, operator, member, master, account.Unified, time.Time{})
		if err != nil || !r.Since.Equal(later) {
			t.Fatalf("joined %+v, %v", r, err)
		}
		payer := func(at time.Time) (id string) {
			err := d.View(ctx, db.Instants{Now: at, Real: now}, func(v *db.View) (err error) { id, err = account.PayerOf(ctx, v, member); return err })
			if err != nil {
				t.Fatal(err)
			}
			return id
		}
		if payer(now) != member || payer(later) != master {
			t.Errorf("pays now %s, later %s", payer(now), payer(later))
		}
		for name, by := range map[string]*operation.Call{"operator": operator, "partner": partner, "master": alice} {
			if total, page, err := o.Members(ctx, by, master, 0, 10); err != nil || total != 1 || page[0].Member != member || page[0].Accounting != account.Unified {
				t.Errorf("%s: %d members, %+v, %v", name, total, page, err)
			}
		}
		if _, _, err := o.Members(ctx, bob, master, 0, 10); code(err) != "PURSER.0104" {
			t.Errorf("the members, by one of them: %v", err)
		}
		if b, err := o.Customer(ctx, operator, member); err != nil || b.Relations.Master.Master != master {
			t.Errorf("shown: %+v, %v", b.Relations, err)
		}
		if err := o.LeaveMaster(ctx, alice, member); code(err) != "CBC.0151" {
			t.Errorf("the master lets it go: %v", err)
		}
		for _, want := range []string{"", "PURSER.0108"} {
			if err := o.LeaveMaster(ctx, operator, member); code(err) != want {
				t.Errorf("leaves: %v, want %q", err, want)
			}
		}
		freeze := func(x *account.Customer) { x.Standing = account.Frozen }
		if _, err := o.RewriteCustomer(ctx, alice, member, freeze, "", "", time.Time{}); code(err) != "CBC.0151" {
			t.Errorf("rewritten by a customer: %v", err)
		}
		if _, err := o.RewriteCustomer(ctx, operator, member, freeze, "nobody", account.Unified, time.Time{}); code(err) != "PURSER.0104" {
			t.Errorf("rewritten with no such master: %v", err)
		}
		if b, err := o.Customer(ctx, operator, member); err != nil || b.Customer.Standing != account.Active {
			t.Errorf("a refused row was kept: %+v, %v", b.Customer, err)
		}
		if x, err := o.RewriteCustomer(ctx, operator, member, freeze, "alpine-robotics", account.Independent, time.Time{}); err != nil || x.Standing != account.Frozen || x.Relations.Master.Master != master || !x.Relations.Master.Since.Equal(later) {
			t.Errorf("rewritten: %+v, %v", x, err)
		}
		if err := o.LeaveMaster(ctx, operator, "nobody"); code(err) != "PURSER.0104" {
			t.Errorf("nobody leaves: %v", err)
		}
	})
}

// Of the same creation several times at once one is done, and only who did it is told the password that signs in.
func TestCreateCustomerAtOnce(t *testing.T) {
	furnished.Each(t, func(t *testing.T, d *db.DB) {
		o := open(t, d)
		ctx := t.Context()
		type answer struct {
			operation.CreatedCustomer
			err error
		}
		answers := make(chan answer)
		const calls = 4
		for range calls {
			go func() {
				call := o.by("purser-operator", now)
				call.IdempotencyKey, call.Body = "k", []byte("b")
				made, err := o.CreateCustomer(ctx, call, operation.NewCustomer{Account: "acme", User: "anna"})
				answers <- answer{made, err}
			}()
		}
		ids, told := map[string]bool{}, 0
		for range calls {
			a := <-answers
			if a.err != nil {
				t.Error(a.err)
				continue
			}
			ids[a.ID] = true
			if a.Password == "" {
				continue
			}
			told++
			sign := identity.SignIn{DomainName: "acme", UserName: "anna", Password: a.Password}
			if _, err := o.IssueToken(ctx, &operation.Call{Real: now, Source: "a"}, &sign); err != nil {
				t.Errorf("the password that was told: %v", err)
			}
		}
		if len(ids) != 1 || told != 1 {
			t.Errorf("%d customers, the password told %d times", len(ids), told)
		}
	})
}

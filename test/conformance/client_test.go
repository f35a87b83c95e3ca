package conformance

import (
	"net/http"
	"strings"
	"testing"
	"time"

	bssmodel "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/bssintl/v2/model"

	"github.com/purser-cloud/purser/client"
	"github.com/purser-cloud/purser/client/bss"
	"github.com/purser-cloud/purser/client/purser"
)

// The generated client of our own, as the example to copy: the operator changes what is sold, a customer sees it.
func TestOwnClient(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		of := func(c credentials) *client.Client {
			out, err := client.New(s.Endpoint, client.Credential{AccessKey: c.AccessKey, SecretKey: c.SecretKey, DomainID: c.DomainID}, nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			return out
		}
		operator, customer, ctx := of(s.Operator), of(s.Customers[1]), t.Context()

		exported, err := operator.Purser.ExportCatalogueWithResponse(ctx)
		if err != nil || exported.JSON200 == nil || len(exported.JSON200.Files) < 30 {
			t.Fatalf("export: %v", err)
		}
		files := exported.JSON200.Files
		imported := func(files []purser.CatalogueFile, dry bool) *purser.ImportCatalogueReply {
			t.Helper()
			r, err := operator.Purser.ImportCatalogueWithResponse(ctx, nil, purser.ImportCatalogueRequest{Files: files, DryRun: &dry})
			if err != nil {
				t.Fatal(err)
			}
			return r
		}
		if r := imported(files, false); r.JSON200 == nil || r.JSON200.Added+r.JSON200.Changed+r.JSON200.Removed != 0 {
			t.Errorf("what was exported changes something: %s", r.Body)
		}
		broken := append([]purser.CatalogueFile{{Name: "zzz.yaml", Text: "services:\n  - {code: x}\n"}}, files...)
		if r := imported(broken, false); r.StatusCode() != 400 || r.JSONDefault == nil || r.JSONDefault.ErrorCode != "PURSER.0201" || len(r.JSONDefault.Problems) == 0 || !strings.HasPrefix(r.JSONDefault.Problems[0], "zzz.yaml:2:5: ") {
			t.Errorf("a broken file: %s", r.Body)
		}
		renamed := append([]purser.CatalogueFile(nil), files...)
		for i := range renamed {
			renamed[i].Text = strings.ReplaceAll(renamed[i].Text, "Elastic Cloud Server", "Rubber Cloud Server")
		}
		if r := imported(renamed, true); r.JSON200 == nil || r.JSON200.Changed != 1 || !r.JSON200.DryRun {
			t.Errorf("dry run: %s", r.Body)
		}
		named := func(text string) int32 {
			r, err := customer.BSS.ListServiceTypesWithResponse(ctx, &bss.ListServiceTypesParams{ServiceTypeName: &text, XLanguage: new("en_US")})
			if err != nil || r.JSON200 == nil {
				t.Fatalf("%v %s", err, r.Body)
			}
			return r.JSON200.TotalCount
		}
		if named("rubber") != 0 {
			t.Error("a dry run kept something")
		}
		if r := imported(renamed, false); r.JSON200 == nil || r.JSON200.Changed != 1 || named("rubber") != 1 {
			t.Errorf("import: %s; found %d", r.Body, named("rubber"))
		}

		grant := purser.GrantDiscountRequest{CustomerId: s.Customers[1].DomainID, Name: "test", DiscountType: 605, Ratio: new("0.5")}
		key := purser.GrantDiscountParams{IdempotencyKey: new("one")}
		first, err := operator.Purser.GrantDiscountWithResponse(ctx, &key, grant)
		if err != nil || first.JSON201 == nil {
			t.Fatalf("%v %s", err, first.Body)
		}
		if again, err := operator.Purser.GrantDiscountWithResponse(ctx, &key, grant); err != nil || again.JSON201 == nil || again.JSON201.DiscountId != first.JSON201.DiscountId {
			t.Errorf("the same key again: %v %s", err, again.Body)
		}
		if r, err := customer.Purser.ListDiscountsWithResponse(ctx, nil); err != nil || r.JSON200 == nil || r.JSON200.TotalCount != 1 {
			t.Errorf("its discounts: %v %s", err, r.Body)
		}
		if r, err := customer.Purser.GrantDiscountWithResponse(ctx, nil, grant); err != nil || r.StatusCode() != 403 {
			t.Errorf("a customer grants: %v %s", err, r.Body)
		}
		if r, err := customer.Purser.ListProductsWithResponse(ctx, &purser.ListProductsParams{Text: new("c7.large.2.linux"), RegionCode: &s.Region}); err != nil || r.JSON200 == nil || len(r.JSON200.Products) != 1 {
			t.Errorf("products: %v %s", err, r.Body)
		} else if announced := r.JSON200.Products[0].Prices; announced[len(announced)-1].From != "2027-01-01T00:00:00+08:00" {
			t.Errorf("an announced price is not shown: %+v", announced)
		}
		// A key is for one path: the same key and body for another customer is another request.
		twice := purser.MovementRequest{Amount: "1.00"}
		for i, want := range []int{201, 422} {
			r, err := operator.Purser.TopUpCustomerWithResponse(ctx, s.Customers[2*i].DomainID, &purser.TopUpCustomerParams{IdempotencyKey: new("path")}, twice)
			if err != nil || r.StatusCode() != want {
				t.Errorf("%v %d %s, want %d", err, r.StatusCode(), r.Body, want)
			}
		}
		topUp := purser.MovementRequest{Amount: "12.34", Reference: new("b-1")}
		if r, err := operator.Purser.TopUpCustomerWithResponse(ctx, s.Customers[2].DomainID, nil, topUp); err != nil || r.JSON201 == nil {
			t.Errorf("top-up: %v %s", err, r.Body)
		}
		if r, err := operator.Purser.TopUpCustomerWithResponse(ctx, s.Customers[2].DomainID, nil, topUp); err != nil || r.StatusCode() != 409 {
			t.Errorf("the same top-up: %v %s", err, r.Body)
		}
		shown, err := operator.Purser.ShowCustomerWithResponse(ctx, s.Customers[2].DomainID)
		if err != nil || shown.JSON200 == nil || shown.JSON200.Cash != "10012.34" {
			t.Errorf("after it: %v %s", err, shown.Body)
		}
		if r, err := of(s.Customers[2]).IAM.KeystoneListAuthDomainsWithResponse(ctx); err != nil || r.JSON200 == nil || r.JSON200.Domains[0].Id != s.Customers[2].DomainID {
			t.Errorf("%v %s", err, r.Body)
		}
		if r, err := http.Get(s.Endpoint + "/docs/api/none.yaml"); err != nil || r.StatusCode != 404 {
			t.Errorf("a contract that is not there: %v", err)
		} else {
			r.Body.Close()
		}
	})
}

// The clock is turned for one customer: its discount of next year makes its price today, and nobody else's.
func TestTurnedClock(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		operator, err := client.New(s.Endpoint, client.Credential{AccessKey: s.Operator.AccessKey, SecretKey: s.Operator.SecretKey}, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		price := func(c credentials) string {
			t.Helper()
			products := server100(s, 1)
			products[0].ResourceSpec = "c7.large.2.linux"
			r, err := s.bss(t, c.AccessKey, c.SecretKey, "", c.DomainID).ListOnDemandResourceRatings(&bssmodel.ListOnDemandResourceRatingsRequest{Body: &bssmodel.RateOnDemandReq{ProjectId: c.ProjectID, ProductInfos: products}})
			if err != nil {
				t.Fatal(err)
			}
			return r.Amount.String()
		}
		turned, other := s.Customers[1], s.Customers[2]
		at := time.Now().UTC().AddDate(3, 0, 0).Truncate(time.Second)
		from, until := at.AddDate(-1, 0, 0).Format(time.RFC3339), at.AddDate(1, 0, 0).Format(time.RFC3339)
		before := price(turned)
		for _, c := range []credentials{turned, other} {
			r, err := operator.Purser.GrantDiscountWithResponse(t.Context(), nil, purser.GrantDiscountRequest{
				CustomerId: c.DomainID, Name: "next year", DiscountType: 605, Ratio: new("0.2"), ServiceTypeCode: new("hws.service.type.ec2"), EffectiveTime: &from, ExpireTime: &until,
			})
			if err != nil || r.JSON201 == nil {
				t.Fatalf("%v, %s", err, r.Body)
			}
		}
		move := func(customer, to string) int {
			r, err := operator.Purser.MoveClockWithResponse(t.Context(), purser.MoveClockRequest{CustomerId: &customer, Time: to})
			if err != nil {
				t.Fatal(err)
			}
			return r.StatusCode()
		}
		if status := move(turned.DomainID, at.Format(time.RFC3339)); status != 200 {
			t.Fatalf("turning the clock: %d", status)
		}
		if price(turned) == before || price(other) != before {
			t.Errorf("was %s; turned %s, other %s", before, price(turned), price(other))
		}
		if status := move(turned.DomainID, at.AddDate(0, 0, -1).Format(time.RFC3339)); status != 400 {
			t.Errorf("turned back: %d", status)
		}
		if status := move("nobody", at.Format(time.RFC3339)); status != 404 {
			t.Errorf("nobody's: %d", status)
		}
		if r, err := operator.Purser.ListClocksWithResponse(t.Context()); err != nil || r.JSON200 == nil || len(r.JSON200.Clocks) != 1 || r.JSON200.Clocks[0].Time != at.Format(time.RFC3339) {
			t.Errorf("%v %s", err, r.Body)
		}
	})
}

// A customer is created over the API and signs in; it joins a master and leaves it.
func TestCustomersOverTheAPI(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		ctx := t.Context()
		of := func(c credentials) *client.Client {
			out, err := client.New(s.Endpoint, client.Credential{AccessKey: c.AccessKey, SecretKey: c.SecretKey, DomainID: c.DomainID}, nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			return out
		}
		operator, customer := of(s.Operator), of(s.Customers[0])
		master := s.Customers[0].DomainID
		in := purser.CreateCustomerRequest{AccountName: "acme", UserName: "anna", Partner: new("demo-partner"), InvoiceMethod: new(purser.CreateCustomerRequestInvoiceMethod("order")), CreditLimit: new("12.5")}
		key := purser.CreateCustomerParams{IdempotencyKey: new("one")}
		made, err := operator.Purser.CreateCustomerWithResponse(ctx, &key, in)
		if err != nil || made.JSON201 == nil || made.JSON201.Password == nil {
			t.Fatalf("%v %s", err, made.Body)
		}
		c := made.JSON201.Customer
		if c.InvoiceMethod != "order" || c.CreditLimit != "12.5" || c.PartnerId == "" || c.MasterId != "" || c.Settlement != "prepaid" || c.Standing != "active" {
			t.Errorf("created: %s", made.Body)
		}
		if again, err := operator.Purser.CreateCustomerWithResponse(ctx, &key, in); err != nil || again.JSON201 == nil || again.JSON201.Customer.CustomerId != c.CustomerId || again.JSON201.Password != nil {
			t.Errorf("the same key again: %v %s", err, again.Body)
		}
		if r, err := operator.Purser.CreateCustomerWithResponse(ctx, nil, in); err != nil || r.StatusCode() != 409 || r.JSONDefault.ErrorCode != "PURSER.0101" {
			t.Errorf("without a key again: %v %s", err, r.Body)
		}
		if r, err := customer.Purser.CreateCustomerWithResponse(ctx, nil, in); err != nil || r.StatusCode() != 403 {
			t.Errorf("by a customer: %v %s", err, r.Body)
		}
		join := func(member, master, accounting string) (int, string) {
			r, err := operator.Purser.JoinMasterWithResponse(ctx, member, nil, purser.JoinMasterRequest{MasterId: master, Accounting: purser.JoinMasterRequestAccounting(accounting)})
			if err != nil {
				t.Fatal(err)
			}
			if r.JSONDefault != nil {
				return r.StatusCode(), r.JSONDefault.ErrorCode
			}
			return r.StatusCode(), r.JSON200.Accounting
		}
		for _, k := range []struct {
			member, master, accounting string
			status                     int
			want                       string
		}{
			{c.CustomerId, master, "shared", 400, "CBC.0100"},
			{c.CustomerId, "nobody", "unified", 404, "PURSER.0104"},
			{c.CustomerId, c.CustomerId, "unified", 409, "PURSER.0107"},
			{c.CustomerId, master, "unified", 200, "unified"},
			{master, s.Customers[1].DomainID, "unified", 409, "PURSER.0107"},
			{c.CustomerId, master, "independent", 200, "independent"},
		} {
			if status, got := join(k.member, k.master, k.accounting); status != k.status || got != k.want {
				t.Errorf("%+v: %d %s", k, status, got)
			}
		}
		if r, err := customer.Purser.ListMembersWithResponse(ctx, master, nil); err != nil || r.JSON200 == nil || r.JSON200.TotalCount != 1 || r.JSON200.Members[0].CustomerId != c.CustomerId {
			t.Errorf("its members: %v %s", err, r.Body)
		}
		if r, err := operator.Purser.ShowCustomerWithResponse(ctx, c.CustomerId); err != nil || r.JSON200 == nil || r.JSON200.Customer.MasterId != master || *r.JSON200.Customer.Accounting != "independent" || r.JSON200.Customer.MemberSince == nil {
			t.Errorf("shown: %v %s", err, r.Body)
		}
		closing := purser.ChangeCustomerRequest{Standing: new(purser.ChangeCustomerRequestStanding("closed"))}
		if r, err := operator.Purser.ChangeCustomerWithResponse(ctx, master, nil, closing); err != nil || r.StatusCode() != 409 || r.JSONDefault.ErrorCode != "PURSER.0107" {
			t.Errorf("a master is closed: %v %s", err, r.Body)
		}
		for _, want := range []int{204, 404} {
			if r, err := operator.Purser.LeaveMasterWithResponse(ctx, c.CustomerId); err != nil || r.StatusCode() != want {
				t.Errorf("leaves: %v %s, want %d", err, r.Body, want)
			}
		}
		if r, err := operator.Purser.ListCustomersWithResponse(ctx, nil); err != nil || r.JSON200 == nil || r.JSON200.TotalCount != int32(len(s.Customers)+1) {
			t.Errorf("the customers: %v %s", err, r.Body)
		}
	})
}

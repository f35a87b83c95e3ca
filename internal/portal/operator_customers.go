package portal

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/a-h/templ"

	"github.com/purser-cloud/purser/client/purser"
)

func showCustomers(v *visit) (templ.Component, error) {
	in := &purser.ListCustomersParams{Limit: new(int32(pageSize)), Offset: new(int32(v.offset()))}
	in.AccountName = v.some("name")
	if standing := v.q("standing"); standing != "" {
		in.Standing = new(purser.ListCustomersParamsStanding(standing))
	}
	list := ask(v, func(ctx context.Context) (*purser.ListCustomersReply, error) {
		return v.api.Purser.ListCustomersWithResponse(ctx, in)
	})
	if err := v.wait(); err != nil {
		return nil, err
	}
	return customersPage(v, list), nil
}

// nameAccounts asks, in one call, for the names of customers that a page shows; without them their ids are shown.
func nameAccounts[T any](v *visit, list []T, id func(*T) string, more ...string) error {
	ids := map[string]bool{}
	for i := range list {
		ids[id(&list[i])] = true
	}
	for _, one := range more {
		ids[one] = true
	}
	delete(ids, "")
	wanted := slices.Sorted(maps.Keys(ids))
	if wanted = wanted[:min(len(wanted), 100)]; len(wanted) == 0 {
		return nil
	}
	found := ask(v, func(ctx context.Context) (*purser.ListCustomersReply, error) {
		return v.api.Purser.ListCustomersWithResponse(ctx, &purser.ListCustomersParams{CustomerIds: new(strings.Join(wanted, ",")), Limit: new(int32(100))})
	})
	if err := v.wait(); err != nil || !found.ok() {
		return err
	}
	v.accounts = map[string]string{}
	for _, c := range found.reply.JSON200.Customers {
		v.accounts[c.CustomerId] = c.AccountName
	}
	return nil
}

// addCustomer opens an account; the password that is made for its user is shown in this answer only.
func addCustomer(v *visit) outcome {
	in := purser.CreateCustomerRequest{
		AccountName: v.form("name"), UserName: v.form("user"), Country: v.someForm("country"),
		CreditLimit: v.someForm("credit"), Verified: new(v.form("verified") != ""),
	}
	if kind := v.form("kind"); kind != "" {
		in.Kind = new(purser.CreateCustomerRequestKind(kind))
	}
	if settlement := v.form("settlement"); settlement != "" {
		in.Settlement = new(purser.CreateCustomerRequestSettlement(settlement))
	}
	got, bad := do(v, func(ctx context.Context) (*purser.CreateCustomerReply, error) {
		return v.api.Purser.CreateCustomerWithResponse(ctx, &purser.CreateCustomerParams{IdempotencyKey: &v.key}, in)
	})
	if bad != nil {
		return v.refusal("", bad)
	}
	return outcome{good: true, text: v.t("customers.added", got.JSON201.Customer.AccountName), body: addedPage(v, got.JSON201)}
}

// customerView is what the operator sees of one customer.
type customerView struct {
	one     *asked[*purser.ShowCustomerReply]
	entries *asked[*purser.ListLedgerEntriesReply]
	topups  *asked[*purser.ListTopUpsReply]
	granted *asked[*purser.ListDiscountsReply]
}

func showCustomer(v *visit) (templ.Component, error) {
	id, c := v.q("id"), &customerView{}
	c.one = ask(v, func(ctx context.Context) (*purser.ShowCustomerReply, error) {
		return v.api.Purser.ShowCustomerWithResponse(ctx, id)
	})
	c.entries = ask(v, func(ctx context.Context) (*purser.ListLedgerEntriesReply, error) {
		return v.api.Purser.ListLedgerEntriesWithResponse(ctx, id, &purser.ListLedgerEntriesParams{Limit: new(int32(pageSize)), Offset: new(int32(v.offset()))})
	})
	c.topups = ask(v, func(ctx context.Context) (*purser.ListTopUpsReply, error) {
		return v.api.Purser.ListTopUpsWithResponse(ctx, &purser.ListTopUpsParams{CustomerId: &id, Limit: new(int32(5))})
	})
	c.granted = ask(v, func(ctx context.Context) (*purser.ListDiscountsReply, error) {
		return v.api.Purser.ListDiscountsWithResponse(ctx, &purser.ListDiscountsParams{CustomerId: &id, Limit: new(int32(10))})
	})
	if err := v.wait(); err != nil {
		return nil, err
	}
	if c.one.bad != nil {
		return nil, c.one.bad
	}
	return customerPage(v, c), nil
}

// changeCustomer changes standing, credit and who the customer is; what a form does not hold stays.
func changeCustomer(v *visit) outcome {
	in := purser.ChangeCustomerRequest{CreditLimit: v.someForm("credit"), Quota: v.someForm("quota"), Tier: v.someForm("tier")}
	if standing := v.form("standing"); standing != "" {
		in.Standing = new(purser.ChangeCustomerRequestStanding(standing))
	}
	if settlement := v.form("settlement"); settlement != "" {
		in.Settlement = new(purser.ChangeCustomerRequestSettlement(settlement))
	}
	if verified := v.form("verified"); verified != "" {
		in.Verified = new(verified == "yes")
	}
	got, bad := do(v, func(ctx context.Context) (*purser.ChangeCustomerReply, error) {
		return v.api.Purser.ChangeCustomerWithResponse(ctx, v.form("id"), &purser.ChangeCustomerParams{IdempotencyKey: &v.key}, in)
	})
	if bad != nil {
		return v.refusal("", bad)
	}
	return done("", v.t("customers.changed", got.JSON200.AccountName))
}

// moveMoney books what the operator moves: a top-up, what goes back, a bonus, or a correction.
func moveMoney(v *visit) outcome {
	id := v.form("id")
	in := purser.MovementRequest{Amount: v.form("amount"), Reference: v.someForm("reference"), Note: v.someForm("note")}
	var booked *purser.LedgerEntry
	var bad *problem
	if v.form("resource_type") != "" && v.form("movement") != "adjustment" { // only what is adjusted stands on a bill
		return refused("", v.t("customers.on_bill_only"))
	}
	switch v.form("movement") {
	case "topup":
		var got *purser.TopUpCustomerReply
		if got, bad = do(v, func(ctx context.Context) (*purser.TopUpCustomerReply, error) {
			return v.api.Purser.TopUpCustomerWithResponse(ctx, id, &purser.TopUpCustomerParams{IdempotencyKey: &v.key}, in)
		}); bad == nil {
			booked = got.JSON201
		}
	case "withdrawal":
		var got *purser.WithdrawFromCustomerReply
		if got, bad = do(v, func(ctx context.Context) (*purser.WithdrawFromCustomerReply, error) {
			return v.api.Purser.WithdrawFromCustomerWithResponse(ctx, id, &purser.WithdrawFromCustomerParams{IdempotencyKey: &v.key}, in)
		}); bad == nil {
			booked = got.JSON201
		}
	case "bonus":
		var got *purser.GrantBonusReply
		if got, bad = do(v, func(ctx context.Context) (*purser.GrantBonusReply, error) {
			return v.api.Purser.GrantBonusWithResponse(ctx, id, &purser.GrantBonusParams{IdempotencyKey: &v.key}, in)
		}); bad == nil {
			booked = got.JSON201
		}
	case "adjustment":
		var got *purser.AdjustBalanceReply
		if got, bad = do(v, func(ctx context.Context) (*purser.AdjustBalanceReply, error) {
			return v.api.Purser.AdjustBalanceWithResponse(ctx, id, &purser.AdjustBalanceParams{IdempotencyKey: &v.key}, purser.AdjustmentRequest{
				Amount: in.Amount, Reference: in.Reference, Note: in.Note, ResourceTypeCode: v.someForm("resource_type"),
			})
		}); bad == nil {
			booked = got.JSON201
		}
	default:
		return refused("", v.t("trouble.form"))
	}
	if bad != nil {
		return v.refusal("", bad)
	}
	return done("", v.t("customers.booked", booked.EntryId))
}

// releaseBooks lets the books of a customer, parked after something did not add up, take money again.
func releaseBooks(v *visit) outcome {
	if _, bad := do(v, func(ctx context.Context) (*purser.ReleaseBooksReply, error) {
		return v.api.Purser.ReleaseBooksWithResponse(ctx, v.form("id"))
	}); bad != nil {
		return v.refusal("", bad)
	}
	return done("", v.t("customers.released"))
}

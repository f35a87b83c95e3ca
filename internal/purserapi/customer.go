package purserapi

import (
	"context"
	"strings"

	"github.com/purser-cloud/purser/internal/account"
	"github.com/purser-cloud/purser/internal/contract"
	"github.com/purser-cloud/purser/internal/doorway"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/identity"
	"github.com/purser-cloud/purser/internal/ledger"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/operation"
)

// ListCustomers pages through all customers.
func (d *Door) ListCustomers(ctx context.Context, r ListCustomersRequestObject) (ListCustomersResponseObject, error) {
	wanted := operation.WantedCustomers{Name: contract.Text(r.Params.AccountName)}
	if r.Params.Standing != nil {
		wanted.Standing = string(*r.Params.Standing)
	}
	if ids := contract.Text(r.Params.CustomerIds); ids != "" {
		wanted.IDs = strings.Split(ids, ",")
	}
	total, page, err := d.counter.Customers(ctx, doorway.CallOf(ctx), wanted, contract.Int(r.Params.Offset, 0), contract.Int(r.Params.Limit, 10))
	if err != nil {
		return nil, err
	}
	out := ListCustomers200JSONResponse{TotalCount: contract.Int32(total), Customers: []Customer{}}
	for i := range page {
		out.Customers = append(out.Customers, customerOf(&page[i].Customer, &page[i].Relations))
	}
	return out, nil
}

// CreateCustomer creates a customer with its account and owner.
func (d *Door) CreateCustomer(ctx context.Context, r CreateCustomerRequestObject) (CreateCustomerResponseObject, error) {
	in := r.Body
	limit, err := amount("credit_limit", in.CreditLimit)
	if err != nil {
		return nil, err
	}
	quota, err := amount("quota", in.Quota)
	if err != nil {
		return nil, err
	}
	alert, err := amount("alert_below", in.AlertBelow)
	if err != nil {
		return nil, err
	}
	wanted := operation.NewCustomer{
		Account: in.AccountName, User: in.UserName, Password: identity.Secret(contract.Text(in.Password)),
		Partner: contract.Text(in.Partner), Master: contract.Text(in.Master),
	}
	set(&wanted.Accounting, in.Accounting)
	c := &wanted.Record
	set(&c.Kind, in.Kind)
	set(&c.Country, in.Country)
	set(&c.TaxID, in.TaxId)
	set(&c.InvoiceMethod, in.InvoiceMethod)
	set(&c.Settlement, in.Settlement)
	set(&c.Tier, in.Tier)
	c.Verified = in.Verified != nil && *in.Verified
	c.Resold = in.Resold != nil && *in.Resold
	if limit != nil {
		c.CreditLimit = *limit
	}
	if quota != nil {
		c.Quota = *quota
	}
	if alert != nil {
		c.AlertBelow = *alert
	}
	made, err := d.counter.CreateCustomer(ctx, doorway.CallOf(ctx), wanted)
	if err != nil {
		return nil, err
	}
	out := CreateCustomer201JSONResponse{Customer: customerOf(&made.Customer.Customer, &made.Relations), UserId: made.UserID, UserName: made.User}
	if made.Password != "" {
		out.Password = new(made.Password.Reveal())
	}
	return out, nil
}

// JoinMaster makes a customer a master's member.
func (d *Door) JoinMaster(ctx context.Context, r JoinMasterRequestObject) (JoinMasterResponseObject, error) {
	since, err := instant("since", r.Body.Since)
	if err != nil {
		return nil, err
	}
	joined, err := d.counter.JoinMaster(ctx, doorway.CallOf(ctx), r.CustomerId, r.Body.MasterId, string(r.Body.Accounting), since)
	return JoinMaster200JSONResponse(memberOf(&joined)), err
}

// LeaveMaster ends a customer's relation to its master.
func (d *Door) LeaveMaster(ctx context.Context, r LeaveMasterRequestObject) (LeaveMasterResponseObject, error) {
	if err := d.counter.LeaveMaster(ctx, doorway.CallOf(ctx), r.CustomerId); err != nil {
		return nil, err
	}
	return LeaveMaster204Response{}, nil
}

// ListMembers pages through the members of a master.
func (d *Door) ListMembers(ctx context.Context, r ListMembersRequestObject) (ListMembersResponseObject, error) {
	total, page, err := d.counter.Members(ctx, doorway.CallOf(ctx), r.CustomerId, contract.Int(r.Params.Offset, 0), contract.Int(r.Params.Limit, 10))
	if err != nil {
		return nil, err
	}
	out := ListMembers200JSONResponse{TotalCount: contract.Int32(total), Members: []Member{}}
	for i := range page {
		out.Members = append(out.Members, memberOf(&page[i]))
	}
	return out, nil
}

func memberOf(r *account.Relation) Member {
	return Member{CustomerId: r.Member, MasterId: r.Master, Accounting: r.Accounting, MemberSince: r.Since.UTC().Format(stampForm)}
}

// ShowCustomer shows a customer with its balances.
func (d *Door) ShowCustomer(ctx context.Context, r ShowCustomerRequestObject) (ShowCustomerResponseObject, error) {
	b, err := d.counter.Customer(ctx, doorway.CallOf(ctx), r.CustomerId)
	if err != nil {
		return nil, err
	}
	return ShowCustomer200JSONResponse{
		Customer: customerOf(&b.Customer, &b.Relations), Cash: b.Cash.String(), Bonus: b.Bonus.String(), Deposit: b.Deposit.String(),
		CreditUsed: b.Credit.String(), Debt: b.Debt.String(), Currency: b.Currency.Code(),
	}, nil
}

// ChangeCustomer changes a customer.
func (d *Door) ChangeCustomer(ctx context.Context, r ChangeCustomerRequestObject) (ChangeCustomerResponseObject, error) {
	in := r.Body
	limit, err := amount("credit_limit", in.CreditLimit)
	if err != nil {
		return nil, err
	}
	quota, err := amount("quota", in.Quota)
	if err != nil {
		return nil, err
	}
	alert, err := amount("alert_below", in.AlertBelow)
	if err != nil {
		return nil, err
	}
	c, err := d.counter.ChangeCustomer(ctx, doorway.CallOf(ctx), r.CustomerId, func(c *account.Customer) {
		set(&c.Kind, in.Kind)
		set(&c.InvoiceMethod, in.InvoiceMethod)
		set(&c.Settlement, in.Settlement)
		set(&c.Standing, in.Standing)
		set(&c.Country, in.Country)
		set(&c.TaxID, in.TaxId)
		set(&c.Tier, in.Tier)
		if in.Verified != nil {
			c.Verified = *in.Verified
		}
		if in.Resold != nil {
			c.Resold = *in.Resold
		}
		if limit != nil {
			c.CreditLimit = *limit
		}
		if quota != nil {
			c.Quota = *quota
		}
		if alert != nil {
			c.AlertBelow = *alert
		}
	})
	if err != nil {
		return nil, err
	}
	return ChangeCustomer200JSONResponse(customerOf(&c.Customer, &c.Relations)), nil
}

func set[S ~string](field *string, value *S) {
	if value != nil {
		*field = string(*value)
	}
}

func amount(name string, given *string) (*money.Amount, error) {
	if given == nil {
		return nil, nil
	}
	a, err := money.ParseAmount(*given)
	if err != nil {
		return nil, fault.New(fault.Invalid, "CBC.0100", "%s: must be a decimal with at most %d decimals", name, money.AmountDecimals)
	}
	return &a, nil
}

func customerOf(c *account.Customer, of *operation.Relations) Customer {
	out := Customer{
		CustomerId: c.ID, AccountName: of.Account, PartnerId: of.Partner, MasterId: of.Master.Master, AccountNo: c.No,
		Kind: c.Kind, Verified: c.Verified, Country: c.Country, TaxId: c.TaxID, InvoiceMethod: c.InvoiceMethod, Resold: &c.Resold, Settlement: c.Settlement,
		Tier: c.Tier, Standing: c.Standing, CreditLimit: c.CreditLimit.String(), Quota: c.Quota.String(),
		OpenedTime: c.Opened.UTC().Format(stampForm), ChangedTime: c.Changed.UTC().Format(stampForm),
	}
	if c.AlertBelow > 0 {
		out.AlertBelow = new(c.AlertBelow.String())
	}
	if of.Master.Master != "" {
		out.Accounting, out.MemberSince = &of.Master.Accounting, new(of.Master.Since.UTC().Format(stampForm))
	}
	return out
}

// move books one movement of money.
func (d *Door) move(ctx context.Context, customer string, in *MovementRequest, book func(context.Context, *operation.Call, operation.Movement) (ledger.Entry, error)) (LedgerEntry, error) {
	a, err := amount("amount", &in.Amount)
	if err != nil {
		return LedgerEntry{}, err
	}
	e, err := book(ctx, doorway.CallOf(ctx), operation.Movement{Customer: customer, Amount: *a, Reference: contract.Text(in.Reference), Note: contract.Text(in.Note)})
	return entryOf(&e), err
}

func entryOf(e *ledger.Entry) LedgerEntry {
	out := LedgerEntry{EntryId: e.ID, Cause: e.Cause, Reference: e.Reference, Note: e.Note, BookedTime: e.Booked.UTC().Format(stampForm), Postings: []LedgerPosting{}}
	for _, p := range e.Postings {
		out.Postings = append(out.Postings, LedgerPosting{Giver: string(p.Giver), Taker: string(p.Taker), Amount: p.Amount.String()})
	}
	return out
}

// TopUpCustomer books money that came in.
func (d *Door) TopUpCustomer(ctx context.Context, r TopUpCustomerRequestObject) (TopUpCustomerResponseObject, error) {
	e, err := d.move(ctx, r.CustomerId, r.Body, d.counter.TopUp)
	return TopUpCustomer201JSONResponse(e), err
}

// WithdrawFromCustomer books money that goes back.
func (d *Door) WithdrawFromCustomer(ctx context.Context, r WithdrawFromCustomerRequestObject) (WithdrawFromCustomerResponseObject, error) {
	e, err := d.move(ctx, r.CustomerId, r.Body, d.counter.Withdraw)
	return WithdrawFromCustomer201JSONResponse(e), err
}

// GrantBonus gives a customer bonus money.
func (d *Door) GrantBonus(ctx context.Context, r GrantBonusRequestObject) (GrantBonusResponseObject, error) {
	e, err := d.move(ctx, r.CustomerId, r.Body, d.counter.Bonus)
	return GrantBonus201JSONResponse(e), err
}

// AdjustBalance corrects a balance, or the bill of the running month.
func (d *Door) AdjustBalance(ctx context.Context, r AdjustBalanceRequestObject) (AdjustBalanceResponseObject, error) {
	in := r.Body
	e, err := d.move(ctx, r.CustomerId, &MovementRequest{Amount: in.Amount, Reference: in.Reference, Note: in.Note}, func(ctx context.Context, call *operation.Call, m operation.Movement) (ledger.Entry, error) {
		m.ResourceType = contract.Text(in.ResourceTypeCode)
		return d.counter.Adjust(ctx, call, m)
	})
	return AdjustBalance201JSONResponse(e), err
}

// ListLedgerEntries pages through the movements of a customer's money.
func (d *Door) ListLedgerEntries(ctx context.Context, r ListLedgerEntriesRequestObject) (ListLedgerEntriesResponseObject, error) {
	total, page, err := d.counter.Entries(ctx, doorway.CallOf(ctx), r.CustomerId, contract.Int(r.Params.Offset, 0), contract.Int(r.Params.Limit, 10))
	if err != nil {
		return nil, err
	}
	out := ListLedgerEntries200JSONResponse{TotalCount: contract.Int32(total), Entries: []LedgerEntry{}}
	for i := range page {
		out.Entries = append(out.Entries, entryOf(&page[i]))
	}
	return out, nil
}

// ReleaseBooks lets a parked customer's money move again.
func (d *Door) ReleaseBooks(ctx context.Context, r ReleaseBooksRequestObject) (ReleaseBooksResponseObject, error) {
	if err := d.counter.ReleaseBooks(ctx, doorway.CallOf(ctx), r.CustomerId); err != nil {
		return nil, err
	}
	return ReleaseBooks204Response{}, nil
}

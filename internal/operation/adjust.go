package operation

import (
	"context"

	"github.com/purser-cloud/purser/internal/account"
	"github.com/purser-cloud/purser/internal/charge"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/ident"
	"github.com/purser-cloud/purser/internal/identity"
	"github.com/purser-cloud/purser/internal/ledger"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/payment"
	"github.com/purser-cloud/purser/internal/period"
	"github.com/purser-cloud/purser/internal/project"
	"github.com/purser-cloud/purser/internal/rating"
)

// Adjust corrects a customer's cash, up or down, against the house's account of adjustments; or, where a resource type is named, the
// bill of its running month.
func (c *Counter) Adjust(ctx context.Context, call *Call, m Movement) (ledger.Entry, error) {
	if m.ResourceType != "" {
		return c.adjustBill(ctx, call, m)
	}
	signed := m.Amount
	if m.Amount < 0 {
		m.Amount = -m.Amount
	}
	return c.move(ctx, call, adjustmentCause, m, func(*account.Customer, ledger.Balances) ([]ledger.Posting, error) {
		if signed < 0 {
			return []ledger.Posting{{Giver: ledger.Cash, Taker: ledger.Adjustment, Amount: m.Amount}}, nil
		}
		return []ledger.Posting{{Giver: ledger.Adjustment, Taker: ledger.Cash, Amount: m.Amount}}, nil
	})
}

// adjustmentCause is what the ledger calls both.
const adjustmentCause = "adjustment"

// adjustBill puts an adjustment on the bill of a customer's running month: a compensation (bill type 9) of an amount above zero, a
// deduction (16) of one below. Who pays for the customer bears it, as it bears usage, but for coupons: what is given back lowers what
// is owed, then the credit used, and the rest is cash; what nothing is left for is owed. Tax on it comes with the close of the
// month (101, 102).
func (c *Counter) adjustBill(ctx context.Context, call *Call, m Movement) (ledger.Entry, error) {
	call.Of(m.Customer)
	return write(ctx, c, call, func(tx *db.Tx, scope identity.Scope) (e ledger.Entry, err error) {
		if err := operatorOnly(scope); err != nil {
			return e, err
		}
		if m.Reference == "" {
			m.Reference = call.RequestID
		}
		if m.Amount == 0 || money.CutMinor(m.Amount, currency) != m.Amount {
			return e, fault.New(fault.Invalid, "CBC.0100", "amount: must not be 0 and have at most %d decimals", currency.Minor())
		}
		shelf, err := c.Catalogue.At(ctx, tx)
		if err != nil {
			return e, err
		}
		of, ok := shelf.ResourceType(m.ResourceType)
		if !ok {
			return e, fault.New(fault.Invalid, "CBC.0100", "resource_type_code: there is no resource type %s", m.ResourceType)
		}
		who, err := openCustomer(ctx, tx, m.Customer)
		if err != nil {
			return e, err
		}
		payer, err := c.payer(ctx, tx, &who)
		if err != nil {
			return e, err
		}
		e = ledger.Entry{Customer: payer.ID, Cause: adjustmentCause, Reference: m.Reference, Note: m.Note}
		fee := charge.Fee{
			Customer: who.ID, Bill: charge.Compensation, Mode: charge.OnDemand, Service: of.Service, ResourceType: of.Code, Project: project.Default, Payer: payer.ID,
			Official: -m.Amount, Amount: -m.Amount, Consumed: period.Span{Start: tx.Now, End: tx.Now}, Traded: tx.Now,
		}
		if m.Amount < 0 {
			fee.Bill = charge.Deduction
		}
		if err := c.bear(ctx, tx, payer, &e, &fee); err != nil {
			return e, err
		}
		call.About(e.ID, "")
		return e, nil
	})
}

// bear meets an adjustment, posts what it comes to, and records it.
func (c *Counter) bear(ctx context.Context, tx *db.Tx, payer *account.Customer, e *ledger.Entry, fee *charge.Fee) error {
	held, err := ledger.Of(ctx, tx, payer.ID)
	if err != nil {
		return err
	}
	purse := payment.Purse{Held: held, Limit: payer.CreditLimit, Monthly: payer.Settlement == account.Monthly}
	plan := payment.MeetUsage(&purse, []payment.Due{{Official: fee.Official, Amount: fee.Amount}}, make([]rating.Kind, 1), nil)
	fee.Parts, e.Postings = plan.Parts[0], payment.UsagePostings(plan.Parts)
	if err := ledger.Post(ctx, tx, c.Random, e); err != nil {
		return err
	}
	id, err := ident.NewChargeID(c.Random, tx.Now)
	if err != nil {
		return err
	}
	fee.ID, fee.Trade = string(id), e.ID
	if err := charge.RecordAll(ctx, tx, []charge.Fee{*fee}); err != nil {
		return err
	}
	if fee.Parts.Debt > 0 {
		_, err = c.owed(ctx, tx, payer)
	} else {
		err = c.settledDebt(ctx, tx, payer.ID)
	}
	if err != nil {
		return err
	}
	return c.alert(ctx, tx, payer)
}

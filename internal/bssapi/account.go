package bssapi

import (
	"context"

	"github.com/purser-cloud/purser/internal/contract"
	"github.com/purser-cloud/purser/internal/doorway"
	"github.com/purser-cloud/purser/internal/money"
)

// Types of accounts (api.md 3.1).
const (
	typeBalance = 1
	typeCredit  = 2
	typeBonus   = 5
	typeDeposit = 7
)

// ShowCustomerAccountBalances shows the caller's balances. The amount of the credit account is the limit in all, not
// what is left of it (api.md 3.1). Balances are shown cut down to the minor unit.
func (d *Door) ShowCustomerAccountBalances(ctx context.Context, _ ShowCustomerAccountBalancesRequestObject) (ShowCustomerAccountBalancesResponseObject, error) {
	b, err := d.counter.ShowBalances(ctx, doorway.CallOf(ctx))
	if err != nil {
		return nil, err
	}
	shown := func(kind contract.Int32, amount money.Amount) AccountBalanceV3 {
		return AccountBalanceV3{
			AccountId: b.Customer.No + string('0'+rune(kind)), AccountType: kind, Amount: minor(amount, b.Currency), Currency: b.Currency.Code(), MeasureId: measureMoney,
		}
	}
	credit := shown(typeCredit, b.Customer.CreditLimit)
	credit.CreditAmount = new(minor(b.Customer.CreditLimit, b.Currency))
	balance := shown(typeBalance, b.Cash)
	balance.DesignatedAmount = new(contract.Decimal("0")) // no earmarked funds in this house
	out := ShowCustomerAccountBalances200JSONResponse{
		AccountBalances: []AccountBalanceV3{balance, credit, shown(typeBonus, b.Bonus), shown(typeDeposit, b.Deposit)},
		DebtAmount:      minor(b.Debt, b.Currency), MeasureId: measureMoney, Currency: b.Currency.Code(),
	}
	return showCustomerAccountBalancesOK{&out}, nil
}

func minor(a money.Amount, c money.Currency) contract.Decimal {
	return contract.Decimal(money.CutMinor(a, c).String())
}

// ShowCustomerExpenditureQuota shows the caller's expenditure quota of this month.
func (d *Door) ShowCustomerExpenditureQuota(ctx context.Context, _ ShowCustomerExpenditureQuotaRequestObject) (ShowCustomerExpenditureQuotaResponseObject, error) {
	q, err := d.counter.ShowQuota(ctx, doorway.CallOf(ctx))
	if err != nil {
		return nil, err
	}
	out := ShowCustomerExpenditureQuota200JSONResponse{
		GrantingAmount: minor(q.Granted, q.Currency), GrantingAmountUsed: minor(q.Used, q.Currency),
		PercentageGrantingAmountUsed: contract.Decimal(q.Share.String()), MeasureId: measureMoney, Currency: q.Currency.Code(),
	}
	return showCustomerExpenditureQuotaOK{&out}, nil
}

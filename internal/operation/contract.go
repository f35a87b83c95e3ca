package operation

import (
	"context"
	"time"

	"github.com/purser-cloud/purser/internal/account"
	"github.com/purser-cloud/purser/internal/agreement"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/identity"
)

// Contracts pages through contracts: a customer's own, or those of the customer that the operator names, or everybody's.
func (c *Counter) Contracts(ctx context.Context, call *Call, customer string, state agreement.State, offset, limit int) (total int, page []agreement.Contract, err error) {
	err = c.read(ctx, call, func(v *db.View, scope identity.Scope) error {
		if !scope.Operator {
			if customer, err = customerOf(scope, customer); err != nil {
				return err
			}
		}
		total, page, err = agreement.List(ctx, v, customer, state, offset, limit)
		return err
	})
	return total, page, err
}

// ApplyForContract keeps a customer's application for a contract, which the operator decides.
func (c *Counter) ApplyForContract(ctx context.Context, call *Call, in agreement.Contract) (agreement.Contract, error) {
	return write(ctx, c, call, func(tx *db.Tx, scope identity.Scope) (agreement.Contract, error) {
		if _, err := account.Find(ctx, tx, scope.Customer); err != nil {
			return in, err
		}
		in.Customer = scope.Customer
		if in.From.IsZero() {
			in.From = tx.Now
		}
		if in.Until.IsZero() {
			in.Until = in.From.AddDate(1, 0, 0)
		}
		err := agreement.Apply(ctx, tx, c.Random, &in)
		call.About(in.ID, in.Title)
		return in, err
	})
}

// ContractVerdict is what becomes of an application for a contract.
type ContractVerdict struct {
	Customer    string // the operator names it
	As          agreement.State
	Reason      string
	From, Until *time.Time // nil: as applied for
}

// DecideContract decides an application: the operator accepts or refuses it, its customer withdraws it.
func (c *Counter) DecideContract(ctx context.Context, call *Call, id string, v ContractVerdict) (agreement.Contract, error) {
	call.About(id, "")
	if v.Customer != "" {
		call.Of(v.Customer)
	}
	return write(ctx, c, call, func(tx *db.Tx, scope identity.Scope) (out agreement.Contract, err error) {
		customer, err := customerOf(scope, v.Customer)
		if err != nil {
			return out, err
		}
		if scope.Operator == (v.As == agreement.Withdrawn) {
			return out, fault.New(fault.Forbidden, "CBC.0151", "access denied: the operator accepts and refuses, the customer withdraws")
		}
		if v.As != agreement.Accepted && (v.From != nil || v.Until != nil) {
			return out, fault.New(fault.Invalid, "CBC.0100", "start_time, end_time: only of a contract that is accepted")
		}
		out, err = agreement.Decide(ctx, tx, customer, id, v.As, v.Reason, v.From, v.Until)
		if err != nil || !scope.Operator {
			return out, err
		}
		topic := map[agreement.State]string{agreement.Accepted: "contract.accepted", agreement.Refused: "contract.refused"}[v.As]
		return out, c.tellCustomer(ctx, tx, customer, topic, map[string]any{"contract_id": id})
	})
}

// demoAgreement gives a demo customer a contract in force, or one that waits for the operator.
func (c *Counter) demoAgreement(ctx context.Context, tx *db.Tx, customer string, accepted bool) error {
	in := agreement.Contract{
		Customer: customer, Title: "Framework contract", Contact: "purchasing@example.com", Note: "servers and storage of all regions",
		From: tx.Now, Until: tx.Now.AddDate(3, 0, 0),
	}
	if err := agreement.Apply(ctx, tx, c.Random, &in); err != nil || !accepted {
		return err
	}
	_, err := agreement.Decide(ctx, tx, customer, in.ID, agreement.Accepted, "signed", nil, nil)
	return err
}

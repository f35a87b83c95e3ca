package portal

import (
	"context"
	"time"

	"github.com/a-h/templ"

	"github.com/purser-cloud/purser/client/purser"
)

func askContracts(v *visit) *asked[*purser.ListContractsReply] {
	q := &purser.ListContractsParams{Limit: new(int32(pageSize)), Offset: new(int32(v.offset()))}
	if state := v.q("state"); state != "" {
		q.State = new(purser.ListContractsParamsState(state))
	}
	return ask(v, func(ctx context.Context) (*purser.ListContractsReply, error) {
		return v.api.Purser.ListContractsWithResponse(ctx, q)
	})
}

func showContracts(v *visit) (templ.Component, error) {
	list := askContracts(v)
	if err := v.wait(); err != nil {
		return nil, err
	}
	return contractsPage(v, list), nil
}

func showApplications(v *visit) (templ.Component, error) {
	list := askContracts(v)
	if err := v.wait(); err != nil {
		return nil, err
	}
	if list.ok() {
		if err := nameAccounts(v, list.reply.JSON200.Contracts, func(c *purser.Contract) string { return c.CustomerId }); err != nil {
			return nil, err
		}
	}
	return applicationsPage(v, list), nil
}

// applyForContract asks the operator for a contract, by days of GMT+8.
func applyForContract(v *visit) outcome {
	in := purser.ApplyForContractRequest{Title: v.form("title"), Contact: v.someForm("contact"), Note: v.someForm("note")}
	in.StartTime, in.EndTime = wireDay(v.form("from"), false), wireDay(v.form("until"), true)
	if v.form("from") != "" && in.StartTime == nil || v.form("until") != "" && in.EndTime == nil {
		return refused("", v.t("contracts.day"))
	}
	got, bad := do(v, func(ctx context.Context) (*purser.ApplyForContractReply, error) {
		return v.api.Purser.ApplyForContractWithResponse(ctx, &purser.ApplyForContractParams{IdempotencyKey: &v.key}, in)
	})
	if bad != nil {
		return v.refusal("", bad)
	}
	return done("", v.t("contracts.applied", got.JSON201.ContractId))
}

// decideContract accepts or refuses an application, for the operator, or withdraws it, for its customer.
func decideContract(v *visit) outcome {
	in := purser.DecideContractRequest{CustomerId: v.someForm("customer"), Verdict: purser.DecideContractRequestVerdict(v.form("verdict")), Reason: v.someForm("reason")}
	got, bad := do(v, func(ctx context.Context) (*purser.DecideContractReply, error) {
		return v.api.Purser.DecideContractWithResponse(ctx, v.form("contract"), &purser.DecideContractParams{IdempotencyKey: &v.key}, in)
	})
	if bad != nil {
		return v.refusal("", bad)
	}
	return done("", v.t("contracts.decided", got.JSON200.ContractId, v.code("contract_state", got.JSON200.State)))
}

// contractState is a contract's state, with one that is accepted told apart by whether it is in force.
func contractState(v *visit, c *purser.Contract) (kind, text string) {
	switch c.State {
	case purser.ContractStateApplied:
		kind = "warn"
	case purser.ContractStateAccepted:
		switch from, until := when(c.StartTime), when(c.EndTime); {
		case v.now.Before(from):
			return "", v.t("contracts.ahead")
		case v.now.Before(until):
			return "good", v.t("contracts.in_force")
		}
		return "", v.t("contracts.over")
	case purser.ContractStateRefused:
		kind = "bad"
	}
	return kind, v.code("contract_state", c.State)
}

// lastDay is the last day that an exclusive end leaves.
func lastDay(text string) string { return dayText(when(text).Add(-time.Second)) }

package purserapi

import (
	"context"

	"github.com/purser-cloud/purser/internal/agreement"
	"github.com/purser-cloud/purser/internal/contract"
	"github.com/purser-cloud/purser/internal/doorway"
	"github.com/purser-cloud/purser/internal/operation"
)

// What states and verdicts are called in the contract.
var (
	contractStates = map[agreement.State]ContractState{
		agreement.Applied: ContractStateApplied, agreement.Accepted: ContractStateAccepted, agreement.Refused: ContractStateRefused, agreement.Withdrawn: ContractStateWithdrawn,
	}
	contractWanted = map[ListContractsParamsState]agreement.State{
		ListContractsParamsStateApplied: agreement.Applied, ListContractsParamsStateAccepted: agreement.Accepted,
		ListContractsParamsStateRefused: agreement.Refused, ListContractsParamsStateWithdrawn: agreement.Withdrawn,
	}
	contractVerdicts = map[DecideContractRequestVerdict]agreement.State{
		DecideContractRequestVerdictAccept: agreement.Accepted, DecideContractRequestVerdictRefuse: agreement.Refused, DecideContractRequestVerdictWithdraw: agreement.Withdrawn,
	}
)

func contractOf(c *agreement.Contract) Contract {
	out := Contract{
		ContractId: c.ID, CustomerId: c.Customer, Title: c.Title, Contact: c.Contact, Note: c.Note, State: contractStates[c.State], Reason: c.Reason,
		StartTime: c.From.UTC().Format(stampForm), EndTime: c.Until.UTC().Format(stampForm), AppliedTime: c.Applied.UTC().Format(stampForm),
	}
	if !c.Decided.IsZero() {
		out.DecidedTime = new(c.Decided.UTC().Format(stampForm))
	}
	return out
}

// ListContracts pages through contracts.
func (d *Door) ListContracts(ctx context.Context, r ListContractsRequestObject) (ListContractsResponseObject, error) {
	var state agreement.State
	if r.Params.State != nil {
		state = contractWanted[*r.Params.State]
	}
	total, page, err := d.counter.Contracts(ctx, doorway.CallOf(ctx), contract.Text(r.Params.CustomerId), state, contract.Int(r.Params.Offset, 0), contract.Int(r.Params.Limit, 10))
	if err != nil {
		return nil, err
	}
	out := ListContracts200JSONResponse{TotalCount: contract.Int32(total), Contracts: make([]Contract, len(page))}
	for i := range page {
		out.Contracts[i] = contractOf(&page[i])
	}
	return out, nil
}

// ApplyForContract applies for a contract.
func (d *Door) ApplyForContract(ctx context.Context, r ApplyForContractRequestObject) (ApplyForContractResponseObject, error) {
	in := agreement.Contract{Title: r.Body.Title, Contact: contract.Text(r.Body.Contact), Note: contract.Text(r.Body.Note)}
	var err error
	if in.From, err = instant("start_time", r.Body.StartTime); err != nil {
		return nil, err
	}
	if in.Until, err = instant("end_time", r.Body.EndTime); err != nil {
		return nil, err
	}
	if in, err = d.counter.ApplyForContract(ctx, doorway.CallOf(ctx), in); err != nil {
		return nil, err
	}
	return ApplyForContract201JSONResponse(contractOf(&in)), nil
}

// DecideContract decides an application for a contract.
func (d *Door) DecideContract(ctx context.Context, r DecideContractRequestObject) (DecideContractResponseObject, error) {
	v := operation.ContractVerdict{Customer: contract.Text(r.Body.CustomerId), As: contractVerdicts[r.Body.Verdict], Reason: contract.Text(r.Body.Reason)}
	from, err := instant("start_time", r.Body.StartTime)
	if err != nil {
		return nil, err
	}
	until, err := instant("end_time", r.Body.EndTime)
	if err != nil {
		return nil, err
	}
	if !from.IsZero() {
		v.From = &from
	}
	if !until.IsZero() {
		v.Until = &until
	}
	out, err := d.counter.DecideContract(ctx, doorway.CallOf(ctx), r.ContractId, v)
	if err != nil {
		return nil, err
	}
	return DecideContract200JSONResponse(contractOf(&out)), nil
}

package house

import (
	"context"
	"fmt"

	"github.com/purser-cloud/purser/client"
	"github.com/purser-cloud/purser/internal/contract"
	"github.com/purser-cloud/purser/internal/identity"
	"github.com/purser-cloud/purser/internal/operation"
)

// As is the public client for an account of this house, without a network, and the short way to its fee records: commands of the
// machine's operator read with them what the account's owner would.
func (h *House) As(ctx context.Context, account string) (*client.Client, client.FeesReader, error) {
	now := h.config.Clock()
	users, err := h.Counter.AccountUsers(ctx, operation.LocalOperator("ListUsers", now), account)
	if err != nil {
		return nil, nil, err
	}
	for i := range users {
		u := &users[i]
		if !u.Owner {
			continue
		}
		call := &operation.Call{
			Operation: &contract.Operation{ID: "Export"}, Caller: identity.Caller{DomainID: u.DomainID, DomainKind: identity.Customer, UserID: u.ID, UserName: u.Name, Owner: true},
			Source: "local", Real: now, RequestID: "local",
		}
		if err := h.Counter.Date(ctx, call); err != nil {
			return nil, nil, err
		}
		read, err := h.Reader()
		if err != nil {
			return nil, nil, err
		}
		return read(call)
	}
	return nil, nil, fmt.Errorf("account %s has no owner", account)
}

package house

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/purser-cloud/purser/client"
	"github.com/purser-cloud/purser/internal/contract"
	"github.com/purser-cloud/purser/internal/doorway"
	"github.com/purser-cloud/purser/internal/identity"
	"github.com/purser-cloud/purser/internal/operation"
)

// asLife is how long a client made by As works.
const asLife = 12 * time.Hour

// As is the public client for an account of this house, without a network: commands of the machine's operator read with it what
// the account's owner would. It signs with a temporary key.
func (h *House) As(ctx context.Context, account string) (*client.Client, error) {
	now := h.config.Clock()
	users, err := h.Counter.AccountUsers(ctx, operation.LocalOperator("ListUsers", now), account)
	if err != nil {
		return nil, err
	}
	for i := range users {
		u := &users[i]
		if !u.Owner {
			continue
		}
		call := &operation.Call{
			Operation: &contract.Operation{ID: "CreateTemporaryAccessKey"}, Caller: identity.Caller{DomainID: u.DomainID, UserID: u.ID, UserName: u.Name, Owner: true},
			Source: "local", Real: now, RequestID: "local",
		}
		key, err := h.Counter.AddTemporary(ctx, call, asLife)
		if err != nil {
			return nil, err
		}
		doors, err := h.Handler(prometheus.NewRegistry())
		if err != nil {
			return nil, err
		}
		return client.New("http://purser.invalid", client.Credential{AccessKey: key.Access, SecretKey: key.Secret.Reveal(), SecurityToken: key.SecurityToken.Reveal(), DomainID: u.DomainID},
			&http.Client{Transport: doorway.Within{To: doors}}, h.config.Clock)
	}
	return nil, fmt.Errorf("account %s has no owner", account)
}

package operation

import (
	"context"

	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/identity"
	"github.com/purser-cloud/purser/internal/period"
)

// Export lets a caller in who wants a month as a file: of its own account with its members, or of one member. What is in the file
// is then read by the operations that show it, for the same caller.
func (c *Counter) Export(ctx context.Context, call *Call, cycle period.Cycle, member string) error {
	return older(ctx, c, call, &struct{}{}, func(v *db.View, scope identity.Scope) error {
		if err := checkCycle(v, cycle); err != nil {
			return err
		}
		w := Whose{}
		if member != "" {
			w = Whose{Method: OfMember, Member: member}
		}
		_, err := c.accounts(ctx, v, scope, w, cycle)
		return err
	})
}

package order

import (
	"context"

	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/period"
)

// Place is a line of an order.
type Place struct {
	Order string
	Line  int32
}

// Spans says for which time the lines of customers' orders were paid: purchases, renewals, changes and packages. A line whose
// resources are not provisioned yet has none; several that were provisioned one after the other have the first one's.
func Spans(ctx context.Context, r db.Reader, customers []string) (map[Place]period.Span, error) {
	return spans(ctx, r, customers)
}

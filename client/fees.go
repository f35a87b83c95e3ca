package client

import (
	"context"

	"github.com/purser-cloud/purser/client/bss"
)

// FeesReader lists fee records: a client of the BSS contract, or what stands in for one.
type FeesReader interface {
	ListCustomerselfResourceRecordsWithResponse(ctx context.Context, params *bss.ListCustomerselfResourceRecordsParams, edit ...bss.RequestEditorFn) (*bss.ListCustomerselfResourceRecordsReply, error)
}

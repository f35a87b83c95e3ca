package client

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"github.com/purser-cloud/purser/client/purser"
)

// InvoicesReader lists invoices: a client of purser's own contract.
type InvoicesReader interface {
	ListInvoicePapers(ctx context.Context, params *purser.ListInvoicePapersParams, edit ...purser.RequestEditorFn) (*http.Response, error)
}

// Invoices knows on which invoice the charges of a bill month stand. The zero Invoices knows none.
type Invoices struct {
	on map[[2]string]string // account, and order or refund or nothing for the rest of its month → number
}

// several marks what stands on more than one paper, each a part of it: fee records do not say which.
const several = "\x00"

// papersAtOnce is how many papers are asked for at once (the contract's most).
const papersAtOnce = 100

// InvoicesOf reads the invoices of a bill month (YYYY-MM). Where there is none to ask, or the caller may not see invoices, or the
// server has no such operation (the provider's own cloud), no charge is known to stand on one.
func InvoicesOf(ctx context.Context, from InvoicesReader, cycle string) (out Invoices, err error) {
	if from == nil {
		return out, nil
	}
	out.on = map[[2]string]string{}
	for offset := int32(0); ; {
		page, known, err := papers(ctx, from, &purser.ListInvoicePapersParams{BillCycle: &cycle, Offset: &offset, Limit: new(int32(papersAtOnce))})
		if err != nil {
			return out, fmt.Errorf("list invoices of %s: %w", cycle, err)
		}
		if !known {
			return Invoices{}, nil
		}
		for i := range page.Invoices {
			p := &page.Invoices[i]
			if p.Method == "receipt" {
				continue // money that came in, no charge
			}
			key := [2]string{p.About, p.TradeId} // of a month's own paper: no trade
			number := p.Number
			if _, twice := out.on[key]; twice {
				number = several
			}
			out.on[key] = number
		}
		if offset += int32(len(page.Invoices)); len(page.Invoices) == 0 || offset >= page.TotalCount {
			return out, nil
		}
	}
}

// papers reads a page of invoices; known: the server has them and shows them.
func papers(ctx context.Context, from InvoicesReader, in *purser.ListInvoicePapersParams) (page purser.ListInvoicePapersResponse, known bool, err error) {
	r, err := from.ListInvoicePapers(ctx, in)
	if err != nil {
		return page, false, err
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	switch {
	case err != nil:
		return page, false, err
	case r.StatusCode == http.StatusForbidden, r.StatusCode == http.StatusNotFound, r.StatusCode == http.StatusNotImplemented:
		return page, false, nil // whatever else another server says in it
	case r.StatusCode != http.StatusOK:
		return page, false, fmt.Errorf("%s: %s", r.Status, text)
	}
	return page, true, json.Unmarshal(text, &page)
}

// Of is the number of the invoice that a charge of an account stands on: that of its order or refund, else its month's. Empty:
// none, none that has its number yet, or several.
func (v *Invoices) Of(account, trade string) string {
	number, found := v.on[[2]string{account, trade}]
	if !found {
		number = v.on[[2]string{account}]
	}
	if number == several {
		return ""
	}
	return number
}

package purserapi

import (
	"bufio"
	"context"
	"io"
	"net/http"

	"github.com/purser-cloud/purser/client"
	"github.com/purser-cloud/purser/internal/contract"
	"github.com/purser-cloud/purser/internal/doorway"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/focus"
	"github.com/purser-cloud/purser/internal/period"
	"github.com/purser-cloud/purser/internal/sheet"
)

// export is a file on its way out: written when the answer is, so that it need not be in memory.
type export struct {
	kind  string // its media type
	name  string
	part  bool // it is short: gathered, then sent with the cursor of the next
	write func(to io.Writer) (next string, err error)
}

// exportBuffer is how much of a file is sent at once, in bytes.
const exportBuffer = 64 << 10

func (e *export) visit(w http.ResponseWriter) error {
	w.Header().Set("Content-Type", e.kind)
	w.Header().Set("Content-Disposition", `attachment; filename="`+e.name+`"`)
	w.WriteHeader(http.StatusOK)
	if !e.part {
		doorway.Stream(w)
	}
	to := bufio.NewWriterSize(w, exportBuffer)
	next, err := e.write(to)
	if err == nil && next != "" {
		w.Header().Set("X-Next-Cursor", next)
	}
	if err == nil {
		err = to.Flush()
	}
	return err
}

func (e *export) VisitExportFocusResponse(w http.ResponseWriter) error   { return e.visit(w) }
func (e *export) VisitExportDetailsResponse(w http.ResponseWriter) error { return e.visit(w) }
func (e *export) VisitExportSummaryResponse(w http.ResponseWriter) error { return e.visit(w) }

// admitted lets the caller of an export in, and is the client that reads for it.
func (d *Door) admitted(ctx context.Context, month, member string) (cycle period.Cycle, c *client.Client, fees client.FeesReader, err error) {
	if cycle, err = period.ParseCycle(month); err != nil {
		return 0, nil, nil, fault.New(fault.Invalid, "CBC.0100", "month: must be a month, YYYY-MM")
	}
	call := doorway.CallOf(ctx)
	if err := d.counter.Export(ctx, call, cycle, member); err != nil {
		return 0, nil, nil, err
	}
	c, err = client.New("http://purser.invalid", client.Credential{}, d.frame.For(call), nil)
	return cycle, c, d.frame.FeesFor(call), err
}

// pageOf is how many fee records are read at once: a part is bound to the contract's pages, a whole file is not.
func pageOf(limit *contract.Int32) int {
	if limit != nil {
		return 0
	}
	return focus.PageWithin
}

// from reads where a part begins.
func from(cursor *string) (focus.Place, error) {
	at, err := focus.ParsePlace(contract.Text(cursor))
	if err != nil {
		return at, fault.New(fault.Invalid, "CBC.0100", "cursor: %s", err)
	}
	return at, nil
}

// ExportFocus exports a month as FOCUS.
func (d *Door) ExportFocus(ctx context.Context, r ExportFocusRequestObject) (ExportFocusResponseObject, error) {
	in := &r.Params
	at, err := from(in.Cursor)
	if err != nil {
		return nil, err
	}
	cycle, c, fees, err := d.admitted(ctx, in.Month, contract.Text(in.SubCustomerId))
	if err != nil {
		return nil, err
	}
	run := focus.Export{
		BSS: c.BSS, Fees: fees, Page: pageOf(in.Limit), Invoices: c.Purser, Cycle: cycle, Member: contract.Text(in.SubCustomerId), Back: contract.Int(in.LookBack, focus.LookBackMost), From: at,
		Most: contract.Int(in.Limit, 0), Source: focus.Source{Provider: contract.Text(in.Provider), Issuer: contract.Text(in.Issuer)},
	}
	out := &export{kind: "text/csv", name: "focus-" + cycle.String() + ".csv", part: in.Limit != nil}
	parquet := in.Format != nil && *in.Format == "parquet"
	if parquet {
		out.kind, out.name = "application/vnd.apache.parquet", "focus-"+cycle.String()+".parquet"
	}
	out.write = func(to io.Writer) (string, error) {
		var rows focus.Writer
		switch {
		case parquet:
			rows = focus.NewParquet(to)
		default:
			if rows, err = focus.NewCSV(to, at == focus.Place{}); err != nil {
				return "", err
			}
		}
		_, next, done, err := run.Run(ctx, rows)
		if err == nil {
			err = rows.Close()
		}
		if err != nil || done {
			return "", err
		}
		return next.String(), nil
	}
	return out, nil
}

// ExportDetails exports the fee records of a month.
func (d *Door) ExportDetails(ctx context.Context, r ExportDetailsRequestObject) (ExportDetailsResponseObject, error) {
	in := &r.Params
	at, err := from(in.Cursor)
	if err != nil {
		return nil, err
	}
	cycle, c, fees, err := d.admitted(ctx, in.Month, contract.Text(in.SubCustomerId))
	if err != nil {
		return nil, err
	}
	run := sheet.Export{BSS: c.BSS, Fees: fees, Page: pageOf(in.Limit), Invoices: c.Purser, Cycle: cycle, Member: contract.Text(in.SubCustomerId), From: at.Offset, Most: contract.Int(in.Limit, 0)}
	return &export{
		kind: "text/csv", name: "details-" + cycle.String() + ".csv", part: in.Limit != nil,
		write: func(to io.Writer) (string, error) {
			_, next, done, err := run.Details(ctx, to)
			if err != nil || done {
				return "", err
			}
			return focus.Place{Offset: next}.String(), nil
		},
	}, nil
}

// ExportSummary exports the summary of a month.
func (d *Door) ExportSummary(ctx context.Context, r ExportSummaryRequestObject) (ExportSummaryResponseObject, error) {
	member := contract.Text(r.Params.SubCustomerId)
	cycle, c, _, err := d.admitted(ctx, r.Params.Month, member)
	if err != nil {
		return nil, err
	}
	run := sheet.Export{BSS: c.BSS, Cycle: cycle, Member: member}
	return &export{
		kind: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", name: "summary-" + cycle.String() + ".xlsx",
		write: func(to io.Writer) (string, error) { _, err := run.Summary(ctx, to); return "", err },
	}, nil
}

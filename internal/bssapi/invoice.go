package bssapi

import (
	"context"

	"github.com/purser-cloud/purser/internal/account"
	"github.com/purser-cloud/purser/internal/contract"
	"github.com/purser-cloud/purser/internal/doorway"
	"github.com/purser-cloud/purser/internal/invoice"
)

// What every invoice of this house is (api.md 9.2).
const (
	ordinaryVAT = 1
	onPaper     = "0"
	shown       = "Y"
)

// invoiceMethods are the methods as this contract numbers them.
var invoiceMethods = map[string]contract.Int32{account.ByCycle: 0, account.ByReceipt: 1, account.ByOrder: 2}

// ListInvoices lists the caller's invoices. Here offset is a page, from 1.
func (d *Door) ListInvoices(ctx context.Context, r ListInvoicesRequestObject) (ListInvoicesResponseObject, error) {
	in := &r.Params
	from, err := instant("start_time", &in.StartTime)
	if err != nil {
		return nil, err
	}
	to, err := instant("end_time", &in.EndTime)
	if err != nil {
		return nil, err
	}
	page, err := d.counter.ListInvoices(ctx, doorway.CallOf(ctx), r.DomainId, from, to, (int(in.Offset)-1)*int(in.Limit), int(in.Limit))
	if err != nil {
		return nil, err
	}
	out := ListInvoices200JSONResponse{Count: contract.Int32(page.Total), Invoices: []InvoiceRequestInfoIntl{}}
	for i := range page.Papers {
		out.Invoices = append(out.Invoices, invoiceOf(&page.Papers[i], page.Taxes[page.Papers[i].ID]))
	}
	return listInvoicesOK{&out}, nil
}

func invoiceOf(p *invoice.Paper, taxes []invoice.Tax) InvoiceRequestInfoIntl {
	row := InvoiceRequestInfoIntl{
		RequestId: p.ID, CancelReason: p.Reason, InvoiceType: ordinaryVAT, InvoiceAmount: contract.Decimal(p.Amount.String()), InvoiceMethod: invoiceMethods[p.Method],
		InvoiceClass: contract.Int32(p.Class), InvoiceState: contract.Int32(p.State()), ApplyOpera: p.Applicant, ApplyTime: p.Applied.UTC().Format(stampForm),
		InvoiceMode: onPaper, RequestMode: "0", SrcRequestId: p.Source, InvoiceNo: p.Number(), TradeType: contract.Int32(p.TradeType), BillCycle: p.Cycle.String(),
		TaxList: []TaxInfo{}, AddressInfo: &PostAddressInfoIntl{},
	}
	switch {
	case p.Memo:
		row.RequestMode = "1"
	case p.AllCredited():
		row.RequestMode = "2"
	}
	if s := p.Seal; s != nil {
		row.InvoiceTitle, row.Email = s.Title, s.Email
		*row.AddressInfo = PostAddressInfoIntl{Address: s.Address, Recipients: s.Recipient, ZipCode: s.Zip, MobilePhone: s.Phone}
		if s.Enterprise {
			row.TitleType = 1
		}
	}
	for _, t := range taxes {
		row.TaxList = append(row.TaxList, TaxInfo{
			TaxClass: t.Class, TaxRate: t.Rate, SubTaxClass: t.SubClass, TaxAmount: contract.Decimal(t.Amount.String()), TaxVisibleFlag: shown, TaxAccountingFlag: shown,
		})
	}
	return row
}

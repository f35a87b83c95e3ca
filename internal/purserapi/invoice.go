package purserapi

import (
	"bytes"
	"context"
	"strings"

	"github.com/purser-cloud/purser/internal/catalog"
	"github.com/purser-cloud/purser/internal/contract"
	"github.com/purser-cloud/purser/internal/doorway"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/invoice"
	"github.com/purser-cloud/purser/internal/period"
)

// ListInvoicePapers pages through invoices and credit memos.
func (d *Door) ListInvoicePapers(ctx context.Context, r ListInvoicePapersRequestObject) (ListInvoicePapersResponseObject, error) {
	in := &r.Params
	q := invoice.Query{Customer: contract.Text(in.CustomerId), About: contract.Text(in.About), Memo: in.CreditMemo}
	var err error
	if text := contract.Text(in.BillCycle); text != "" {
		if q.Cycle, err = period.ParseCycle(text); err != nil {
			return nil, fault.New(fault.Invalid, "CBC.0100", "bill_cycle: must be a month, YYYY-MM")
		}
	}
	if q.From, err = instant("start_time", in.StartTime); err != nil {
		return nil, err
	}
	if q.To, err = instant("end_time", in.EndTime); err != nil {
		return nil, err
	}
	page, err := d.counter.Invoices(ctx, doorway.CallOf(ctx), q, contract.Int(in.Offset, 0), contract.Int(in.Limit, 10))
	if err != nil {
		return nil, err
	}
	out := ListInvoicePapers200JSONResponse{TotalCount: contract.Int32(page.Total), Invoices: []InvoicePaper{}}
	for i := range page.Papers {
		out.Invoices = append(out.Invoices, paperOf(&page.Papers[i], page.Taxes))
	}
	return out, nil
}

func paperOf(p *invoice.Paper, taxes map[string][]invoice.Tax) InvoicePaper {
	out := InvoicePaper{
		InvoiceId: p.ID, Number: p.Number(), CustomerId: p.Customer, About: p.About, Payer: p.Payer, Method: p.Method, CreditMemo: p.Memo,
		TradeType: contract.Int32(p.TradeType), Class: contract.Int32(p.Class), State: contract.Int32(p.State()), BillCycle: p.Cycle.String(), TradeId: p.Trade,
		SourceInvoiceId: p.Source, Reason: p.Reason, Currency: p.Currency, AmountBeforeTax: p.Charged.String(), CouponAmount: p.Coupon.String(),
		TaxAmount: p.Tax.String(), Amount: p.Amount.String(), CreditedAmount: p.Credited.String(), Taxes: []InvoiceTax{}, AppliedTime: p.Applied.UTC().Format(stampForm),
	}
	if !p.Due.IsZero() {
		out.DueDate = new(period.DateOf(p.Due).String())
	}
	if s := p.Seal; s != nil {
		out.Title, out.TaxId, out.Issuer, out.SealedTime = s.Title, some(s.TaxID), some(s.Issuer.Code), new(s.Sealed.UTC().Format(stampForm))
	}
	for _, t := range taxes[p.ID] {
		out.Taxes = append(out.Taxes, InvoiceTax{TaxClass: t.Class, SubTaxClass: t.SubClass, Rate: t.Rate, TaxableAmount: t.Base.String(), TaxAmount: t.Amount.String()})
	}
	return out
}

// ShowInvoicePaper shows one invoice.
func (d *Door) ShowInvoicePaper(ctx context.Context, r ShowInvoicePaperRequestObject) (ShowInvoicePaperResponseObject, error) {
	page, err := d.counter.Invoice(ctx, doorway.CallOf(ctx), r.InvoiceId)
	if err != nil {
		return nil, err
	}
	return ShowInvoicePaper200JSONResponse(paperOf(&page.Papers[0], page.Taxes)), nil
}

// ListInvoiceLines pages through the lines of an invoice.
func (d *Door) ListInvoiceLines(ctx context.Context, r ListInvoiceLinesRequestObject) (ListInvoiceLinesResponseObject, error) {
	total, page, err := d.counter.InvoiceLines(ctx, doorway.CallOf(ctx), r.InvoiceId, contract.Int(r.Params.Offset, 0), contract.Int(r.Params.Limit, 100))
	if err != nil {
		return nil, err
	}
	in := catalog.LanguageOf(contract.Text(r.Params.XLanguage))
	out := ListInvoiceLines200JSONResponse{TotalCount: contract.Int32(total), Lines: []InvoiceLine{}}
	for i := range page {
		l := &page[i]
		out.Lines = append(out.Lines, InvoiceLine{
			Line: contract.Int32(l.No), ServiceTypeCode: l.Service, ServiceTypeName: l.ServiceName.In(in), ResourceTypeCode: l.ResourceType, Name: l.Name.In(in),
			ResourceSpecCode: l.Spec, RegionCode: l.Region, ChargeMode: contract.Int32(l.Mode), Number: contract.Int64(l.Num), StartTime: l.Starts.UTC().Format(stampForm),
			EndTime: l.Ends.UTC().Format(stampForm), AmountBeforeTax: l.Charged.String(), CouponAmount: l.Coupon.String(), TaxRate: l.TaxRate, TaxInclusive: l.Inclusive,
			TaxAmount: l.Tax.String(), Amount: l.Amount.String(), TruncatedAmount: l.Cut.String(),
		})
	}
	return out, nil
}

// PrintInvoice gives an invoice as PDF.
func (d *Door) PrintInvoice(ctx context.Context, r PrintInvoiceRequestObject) (PrintInvoiceResponseObject, error) {
	content, number, err := d.counter.InvoicePDF(ctx, doorway.CallOf(ctx), r.InvoiceId, catalog.LanguageOf(contract.Text(r.Params.XLanguage)))
	if err != nil {
		return nil, err
	}
	return PrintInvoice200ApplicationpdfResponse{
		Body: bytes.NewReader(content), ContentLength: int64(len(content)),
		Headers: PrintInvoice200ResponseHeaders{ContentDisposition: new(`inline; filename="` + fileName(number) + `.pdf"`)},
	}, nil
}

// fileName is a number without what a file's name may not hold.
func fileName(number string) string {
	return strings.Map(func(c rune) rune {
		if c < '-' || c > 'z' || c == '/' || c == '\\' || c == ':' {
			return '_'
		}
		return c
	}, number)
}

// ShowInvoiceProfile shows whom invoices are addressed to.
func (d *Door) ShowInvoiceProfile(ctx context.Context, r ShowInvoiceProfileRequestObject) (ShowInvoiceProfileResponseObject, error) {
	p, err := d.counter.InvoiceProfile(ctx, doorway.CallOf(ctx), r.CustomerId)
	if err != nil {
		return nil, err
	}
	return ShowInvoiceProfile200JSONResponse(profileOf(&p)), nil
}

// SetInvoiceProfile sets it.
func (d *Door) SetInvoiceProfile(ctx context.Context, r SetInvoiceProfileRequestObject) (SetInvoiceProfileResponseObject, error) {
	in := r.Body
	p, err := d.counter.SetInvoiceProfile(ctx, doorway.CallOf(ctx), invoice.Profile{
		Customer: r.CustomerId, Title: contract.Text(in.Title), Address: contract.Text(in.Address), Recipient: contract.Text(in.Recipient), Zip: contract.Text(in.ZipCode),
		Phone: contract.Text(in.MobilePhone), Email: contract.Text(in.Email),
	})
	if err != nil {
		return nil, err
	}
	return SetInvoiceProfile200JSONResponse(profileOf(&p)), nil
}

func profileOf(p *invoice.Profile) InvoiceProfile {
	return InvoiceProfile{Title: &p.Title, Address: &p.Address, ZipCode: &p.Zip, Recipient: &p.Recipient, MobilePhone: &p.Phone, Email: &p.Email}
}

// ListInvoiceIssuers lists who issues invoices.
func (d *Door) ListInvoiceIssuers(ctx context.Context, _ ListInvoiceIssuersRequestObject) (ListInvoiceIssuersResponseObject, error) {
	list, err := d.counter.Issuers(ctx, doorway.CallOf(ctx))
	if err != nil {
		return nil, err
	}
	out := ListInvoiceIssuers200JSONResponse{Issuers: []InvoiceIssuer{}}
	for i := range list {
		out.Issuers = append(out.Issuers, issuerOf(&list[i]))
	}
	return out, nil
}

// SetInvoiceIssuer names an issuer.
func (d *Door) SetInvoiceIssuer(ctx context.Context, r SetInvoiceIssuerRequestObject) (SetInvoiceIssuerResponseObject, error) {
	in := r.Body
	i, err := d.counter.SetIssuer(ctx, doorway.CallOf(ctx), invoice.Issuer{
		Code: r.Code, Name: in.Name, Address: contract.Text(in.Address), TaxID: contract.Text(in.TaxId), Note: contract.Text(in.Note), Prefix: contract.Text(in.Prefix),
		Countries: in.Countries,
	})
	if err != nil {
		return nil, err
	}
	return SetInvoiceIssuer200JSONResponse(issuerOf(&i)), nil
}

func issuerOf(i *invoice.Issuer) InvoiceIssuer {
	return InvoiceIssuer{Code: &i.Code, Name: i.Name, Address: &i.Address, TaxId: &i.TaxID, Note: &i.Note, Prefix: &i.Prefix, Countries: i.Countries}
}

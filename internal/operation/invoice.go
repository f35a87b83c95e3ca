package operation

import (
	"context"
	"time"

	"github.com/purser-cloud/purser/internal/account"
	"github.com/purser-cloud/purser/internal/catalog"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/identity"
	"github.com/purser-cloud/purser/internal/invoice"
)

// InvoicePage is a page of papers with their taxes.
type InvoicePage struct {
	Total  int
	Papers []invoice.Paper
	Taxes  map[string][]invoice.Tax // by paper
}

func (out *InvoicePage) read(ctx context.Context, v *db.View, q invoice.Query, offset, limit int) (err error) {
	if out.Total, out.Papers, err = invoice.List(ctx, v, q, offset, limit); err != nil {
		return err
	}
	return out.readTaxes(ctx, v)
}

func (out *InvoicePage) readTaxes(ctx context.Context, v *db.View) error {
	byHolder := map[string][]string{}
	for i := range out.Papers {
		byHolder[out.Papers[i].Customer] = append(byHolder[out.Papers[i].Customer], out.Papers[i].ID)
	}
	out.Taxes = map[string][]invoice.Tax{}
	for customer, ids := range byHolder {
		taxes, err := invoice.Taxes(ctx, v, customer, ids)
		if err != nil {
			return err
		}
		for id, list := range taxes {
			out.Taxes[id] = list
		}
	}
	return nil
}

// ListInvoices pages through the caller's invoices that were applied for within two instants, the newest first. domain is the
// account in the path: the caller's own, whoever it is.
func (c *Counter) ListInvoices(ctx context.Context, call *Call, domain string, from, to time.Time, offset, limit int) (out InvoicePage, err error) {
	err = c.read(ctx, call, func(v *db.View, scope identity.Scope) error {
		if domain != scope.Customer {
			return refuseForeign(domain)
		}
		if to.Before(from) {
			return fault.New(fault.Invalid, "CBC.0100", "end_time: must not be before start_time")
		}
		return out.read(ctx, v, invoice.Query{Customer: scope.Customer, From: from, To: to}, offset, limit)
	})
	return out, err
}

// Invoices pages through papers: the caller's own, those of a customer that it may see, or everyone's for the operator who names
// none.
func (c *Counter) Invoices(ctx context.Context, call *Call, q invoice.Query, offset, limit int) (out InvoicePage, err error) {
	err = c.read(ctx, call, func(v *db.View, scope identity.Scope) error {
		if q.Customer == "" && !scope.Operator {
			q.Customer = scope.Customer
		}
		if q.Customer != "" {
			if err := seesCustomer(ctx, v, scope, q.Customer); err != nil {
				return err
			}
		}
		return out.read(ctx, v, q, offset, limit)
	})
	return out, err
}

// seenInvoice finds a paper that the caller may see; another's is as if it were not there.
func seenInvoice(ctx context.Context, r db.Reader, scope identity.Scope, id string) (invoice.Paper, error) {
	p, err := invoice.Find(ctx, r, "", id)
	if err != nil {
		return p, err
	}
	if err := seesCustomer(ctx, r, scope, p.Customer); fault.Is(err, "PURSER.0104") {
		return p, invoice.Unknown(id)
	} else if err != nil {
		return p, err
	}
	return p, nil
}

// Invoice reads one paper with its taxes.
func (c *Counter) Invoice(ctx context.Context, call *Call, id string) (out InvoicePage, err error) {
	err = c.read(ctx, call, func(v *db.View, scope identity.Scope) error {
		p, err := seenInvoice(ctx, v, scope, id)
		if err != nil {
			return err
		}
		out.Total, out.Papers = 1, []invoice.Paper{p}
		return out.readTaxes(ctx, v)
	})
	return out, err
}

// InvoiceLines pages through the lines of a paper.
func (c *Counter) InvoiceLines(ctx context.Context, call *Call, id string, offset, limit int) (total int, page []invoice.Line, err error) {
	err = c.read(ctx, call, func(v *db.View, scope identity.Scope) error {
		p, err := seenInvoice(ctx, v, scope, id)
		if err != nil {
			return err
		}
		total, page, err = invoice.Lines(ctx, v, &p, offset, limit)
		return err
	})
	return total, page, err
}

// InvoicePDF is a paper as it is printed in a language: made when it is first asked for, kept, and the same bytes ever after.
// PURSER.0914: it has no number yet.
func (c *Counter) InvoicePDF(ctx context.Context, call *Call, id string, language catalog.Language) (content []byte, number string, err error) {
	var p invoice.Paper
	var lines []invoice.Line
	var taxes map[string][]invoice.Tax
	source := ""
	name := "zh_CN"
	if language == catalog.English {
		name = "en_US"
	}
	err = c.read(ctx, call, func(v *db.View, scope identity.Scope) error {
		if p, err = seenInvoice(ctx, v, scope, id); err != nil {
			return err
		}
		if p.Seal == nil {
			return fault.New(fault.Conflict, "PURSER.0914", "invoice %s has no number yet: it gets one within a minute, that of an enterprise once its tax id is known", id)
		}
		if content, err = invoice.File(ctx, v, &p, name); err != nil || content != nil {
			return err
		}
		if p.Source != "" {
			of, err := invoice.Find(ctx, v, "", p.Source)
			if err != nil {
				return err
			}
			source = of.Number()
		}
		if _, lines, err = invoice.Lines(ctx, v, &p, 0, 0); err != nil {
			return err
		}
		taxes, err = invoice.Taxes(ctx, v, p.Customer, []string{p.ID})
		return err
	})
	if err != nil || content != nil {
		return content, p.Number(), err
	}
	made, err := invoice.Print(&p, source, lines, taxes[p.ID], language, currency, c.InvoiceFont)
	if err != nil {
		return nil, "", err
	}
	at := c.instants(call)
	at.About = p.Customer
	err = c.DB.Update(ctx, at, func(tx *db.Tx) error {
		if err := invoice.KeepFile(ctx, tx, &p, name, made); err != nil {
			return err
		}
		content, err = invoice.File(ctx, tx, &p, name)
		return err
	})
	return content, p.Number(), err
}

// InvoiceProfile reads to whom papers of a customer or partner are addressed.
func (c *Counter) InvoiceProfile(ctx context.Context, call *Call, customer string) (p invoice.Profile, err error) {
	err = c.read(ctx, call, func(v *db.View, scope identity.Scope) error {
		if err := seesCustomer(ctx, v, scope, customer); err != nil {
			return err
		}
		p, err = invoice.ProfileOf(ctx, v, customer)
		return err
	})
	return p, err
}

// SetInvoiceProfile sets to whom papers are addressed from now on: the customer's own, or by who sees it. An enterprise must
// have a tax id first (CBC.0100): its invoices wait for it.
func (c *Counter) SetInvoiceProfile(ctx context.Context, call *Call, p invoice.Profile) (invoice.Profile, error) {
	call.Of(p.Customer)
	call.About(p.Customer, "")
	return write(ctx, c, call, func(tx *db.Tx, scope identity.Scope) (invoice.Profile, error) {
		if err := seesCustomer(ctx, tx, scope, p.Customer); err != nil {
			return p, err
		}
		who, err := account.Find(ctx, tx, p.Customer)
		if err != nil && !fault.Is(err, "PURSER.0104") { // a partner has no books
			return p, err
		}
		if who.Kind == account.Enterprise && who.TaxID == "" {
			return p, fault.New(fault.Invalid, "CBC.0100", "tax_id: an enterprise customer must have one before its invoices are addressed")
		}
		err = invoice.SetProfile(ctx, tx, &p)
		return p, err
	})
}

// Issuers lists who issues papers. The operator's.
func (c *Counter) Issuers(ctx context.Context, call *Call) (list []invoice.Issuer, err error) {
	err = c.read(ctx, call, func(v *db.View, scope identity.Scope) error {
		if err := operatorOnly(scope); err != nil {
			return err
		}
		list, err = invoice.Issuers(ctx, v)
		return err
	})
	return list, err
}

// SetIssuer names an issuer, or changes what papers say of it from now on. The operator's.
func (c *Counter) SetIssuer(ctx context.Context, call *Call, i invoice.Issuer) (invoice.Issuer, error) {
	call.About(i.Code, "")
	return write(ctx, c, call, func(tx *db.Tx, scope identity.Scope) (invoice.Issuer, error) {
		if err := operatorOnly(scope); err != nil {
			return i, err
		}
		err := invoice.SetIssuer(ctx, tx, &i)
		return i, err
	})
}

// sealsAtOnce is how many papers get their number in one transaction.
const sealsAtOnce = 100

// SealInvoices gives papers that were issued their numbers. Nodes may do so at the same time: the numbers' key lets each be
// given once, and the transactions of this process follow one another.
func (c *Counter) SealInvoices(ctx context.Context, real time.Time) error {
	at := db.Instants{Now: real, Real: real, About: "invoice numbers"}
	for ctx.Err() == nil {
		due := false
		err := c.DB.View(ctx, at, func(v *db.View) (err error) { due, err = invoice.Waiting(ctx, v); return err })
		if err != nil || !due {
			return err
		}
		err = c.DB.Update(ctx, at, func(tx *db.Tx) error {
			known := map[string]invoice.Party{}
			_, err := invoice.SealSome(ctx, tx, sealsAtOnce, func(p *invoice.Paper) (to invoice.Party, err error) {
				to, ok := known[p.Customer]
				if !ok {
					if to, err = partyOf(ctx, tx, p.Customer); err != nil {
						return to, err
					}
					known[p.Customer] = to
				}
				if p.About != p.Customer {
					about, err := partyOf(ctx, tx, p.About)
					to.AboutName = about.Account
					return to, err
				}
				return to, nil
			})
			return err
		})
		if err != nil {
			return err
		}
	}
	return ctx.Err()
}

// partyOf is whom a paper is for.
func partyOf(ctx context.Context, r db.Reader, customer string) (to invoice.Party, err error) {
	to.Account = customer
	d, err := identity.FindDomain(ctx, r, customer)
	switch {
	case err == nil:
		to.Account = d.Name
	case !fault.Is(err, "PURSER.0104"):
		return to, err
	}
	who, err := account.Find(ctx, r, customer)
	if fault.Is(err, "PURSER.0104") { // a partner has no books
		return to, nil
	}
	to.Enterprise, to.TaxID, to.Country = who.Kind == account.Enterprise, who.TaxID, who.Country
	return to, err
}

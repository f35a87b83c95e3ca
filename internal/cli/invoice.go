package cli

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/purser-cloud/purser/internal/catalog"
	"github.com/purser-cloud/purser/internal/house"
	"github.com/purser-cloud/purser/internal/invoice"
	"github.com/purser-cloud/purser/internal/paper"
	"github.com/purser-cloud/purser/internal/period"
)

func (d *desk) invoice() *cobra.Command {
	return group("invoice", "Invoices and credit memos, whom they are addressed to, and who issues them",
		"Lists, shows and prints invoices, in the store itself. INVOICE is an invoice's id, CUSTOMER an account's.",
		d.invoiceList(), d.invoiceShow(), d.invoicePDF(), d.invoiceProfile(), d.invoiceIssuer())
}

func (d *desk) invoiceList() *cobra.Command {
	var customer, cycle string
	c := &cobra.Command{
		Use: "list", Short: "List invoices, the newest first", Args: exactly(0),
		RunE: func(c *cobra.Command, _ []string) error {
			q := invoice.Query{Customer: customer}
			if cycle != "" {
				var err error
				if q.Cycle, err = period.ParseCycle(cycle); err != nil {
					return usageError{fmt.Errorf("--cycle %q: want a month, such as 2026-11", cycle)}
				}
			}
			return d.with(c.Context(), func(h *house.House) (failed error) {
				err := d.table("INVOICE\tNUMBER\tCUSTOMER\tMETHOD\tCYCLE\tAMOUNT\tTAX\tSTATE\tAPPLIED", func(put func(string, ...any)) {
					for offset := 0; ; offset += 100 {
						page, err := h.Counter.Invoices(c.Context(), local("ListInvoicePapers"), q, offset, 100)
						if failed = err; err != nil || len(page.Papers) == 0 {
							return
						}
						for i := range page.Papers {
							p := &page.Papers[i]
							put("%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s", p.ID, dash(p.Number()), p.Customer, p.Method, p.Cycle, p.Amount, p.Tax, stateWord(p), p.Applied.UTC().Format("2006-01-02T15:04:05Z"))
						}
					}
				})
				return errors.Join(failed, err)
			})
		},
	}
	c.Flags().StringVar(&customer, "customer", "", "only those in this `customer`'s list")
	c.Flags().StringVar(&cycle, "cycle", "", "only those of this bill `month`, such as 2026-11")
	return c
}

func dash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

// stateWord says how far a paper is.
func stateWord(p *invoice.Paper) string {
	switch p.State() {
	case invoice.ToFill:
		return "waits for a tax id"
	case invoice.Draft:
		return "draft"
	case invoice.Returned:
		return "credited"
	}
	if p.Memo {
		return "credit memo"
	}
	return "done"
}

func (d *desk) invoiceShow() *cobra.Command {
	return &cobra.Command{
		Use: "show INVOICE", Short: "Show an invoice with its lines and taxes", Args: exactly(1),
		RunE: func(c *cobra.Command, args []string) error {
			return d.with(c.Context(), func(h *house.House) error {
				page, err := h.Counter.Invoice(c.Context(), local("ShowInvoicePaper"), args[0])
				if err != nil {
					return err
				}
				p := &page.Papers[0]
				fmt.Fprintf(d.out, "invoice %s, number %s: %s, by %s, %s, bill month %s\n", p.ID, dash(p.Number()), stateWord(p), p.Method, p.Applied.UTC().Format("2006-01-02T15:04:05Z"), p.Cycle)
				fmt.Fprintf(d.out, "customer %s, about %s, paid by %s\n", p.Customer, p.About, p.Payer)
				if !p.Due.IsZero() {
					fmt.Fprintf(d.out, "owed when it was issued, to be paid by %s\n", period.DateOf(p.Due))
				}
				if p.Source != "" {
					fmt.Fprintf(d.out, "credits invoice %s: %s\n", p.Source, p.Reason)
				}
				if s := p.Seal; s != nil {
					fmt.Fprintf(d.out, "from %s (%s)\nto %s, tax id %q, %s\n", s.Issuer.Name, s.Issuer.Code, s.Title, s.TaxID, strings.TrimSpace(s.Address+" "+s.Zip))
				}
				fmt.Fprintf(d.out, "amount before tax %s  coupons %s  tax %s  total %s %s  credited %s\n", p.Charged, p.Coupon, p.Tax, p.Amount, p.Currency, p.Credited)
				for _, t := range page.Taxes[p.ID] {
					fmt.Fprintf(d.out, "  %s %s %s of %s: %s\n", t.Class, t.SubClass, t.Rate, t.Base, t.Amount)
				}
				_, lines, err := h.Counter.InvoiceLines(c.Context(), local("ListInvoiceLines"), args[0], 0, 0)
				if err != nil {
					return err
				}
				return d.table("LINE\tSERVICE\tFOR\tAMOUNT\tCOUPONS\tTAX\tTOTAL", func(put func(string, ...any)) {
					for i := range lines {
						l := &lines[i]
						put("%d\t%s\t%s\t%s\t%s\t%s\t%s", l.No, l.ServiceName.En, strings.TrimSpace(l.Name.En+" "+l.Spec), l.Charged, l.Coupon, l.Tax, l.Amount)
					}
				})
			})
		},
	}
}

func (d *desk) invoicePDF() *cobra.Command {
	var language, file string
	c := &cobra.Command{
		Use: "pdf INVOICE", Short: "Print an invoice as PDF", Args: exactly(1),
		Long: "Prints an invoice into a file. It is made in a language when it is first asked for and is the same ever after.",
		RunE: func(c *cobra.Command, args []string) error {
			if language != "en_US" && language != "zh_CN" {
				return usageError{fmt.Errorf("--language %q: want en_US or zh_CN", language)}
			}
			return d.with(c.Context(), func(h *house.House) error {
				content, number, err := h.Counter.InvoicePDF(c.Context(), local("PrintInvoice"), args[0], catalog.LanguageOf(language))
				if err != nil {
					return err
				}
				if file == "" {
					file = number + ".pdf"
				}
				if err := os.WriteFile(file, content, 0o600); err != nil {
					return err
				}
				fmt.Fprintf(d.out, "invoice %s is in %s\n", number, file)
				return nil
			})
		},
	}
	d.fontFlag(c.Flags())
	c.Flags().StringVar(&language, "language", "en_US", "en_US or zh_CN")
	c.Flags().StringVarP(&file, "output", "o", "", "`file` to write (default: the number with .pdf)")
	return c
}

func (d *desk) invoiceProfile() *cobra.Command {
	var p invoice.Profile
	c := &cobra.Command{
		Use: "profile CUSTOMER", Short: "Show or set whom a customer's invoices are addressed to", Args: exactly(1),
		Long: "Shows the profile; with flags it is set as a whole. An enterprise needs a tax id first (purser customer set --tax-id).",
		RunE: func(c *cobra.Command, args []string) error {
			return d.with(c.Context(), func(h *house.House) (err error) {
				p.Customer = args[0]
				if c.Flags().NFlag() > 0 && anyChanged(c, "title", "address", "zip-code", "recipient", "mobile-phone", "email") {
					p, err = h.Counter.SetInvoiceProfile(c.Context(), local("SetInvoiceProfile"), p)
				} else {
					p, err = h.Counter.InvoiceProfile(c.Context(), local("ShowInvoiceProfile"), p.Customer)
				}
				if err == nil {
					fmt.Fprintf(d.out, "title %q, address %q, zip code %q, recipient %q, phone %q, e-mail %q\n", p.Title, p.Address, p.Zip, p.Recipient, p.Phone, p.Email)
				}
				return err
			})
		},
	}
	f := c.Flags()
	f.StringVar(&p.Title, "title", "", "`name` of the firm or person (default: the account's)")
	f.StringVar(&p.Address, "address", "", "postal `address`, in one line")
	f.StringVar(&p.Zip, "zip-code", "", "postal `code`")
	f.StringVar(&p.Recipient, "recipient", "", "`person` to whom it goes")
	f.StringVar(&p.Phone, "mobile-phone", "", "`number`")
	f.StringVar(&p.Email, "email", "", "`address`")
	return c
}

func anyChanged(c *cobra.Command, names ...string) bool {
	for _, name := range names {
		if c.Flags().Changed(name) {
			return true
		}
	}
	return false
}

func (d *desk) invoiceIssuer() *cobra.Command {
	var i invoice.Issuer
	c := &cobra.Command{
		Use: "issuer [CODE]", Short: "List who issues invoices, or name one", Args: cobra.MaximumNArgs(1),
		Long: "Without a code lists the issuers; with one and --name names or changes it. Without --countries it issues for every country that no other issuer has.",
		RunE: func(c *cobra.Command, args []string) error {
			return d.with(c.Context(), func(h *house.House) error {
				list := []invoice.Issuer{}
				var err error
				if len(args) == 1 {
					i.Code = args[0]
					i, err = h.Counter.SetIssuer(c.Context(), local("SetInvoiceIssuer"), i)
					list = append(list, i)
				} else {
					list, err = h.Counter.Issuers(c.Context(), local("ListInvoiceIssuers"))
				}
				if err != nil {
					return err
				}
				return d.table("CODE\tNAME\tTAX ID\tPREFIX\tCOUNTRIES", func(put func(string, ...any)) {
					for _, i := range list {
						put("%s\t%s\t%s\t%s\t%s", i.Code, i.Name, dash(i.TaxID), i.Prefix, dash(strings.Join(i.Countries, ",")))
					}
				})
			})
		},
	}
	f := c.Flags()
	f.StringVar(&i.Name, "name", "", "`name` of the legal entity")
	f.StringVar(&i.Address, "address", "", "postal `address`")
	f.StringVar(&i.TaxID, "tax-id", "", "its `number` with the tax office")
	f.StringVar(&i.Note, "note", "", "`text` at the end of each paper")
	f.StringVar(&i.Prefix, "prefix", "", "`text` before its numbers (default: the code in capitals and -)")
	f.StringSliceVar(&i.Countries, "countries", nil, "`codes` of countries, such as SG,MY")
	return c
}

// fontFlag adds the setting of what invoices are printed with beside the shipped font.
func (d *desk) fontFlag(f *pflag.FlagSet) {
	f.Func("invoice-font", "TrueType `file` that invoices are printed with where the shipped font lacks a character, such as traditional Chinese or Thai", func(name string) (err error) {
		if d.config.Font, err = os.ReadFile(name); err != nil {
			return err
		}
		return paper.CheckFont(d.config.Font)
	})
}

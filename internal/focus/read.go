package focus

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/purser-cloud/purser/client"
	"github.com/purser-cloud/purser/client/bss"
	"github.com/purser-cloud/purser/internal/period"
)

// Place is how far a reading has come. Its text is what a caller hands back to go on.
type Place struct {
	Back   int // months before the exported one that are read now; 0: itself
	Offset int // fee records of that month that lie behind
}

func (p Place) String() string { return strconv.Itoa(p.Back) + "." + strconv.Itoa(p.Offset) }

// LookBackMost is how many months may be looked through for terms that reach into one.
const LookBackMost = 36

// offsetMost is as in the contract (api.md 8.2).
const offsetMost = 1_000_000_000

// ParsePlace reads a place; an empty text is the beginning.
func ParsePlace(text string) (p Place, err error) {
	if text == "" {
		return p, nil
	}
	back, offset, ok := strings.Cut(text, ".")
	if p.Back, err = strconv.Atoi(back); err == nil {
		p.Offset, err = strconv.Atoi(offset)
	}
	if err != nil || !ok || p.Back < 0 || p.Back > LookBackMost || p.Offset < 0 || p.Offset > offsetMost || text != p.String() {
		return Place{}, fmt.Errorf("%q is no place of an export", text)
	}
	return p, nil
}

// Export is a month that is read through the public client.
type Export struct {
	BSS      *bss.ClientWithResponses
	Fees     client.FeesReader // nil: BSS
	Page     int               // records that are asked for at once; 0: as many as the contract lets
	Source   Source
	Cycle    period.Cycle
	Member   string                // whose charges; empty: the caller's own and its members'
	Back     int                   // months before it that are looked through for terms that reach into it
	From     Place                 // an export goes on there
	Most     int                   // records that are read, to the end of a page; 0: all
	Invoices client.InvoicesReader // nil: the endpoint is not asked which invoice a charge stands on
	Say      func(done, total int)
	Reached  func(Place) error // after the rows of each page were written; nil: nobody wants to know
}

// pageSize is how many records are asked for at once (api.md 8.2: at most 1000).
const pageSize = 1000

// PageWithin is how many are asked for at once within the house, which needs no contract for it: every page names its resources
// anew and finds its own beginning.
const PageWithin = 4000

// Run reads the month page by page and writes its rows. It says how many of its records it has read, and where to go on; done
// when there is nothing behind that.
func (e *Export) Run(ctx context.Context, to Writer) (records int, next Place, done bool, err error) {
	if e.Fees == nil {
		e.Fees = e.BSS
	}
	if e.Page == 0 {
		e.Page = pageSize
	}
	if e.Source.Units == nil {
		if err := e.units(ctx); err != nil {
			return 0, e.From, false, err
		}
	}
	ctx, end := context.WithCancel(ctx)
	defer end()
	var soon ahead
	next = e.From
	if next.Back == 0 {
		if e.Source.Invoices, err = client.InvoicesOf(ctx, e.Invoices, e.Cycle.String()); err != nil {
			return 0, next, false, err
		}
	}
	for read := 0; next.Back <= e.Back; next = (Place{Back: next.Back + 1}) {
		for {
			if e.Most > 0 && read >= e.Most {
				return records, next, false, nil
			}
			page := soon.take(ctx, e, next)
			if errors.Is(page.err, errTooOld) {
				return records, next, true, nil
			}
			if page.err != nil {
				return records, next, false, page.err
			}
			if n := len(page.reply.JSON200.FeeRecords); n == e.Page {
				left := int(page.reply.JSON200.TotalCount) - next.Offset - n
				if e.Most > 0 {
					left = min(left, e.Most-read-n)
				}
				soon.ask(ctx, e, Place{next.Back, next.Offset + n}, left)
			}
			n, total, err := e.page(&page, to)
			if err != nil {
				return records, next, false, err
			}
			next.Offset += n
			if read += n; next.Back == 0 {
				records += n
				if e.Say != nil {
					e.Say(next.Offset, total)
				}
			}
			if e.Reached != nil {
				if err := e.Reached(next); err != nil {
					return records, next, false, err
				}
			}
			if n == 0 || next.Offset >= total {
				break
			}
		}
	}
	return records, next, true, nil
}

func (e *Export) units(ctx context.Context) error {
	r, err := e.BSS.ListMeasureUnitsWithResponse(ctx, &bss.ListMeasureUnitsParams{XLanguage: new("en_US")})
	if err == nil && r.JSON200 == nil {
		err = fmt.Errorf("list units: %s: %s", r.Status(), r.Body)
	}
	if err != nil {
		return err
	}
	e.Source.Units = map[int32]string{}
	for _, u := range r.JSON200.MeasureUnits {
		e.Source.Units[u.MeasureId] = u.MeasureName
	}
	return nil
}

// errTooOld says that bills are not kept that long: an earlier month is refused too.
var errTooOld = errors.New("bills of that month are not kept")

// feePage is a page of fee records as it came.
type feePage struct {
	at    Place
	reply *bss.ListCustomerselfResourceRecordsReply
	err   error
}

// ahead are pages that were asked for before they are needed: the answer to one is made and read while another is written.
type ahead []chan feePage

// pagesAhead is how many.
const pagesAhead = 2

// take is the page at a place: as it was asked for ahead, else asked for now.
func (w *ahead) take(ctx context.Context, e *Export, at Place) feePage {
	for len(*w) > 0 {
		page := <-(*w)[0]
		*w = (*w)[1:]
		if page.at == at {
			return page
		}
	}
	return e.fetch(ctx, at)
}

// ask asks for the pages that follow a full one, up to a total and to the most that is wanted.
func (w *ahead) ask(ctx context.Context, e *Export, from Place, left int) {
	for n := len(*w); n < pagesAhead && n*e.Page < left; n++ {
		at := Place{Back: from.Back, Offset: from.Offset + n*e.Page}
		to := make(chan feePage, 1)
		*w = append(*w, to)
		go func() { to <- e.fetch(ctx, at) }()
	}
}

func (e *Export) fetch(ctx context.Context, at Place) feePage {
	bought := e.Cycle.Add(-at.Back)
	in := bss.ListCustomerselfResourceRecordsParams{Cycle: bought.String(), Offset: new(int32(at.Offset)), Limit: new(int32(e.Page)), StatisticType: new(bss.ListCustomerselfResourceRecordsParamsStatisticType(3)), XLanguage: new("en_US")}
	if e.Member != "" {
		in.Method, in.SubCustomerId = new(bss.ListCustomerselfResourceRecordsParamsMethod("sub_customer")), &e.Member
	}
	if at.Back > 0 {
		in.ChargeMode = new(bss.ListCustomerselfResourceRecordsParamsChargeMode("1"))
	}
	r, err := e.Fees.ListCustomerselfResourceRecordsWithResponse(ctx, &in)
	if err == nil && at.Back > 0 && at.Offset == 0 && r.StatusCode() == http.StatusBadRequest {
		err = errTooOld
	}
	if err == nil && r.JSON200 == nil {
		err = fmt.Errorf("list fee records of %s: %s: %s", bought, r.Status(), r.Body)
	}
	if err != nil {
		r = nil
	}
	return feePage{at, r, err}
}

// page writes the rows of a page: of the month all, of an earlier one what its terms bear of the month.
func (e *Export) page(page *feePage, to Writer) (n, total int, err error) {
	answer := page.reply.JSON200
	if e.Source.Currency == "" {
		e.Source.Currency = answer.Currency
	}
	var rows []Row
	for i := range answer.FeeRecords {
		f := &answer.FeeRecords[i]
		if page.at.Back == 0 {
			if rows, err = e.Source.Rows(f, e.Cycle, rows); err != nil {
				return 0, 0, err
			}
			continue
		}
		row, ok, err := e.Source.Later(f, e.Cycle.Add(-page.at.Back), e.Cycle)
		if err != nil {
			return 0, 0, err
		}
		if ok {
			rows = append(rows, row)
		}
	}
	return len(answer.FeeRecords), int(answer.TotalCount), to.Write(rows)
}

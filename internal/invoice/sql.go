package invoice

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/period"
)

// insertThing claims a thing for a paper; false: another has it.
func insertThing(ctx context.Context, tx *db.Tx, of *Thing, p *Paper) (bool, error) {
	n, err := tx.Exec(ctx, `INSERT INTO invoice_thing (customer, kind, id, holder, invoice) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (customer, kind, id) DO NOTHING`, of.Customer, of.Kind, of.ID, p.Customer, p.ID)
	if err != nil {
		return false, fmt.Errorf("invoice %s %s: %w", of.Kind, of.ID, err)
	}
	return n == 1, nil
}

func thing(ctx context.Context, r db.Reader, of *Thing) (holder, id string, found bool, err error) {
	err = r.QueryRow(ctx, `SELECT holder, invoice FROM invoice_thing WHERE customer = $1 AND kind = $2 AND id = $3`, of.Customer, of.Kind, of.ID).Scan(&holder, &id)
	if none(err) {
		return "", "", false, nil
	}
	if err != nil {
		return "", "", false, fmt.Errorf("look for the invoice of %s %s: %w", of.Kind, of.ID, err)
	}
	return holder, id, true, nil
}

const paperColumns = `customer, id, about, payer, method, trade_type, class, memo, source, reason, cycle, trade, currency, charged, coupon, tax, amount,
	applicant, applied_at, recorded_at, due_at`

var lineColumns = []string{
	"customer", "invoice", "no", "service", "resource_type", "spec", "region", "mode", "service_en", "service_zh", "name_en", "name_zh", "num", "starts_at", "ends_at",
	"charged", "coupon", "tax", "amount", "cut", "tax_rate", "inclusive",
}

var taxColumns = []string{"customer", "invoice", "no", "class", "sub_class", "rate", "base", "amount"}

func insertPaper(ctx context.Context, tx *db.Tx, p *Paper, lines []Line, taxes []Tax) error {
	_, err := tx.Exec(ctx, `INSERT INTO invoice_paper (`+paperColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17,
		$18, $19, $20, $21)`,
		p.Customer, p.ID, p.About, p.Payer, p.Method, int64(p.TradeType), int64(p.Class), db.Bool(p.Memo), p.Source, p.Reason, int64(p.Cycle), p.Trade,
		p.Currency, int64(p.Charged), int64(p.Coupon), int64(p.Tax), int64(p.Amount), p.Applicant, db.Micros(p.Applied), db.Micros(p.Recorded), db.Micros(p.Due))
	if err != nil {
		return fmt.Errorf("issue an invoice: %w", err)
	}
	rows := make([][]any, len(lines))
	for i := range lines {
		l := &lines[i]
		rows[i] = []any{
			p.Customer, p.ID, int64(l.No), l.Service, l.ResourceType, l.Spec, l.Region, int64(l.Mode), l.ServiceName.En, l.ServiceName.Zh, l.Name.En, l.Name.Zh,
			l.Num, db.Micros(l.Starts), db.Micros(l.Ends), int64(l.Charged), int64(l.Coupon), int64(l.Tax), int64(l.Amount), int64(l.Cut), l.TaxRate, db.Bool(l.Inclusive),
		}
	}
	if _, err := tx.Bulk(ctx, "invoice_line", lineColumns, rows, ""); err != nil {
		return fmt.Errorf("issue an invoice: %w", err)
	}
	rows = make([][]any, len(taxes))
	for i, t := range taxes {
		rows[i] = []any{p.Customer, p.ID, int64(i + 1), t.Class, t.SubClass, t.Rate, int64(t.Base), int64(t.Amount)}
	}
	if _, err := tx.Bulk(ctx, "invoice_tax", taxColumns, rows, ""); err != nil {
		return fmt.Errorf("issue an invoice: %w", err)
	}
	return nil
}

func enqueue(ctx context.Context, tx *db.Tx, p *Paper) error {
	_, err := tx.Exec(ctx, `INSERT INTO invoice_queue (customer, invoice, waits, recorded_at) VALUES ($1, $2, 0, $3)`, p.Customer, p.ID, db.Micros(p.Recorded))
	if err != nil {
		return fmt.Errorf("queue an invoice: %w", err)
	}
	return nil
}

func scanPaper(row db.Row) (p Paper, err error) {
	var memo, applied, recorded, due int64
	err = row.Scan(&p.Customer, &p.ID, &p.About, &p.Payer, &p.Method, &p.TradeType, &p.Class, &memo, &p.Source, &p.Reason, &p.Cycle, &p.Trade, &p.Currency,
		&p.Charged, &p.Coupon, &p.Tax, &p.Amount, &p.Applicant, &applied, &recorded, &due)
	p.Memo, p.Applied, p.Recorded, p.Due = memo == 1, db.TimeOf(applied), db.TimeOf(recorded), db.TimeOf(due)
	return p, err
}

func collectPapers(rows db.Rows, err error) (out []Paper, _ error) {
	if err != nil {
		return nil, fmt.Errorf("read invoices: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		p, err := scanPaper(rows)
		if err != nil {
			return nil, fmt.Errorf("read invoices: %w", err)
		}
		out = append(out, p)
	}
	return out, rows.Err()
}

func find(ctx context.Context, r db.Reader, customer, id string) ([]Paper, error) {
	return collectPapers(r.Query(ctx, `SELECT `+paperColumns+` FROM invoice_paper WHERE id = $1 AND ($2 = '' OR customer = $2)`, id, customer))
}

// list composes its text from fixed pieces; every value is bound.
func list(ctx context.Context, r db.Reader, q *Query, offset, limit int) (total int, page []Paper, err error) {
	var words []string
	var args []any
	also := func(text string, value any) {
		args = append(args, value)
		words = append(words, text+`$`+strconv.Itoa(len(args)))
	}
	if q.Customer != "" {
		also(`customer = `, q.Customer)
	}
	if q.About != "" {
		also(`about = `, q.About)
	}
	if !q.From.IsZero() {
		also(`applied_at >= `, db.Micros(q.From))
	}
	if !q.To.IsZero() {
		also(`applied_at < `, db.Micros(q.To.Add(time.Second))) // its second is within
	}
	if q.Cycle != 0 {
		also(`cycle = `, int64(q.Cycle))
	}
	if q.Memo != nil {
		also(`memo = `, db.Bool(*q.Memo))
	}
	where := ``
	if len(words) > 0 {
		where = ` WHERE ` + strings.Join(words, ` AND `)
	}
	if err := r.QueryRow(ctx, `SELECT count(*) FROM invoice_paper`+where, args...).Scan(&total); err != nil {
		return 0, nil, fmt.Errorf("count invoices: %w", err)
	}
	args = append(args, int64(limit), int64(offset))
	page, err = collectPapers(r.Query(ctx, `SELECT `+paperColumns+` FROM invoice_paper`+where+` ORDER BY applied_at DESC, id DESC LIMIT $`+
		strconv.Itoa(len(args)-1)+` OFFSET $`+strconv.Itoa(len(args)), args...))
	return total, page, err
}

// fill reads what lies beside papers: seals, whether they wait, what credit memos took.
func fill(ctx context.Context, r db.Reader, list []Paper) error {
	at := map[string]*Paper{}
	ids := make([]string, len(list))
	for i := range list {
		at[list[i].ID], ids[i] = &list[i], list[i].ID
	}
	for part := range slices.Chunk(ids, db.InMost) {
		var args []any
		in := db.In(part, &args)
		rows, err := r.Query(ctx, `SELECT `+sealColumns+` FROM invoice_seal WHERE invoice IN `+in, args...)
		if err != nil {
			return fmt.Errorf("read numbers: %w", err)
		}
		for rows.Next() {
			s, err := scanSeal(rows)
			if err != nil {
				rows.Close()
				return fmt.Errorf("read numbers: %w", err)
			}
			at[s.invoice].Seal = &s
		}
		rows.Close()
		if err := rows.Err(); err != nil {
			return fmt.Errorf("read numbers: %w", err)
		}
		each := func(text string, take func(id string, n int64)) error {
			rows, err := r.Query(ctx, text+in+` GROUP BY 1`, args...)
			if err != nil {
				return fmt.Errorf("read invoices: %w", err)
			}
			defer rows.Close()
			for rows.Next() {
				var id string
				var n int64
				if err := rows.Scan(&id, &n); err != nil {
					return fmt.Errorf("read invoices: %w", err)
				}
				take(id, n)
			}
			return rows.Err()
		}
		if err := each(`SELECT invoice, CAST(max(waits) AS BIGINT) FROM invoice_queue WHERE invoice IN `, func(id string, n int64) { at[id].Waits = n == 1 }); err != nil {
			return err
		}
		if err := each(`SELECT source, CAST(sum(amount) AS BIGINT) FROM invoice_paper WHERE source <> '' AND source IN `, func(id string, n int64) { at[id].Credited = -money.Amount(n) }); err != nil {
			return err
		}
	}
	return nil
}

func lines(ctx context.Context, r db.Reader, customer, id string, offset, limit int) (total int, page []Line, err error) {
	text := `SELECT ` + strings.Join(lineColumns[2:], ", ") + ` FROM invoice_line WHERE customer = $1 AND invoice = $2 ORDER BY no`
	args := []any{customer, id}
	if limit > 0 {
		if err := r.QueryRow(ctx, `SELECT count(*) FROM invoice_line WHERE customer = $1 AND invoice = $2`, args...).Scan(&total); err != nil {
			return 0, nil, fmt.Errorf("count lines: %w", err)
		}
		text += ` LIMIT $3 OFFSET $4`
		args = append(args, int64(limit), int64(offset))
	}
	rows, err := r.Query(ctx, text, args...)
	if err != nil {
		return 0, nil, fmt.Errorf("read lines: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var l Line
		var starts, ends, inclusive int64
		if err := rows.Scan(&l.No, &l.Service, &l.ResourceType, &l.Spec, &l.Region, &l.Mode, &l.ServiceName.En, &l.ServiceName.Zh, &l.Name.En, &l.Name.Zh, &l.Num,
			&starts, &ends, &l.Charged, &l.Coupon, &l.Tax, &l.Amount, &l.Cut, &l.TaxRate, &inclusive); err != nil {
			return 0, nil, fmt.Errorf("read lines: %w", err)
		}
		l.Starts, l.Ends, l.Inclusive = db.TimeOf(starts), db.TimeOf(ends), inclusive == 1
		page = append(page, l)
	}
	return max(total, len(page)), page, rows.Err()
}

func taxesOf(ctx context.Context, r db.Reader, customer string, ids []string) (map[string][]Tax, error) {
	out := map[string][]Tax{}
	for part := range slices.Chunk(ids, db.InMost-1) {
		args := []any{customer}
		rows, err := r.Query(ctx, `SELECT invoice, class, sub_class, rate, base, amount FROM invoice_tax WHERE customer = $1 AND invoice IN `+db.In(part, &args)+` ORDER BY invoice, no`, args...)
		if err != nil {
			return nil, fmt.Errorf("read taxes: %w", err)
		}
		for rows.Next() {
			var id string
			var t Tax
			if err := rows.Scan(&id, &t.Class, &t.SubClass, &t.Rate, &t.Base, &t.Amount); err != nil {
				rows.Close()
				return nil, fmt.Errorf("read taxes: %w", err)
			}
			out[id] = append(out[id], t)
		}
		rows.Close()
		if err := rows.Err(); err != nil {
			return nil, fmt.Errorf("read taxes: %w", err)
		}
	}
	return out, nil
}

func receipts(ctx context.Context, r db.Reader, about string) ([]Paper, error) {
	list, err := collectPapers(r.Query(ctx, `SELECT `+paperColumns+` FROM invoice_paper WHERE about = $1 AND trade_type = 7 ORDER BY applied_at DESC, id DESC`, about))
	if err != nil {
		return nil, err
	}
	if err := fill(ctx, r, list); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(list, func(p Paper) bool { return p.Credited >= p.Amount }), nil
}

func traded(ctx context.Context, r db.Reader, about, payer string, cycle period.Cycle) (map[Product]Line, error) {
	rows, err := r.Query(ctx, `SELECT l.service, l.resource_type, l.mode, p.memo, CAST(sum(l.charged) AS BIGINT), CAST(sum(l.coupon) AS BIGINT), CAST(sum(l.tax) AS BIGINT)
		FROM invoice_paper p JOIN invoice_line l ON l.customer = p.customer AND l.invoice = p.id
		WHERE p.about = $1 AND p.payer = $2 AND p.cycle = $3 AND p.trade <> '' AND p.method <> 'receipt' GROUP BY l.service, l.resource_type, l.mode, p.memo`,
		about, payer, int64(cycle))
	if err != nil {
		return nil, fmt.Errorf("sum invoices: %w", err)
	}
	defer rows.Close()
	out := map[Product]Line{}
	for rows.Next() {
		var key Product
		var l Line
		var memo int64
		if err := rows.Scan(&key.Service, &key.ResourceType, &key.Mode, &memo, &l.Charged, &l.Coupon, &l.Tax); err != nil {
			return nil, fmt.Errorf("sum invoices: %w", err)
		}
		key.Memo = memo == 1
		out[key] = l
	}
	return out, rows.Err()
}

func spells(ctx context.Context, r db.Reader, customer string) ([]Spell, error) {
	rows, err := r.Query(ctx, `SELECT since_at, method FROM invoice_method WHERE customer = $1 ORDER BY since_at`, customer)
	if err != nil {
		return nil, fmt.Errorf("read invoice methods: %w", err)
	}
	defer rows.Close()
	var out []Spell
	for rows.Next() {
		var s Spell
		var since int64
		if err := rows.Scan(&since, &s.Method); err != nil {
			return nil, fmt.Errorf("read invoice methods: %w", err)
		}
		s.Since = db.TimeOf(since)
		out = append(out, s)
	}
	return out, rows.Err()
}

func addSpell(ctx context.Context, tx *db.Tx, customer string, since time.Time, method string) error {
	_, err := tx.Exec(ctx, `INSERT INTO invoice_method (customer, since_at, method) VALUES ($1, $2, $3)
		ON CONFLICT (customer, since_at) DO UPDATE SET method = excluded.method`, customer, db.Micros(since), method)
	if err != nil {
		return fmt.Errorf("keep the invoice method: %w", err)
	}
	return nil
}

const sealColumns = `issuer, no, customer, invoice, number, sealed_at, title_type, title, tax_id, country, address, recipient, zip, phone, email, about_name,
	issuer_name, issuer_address, issuer_tax_id, issuer_note`

func scanSeal(row db.Row) (s Seal, err error) {
	var sealed, enterprise int64
	err = row.Scan(&s.Issuer.Code, &s.No, &s.customer, &s.invoice, &s.Number, &sealed, &enterprise, &s.Title, &s.TaxID, &s.Country, &s.Address, &s.Recipient, &s.Zip,
		&s.Phone, &s.Email, &s.AboutName, &s.Issuer.Name, &s.Issuer.Address, &s.Issuer.TaxID, &s.Issuer.Note)
	s.Sealed, s.Enterprise = db.TimeOf(sealed), enterprise == 1
	return s, err
}

// turn lists papers whose turn it is to get a number.
func turn(ctx context.Context, r db.Reader, n int) ([]Paper, error) {
	return collectPapers(r.Query(ctx, `SELECT `+paperColumns+` FROM invoice_paper p JOIN (SELECT customer AS c, invoice, recorded_at AS at FROM invoice_queue
		WHERE waits = 0 ORDER BY recorded_at, customer, invoice LIMIT $1) q ON q.c = p.customer AND q.invoice = p.id ORDER BY q.at, p.applied_at, p.customer, p.id`, int64(n)))
}

// anyTurn says whether turn would list any.
func anyTurn(ctx context.Context, r db.Reader) (bool, error) {
	var n int
	err := r.QueryRow(ctx, `SELECT count(*) FROM (SELECT 1 FROM invoice_queue WHERE waits = 0 LIMIT 1) one`).Scan(&n)
	if err != nil {
		return false, fmt.Errorf("look for papers without a number: %w", err)
	}
	return n > 0, nil
}

func lastNo(ctx context.Context, r db.Reader, issuer string) (n int64, err error) {
	if err = r.QueryRow(ctx, `SELECT CAST(coalesce(max(no), 0) AS BIGINT) FROM invoice_seal WHERE issuer = $1`, issuer).Scan(&n); err != nil {
		err = fmt.Errorf("read the last number: %w", err)
	}
	return n, err
}

func insertSeal(ctx context.Context, tx *db.Tx, s *Seal) error {
	_, err := tx.Exec(ctx, `INSERT INTO invoice_seal (`+sealColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)`,
		s.Issuer.Code, s.No, s.customer, s.invoice, s.Number, db.Micros(s.Sealed), db.Bool(s.Enterprise), s.Title, s.TaxID, s.Country, s.Address, s.Recipient, s.Zip,
		s.Phone, s.Email, s.AboutName, s.Issuer.Name, s.Issuer.Address, s.Issuer.TaxID, s.Issuer.Note)
	if err == nil {
		_, err = tx.Exec(ctx, `DELETE FROM invoice_queue WHERE customer = $1 AND invoice = $2`, s.customer, s.invoice)
	}
	if err != nil {
		return fmt.Errorf("number an invoice: %w", err)
	}
	return nil
}

func setWaits(ctx context.Context, tx *db.Tx, customer, id string, waits bool) error {
	text, args := `UPDATE invoice_queue SET waits = $1 WHERE customer = $2`, []any{db.Bool(waits), customer}
	if id != "" {
		text += ` AND invoice = $3`
		args = append(args, id)
	}
	if _, err := tx.Exec(ctx, text, args...); err != nil {
		return fmt.Errorf("queue an invoice: %w", err)
	}
	return nil
}

const profileColumns = `customer, title, address, recipient, zip, phone, email, changed_at`

func profile(ctx context.Context, r db.Reader, customer string) (p Profile, err error) {
	var changed int64
	err = r.QueryRow(ctx, `SELECT `+profileColumns+` FROM invoice_profile WHERE customer = $1`, customer).
		Scan(&p.Customer, &p.Title, &p.Address, &p.Recipient, &p.Zip, &p.Phone, &p.Email, &changed)
	if none(err) {
		return Profile{Customer: customer}, nil
	}
	if err != nil {
		return p, fmt.Errorf("read the invoice profile: %w", err)
	}
	p.Changed = db.TimeOf(changed)
	return p, nil
}

func setProfile(ctx context.Context, tx *db.Tx, p *Profile) error {
	_, err := tx.Exec(ctx, `INSERT INTO invoice_profile (`+profileColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (customer) DO UPDATE SET
		title = excluded.title, address = excluded.address, recipient = excluded.recipient, zip = excluded.zip, phone = excluded.phone, email = excluded.email,
		changed_at = excluded.changed_at`, p.Customer, p.Title, p.Address, p.Recipient, p.Zip, p.Phone, p.Email, db.Micros(p.Changed))
	if err != nil {
		return fmt.Errorf("keep the invoice profile: %w", err)
	}
	return nil
}

func issuers(ctx context.Context, r db.Reader) ([]Issuer, error) {
	rows, err := r.Query(ctx, `SELECT code, name, address, tax_id, note, prefix, countries, changed_at FROM invoice_issuer ORDER BY code`)
	if err != nil {
		return nil, fmt.Errorf("read issuers: %w", err)
	}
	defer rows.Close()
	var out []Issuer
	for rows.Next() {
		var i Issuer
		var countries string
		var changed int64
		if err := rows.Scan(&i.Code, &i.Name, &i.Address, &i.TaxID, &i.Note, &i.Prefix, &countries, &changed); err != nil {
			return nil, fmt.Errorf("read issuers: %w", err)
		}
		if i.Changed = db.TimeOf(changed); countries != "" {
			i.Countries = strings.Split(countries, ",")
		}
		out = append(out, i)
	}
	return out, rows.Err()
}

func setIssuer(ctx context.Context, tx *db.Tx, i *Issuer) error {
	_, err := tx.Exec(ctx, `INSERT INTO invoice_issuer (code, name, address, tax_id, note, prefix, countries, changed_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
		ON CONFLICT (code) DO UPDATE SET name = excluded.name, address = excluded.address, tax_id = excluded.tax_id, note = excluded.note,
		countries = excluded.countries, changed_at = excluded.changed_at`,
		i.Code, i.Name, i.Address, i.TaxID, i.Note, i.Prefix, strings.Join(i.Countries, ","), db.Micros(i.Changed))
	if err != nil {
		return fmt.Errorf("keep the issuer: %w", err)
	}
	return nil
}

func file(ctx context.Context, r db.Reader, customer, id, language string) (content []byte, err error) {
	err = r.QueryRow(ctx, `SELECT content FROM invoice_file WHERE customer = $1 AND invoice = $2 AND language = $3`, customer, id, language).Scan(&content)
	if none(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the printed invoice: %w", err)
	}
	return content, nil
}

func insertFile(ctx context.Context, tx *db.Tx, customer, id, language string, content []byte) error {
	_, err := tx.Exec(ctx, `INSERT INTO invoice_file (customer, invoice, language, content, made_at) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (customer, invoice, language) DO NOTHING`, customer, id, language, content, db.Micros(tx.Real))
	if err != nil {
		return fmt.Errorf("keep the printed invoice: %w", err)
	}
	return nil
}

// gaps names issuers whose numbers are not 1, 2, 3 …
func gaps(ctx context.Context, r db.Reader) (wrong []string, err error) {
	rows, err := r.Query(ctx, `SELECT issuer, count(*), CAST(min(no) AS BIGINT), CAST(max(no) AS BIGINT) FROM invoice_seal GROUP BY issuer ORDER BY issuer`)
	if err != nil {
		return nil, fmt.Errorf("check numbers: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var issuer string
		var n, first, last int64
		if err := rows.Scan(&issuer, &n, &first, &last); err != nil {
			return nil, fmt.Errorf("check numbers: %w", err)
		}
		if first != 1 || last != n {
			wrong = append(wrong, fmt.Sprintf("issuer %s: %d numbers from %d to %d: there is a gap", issuer, n, first, last))
		}
	}
	return wrong, rows.Err()
}

// papersAbout lists all papers about a customer, in the order in which they were made, with the things that stand on them.
func papersAbout(ctx context.Context, r db.Reader, about string) ([]Paper, error) {
	return collectPapers(r.Query(ctx, `SELECT `+paperColumns+` FROM invoice_paper WHERE about = $1 ORDER BY applied_at, id`, about))
}

// numbers reads the numbers of a month's papers about a customer that are over some trades, or over none (the month's own). What
// stands on several has an empty one.
func numbers(ctx context.Context, r db.Reader, about string, cycle period.Cycle, trades []string) (map[string]string, error) {
	out := map[string]string{}
	for part := range slices.Chunk(trades, db.InMost) {
		args := []any{about, int64(cycle)}
		rows, err := r.Query(ctx, `SELECT p.trade, coalesce(s.number, '') FROM invoice_paper p LEFT JOIN invoice_seal s ON s.invoice = p.id
			WHERE p.about = $1 AND p.cycle = $2 AND p.method <> 'receipt' AND p.trade IN `+db.In(part, &args), args...)
		if err != nil {
			return nil, fmt.Errorf("read numbers of invoices: %w", err)
		}
		for rows.Next() {
			var trade, number string
			if err := rows.Scan(&trade, &number); err != nil {
				rows.Close()
				return nil, fmt.Errorf("read numbers of invoices: %w", err)
			}
			if _, twice := out[trade]; twice {
				number = ""
			}
			out[trade] = number
		}
		rows.Close()
		if err := rows.Err(); err != nil {
			return nil, fmt.Errorf("read numbers of invoices: %w", err)
		}
	}
	return out, nil
}

// thingsOf lists what of a customer stands on papers, by paper.
func thingsOf(ctx context.Context, r db.Reader, about string) (map[string][]Thing, error) {
	rows, err := r.Query(ctx, `SELECT customer, kind, id, invoice FROM invoice_thing WHERE customer = $1 ORDER BY kind, id`, about)
	if err != nil {
		return nil, fmt.Errorf("check invoices: %w", err)
	}
	defer rows.Close()
	out := map[string][]Thing{}
	for rows.Next() {
		var t Thing
		var invoice string
		if err := rows.Scan(&t.Customer, &t.Kind, &t.ID, &invoice); err != nil {
			return nil, fmt.Errorf("check invoices: %w", err)
		}
		out[invoice] = append(out[invoice], t)
	}
	return out, rows.Err()
}

// lineSums adds up the lines and the taxes of the papers about a customer, by paper.
func lineSums(ctx context.Context, r db.Reader, about string) (map[string]Line, map[string]money.Amount, error) {
	lines, taxes := map[string]Line{}, map[string]money.Amount{}
	rows, err := r.Query(ctx, `SELECT p.id, CAST(sum(l.charged) AS BIGINT), CAST(sum(l.coupon) AS BIGINT), CAST(sum(l.tax) AS BIGINT), CAST(sum(l.amount) AS BIGINT),
		CAST(sum(l.cut) AS BIGINT) FROM invoice_paper p JOIN invoice_line l ON l.customer = p.customer AND l.invoice = p.id WHERE p.about = $1 GROUP BY p.id`, about)
	if err != nil {
		return nil, nil, fmt.Errorf("check invoices: %w", err)
	}
	for rows.Next() {
		var id string
		var l Line
		if err := rows.Scan(&id, &l.Charged, &l.Coupon, &l.Tax, &l.Amount, &l.Cut); err != nil {
			rows.Close()
			return nil, nil, fmt.Errorf("check invoices: %w", err)
		}
		lines[id] = l
	}
	rows.Close()
	if err := rows.Err(); err != nil {
		return nil, nil, err
	}
	rows, err = r.Query(ctx, `SELECT p.id, CAST(sum(t.amount) AS BIGINT) FROM invoice_paper p JOIN invoice_tax t ON t.customer = p.customer AND t.invoice = p.id
		WHERE p.about = $1 GROUP BY p.id`, about)
	if err != nil {
		return nil, nil, fmt.Errorf("check invoices: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		var tax money.Amount
		if err := rows.Scan(&id, &tax); err != nil {
			return nil, nil, fmt.Errorf("check invoices: %w", err)
		}
		taxes[id] = tax
	}
	return lines, taxes, rows.Err()
}

// lastOf finds the latest invoice about a customer's months for a payer.
func lastOf(ctx context.Context, r db.Reader, about, payer string) (Paper, bool, error) {
	list, err := collectPapers(r.Query(ctx, `SELECT `+paperColumns+` FROM invoice_paper WHERE about = $1 AND payer = $2 AND memo = 0 AND trade = '' ORDER BY applied_at DESC, id DESC LIMIT 1`, about, payer))
	if err != nil || len(list) == 0 {
		return Paper{}, false, err
	}
	return list[0], true, nil
}

func aboutOthers(ctx context.Context, r db.Reader, customer string) (out []string, err error) {
	rows, err := r.Query(ctx, `SELECT DISTINCT about FROM invoice_paper WHERE customer = $1 AND about <> customer ORDER BY about`, customer)
	if err != nil {
		return nil, fmt.Errorf("check invoices: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var about string
		if err := rows.Scan(&about); err != nil {
			return nil, fmt.Errorf("check invoices: %w", err)
		}
		out = append(out, about)
	}
	return out, rows.Err()
}

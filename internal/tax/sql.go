package tax

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/money"
)

const columns = `country, class, from_at, rate, inclusive, kind, parts`

// partsText keeps parts as "CGST:0.09,SGST:0.09".
func partsText(parts []Part) string {
	words := make([]string, len(parts))
	for i, p := range parts {
		words[i] = p.Name + ":" + p.Rate.String()
	}
	return strings.Join(words, ",")
}

func parseParts(text string) (out []Part, err error) {
	if text == "" {
		return nil, nil
	}
	for word := range strings.SplitSeq(text, ",") {
		name, rate, _ := strings.Cut(word, ":")
		p := Part{Name: name}
		if p.Rate, err = money.ParseDecimal(rate); err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

func put(ctx context.Context, tx *db.Tx, r *Rate) error {
	n, err := tx.Exec(ctx, `INSERT INTO tax_rate (`+columns+`, set_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
		ON CONFLICT (country, class, from_at) DO NOTHING`,
		r.Country, r.Class, db.Micros(r.From), r.Rate.String(), db.Bool(r.Inclusive), r.Kind, partsText(r.Parts), db.Micros(tx.Real))
	if err != nil {
		return fmt.Errorf("set a tax rate: %w", err)
	}
	if n == 0 {
		return fault.New(fault.Conflict, "PURSER.0113", "there is a rate for %s from that instant on already", r.Country)
	}
	return nil
}

func list(ctx context.Context, r db.Reader) ([]Rate, error) {
	rows, err := r.Query(ctx, `SELECT `+columns+` FROM tax_rate ORDER BY country, class, from_at`)
	return scan(rows, err)
}

// inForce reads the last rate of each class that has begun.
func inForce(ctx context.Context, r db.Reader, country, whole string, at time.Time) (Table, error) {
	t := Table{country: country}
	var any int64
	if err := r.QueryRow(ctx, `SELECT count(*) FROM (SELECT 1 FROM tax_rate LIMIT 1) a`).Scan(&any); err != nil {
		return t, fmt.Errorf("look for tax rates: %w", err)
	}
	if t.taxed = any > 0; !t.taxed {
		return t, nil
	}
	rows, err := r.Query(ctx, `SELECT `+columns+` FROM tax_rate
		WHERE country IN ($1, $2) AND from_at <= $3 ORDER BY length(country), class, from_at`, country, whole, db.Micros(at))
	list, err := scan(rows, err)
	t.byClass = make(map[string]Rate, len(list))
	for _, rate := range list { // a region's behind its country's, later ones behind earlier ones
		t.byClass[rate.Class] = rate
	}
	return t, err
}

func scan(rows db.Rows, err error) ([]Rate, error) {
	if err != nil {
		return nil, fmt.Errorf("read tax rates: %w", err)
	}
	defer rows.Close()
	var out []Rate
	for rows.Next() {
		var r Rate
		var from, inclusive int64
		var rate, parts string
		if err := rows.Scan(&r.Country, &r.Class, &from, &rate, &inclusive, &r.Kind, &parts); err != nil {
			return nil, fmt.Errorf("read tax rates: %w", err)
		}
		if r.Rate, err = money.ParseDecimal(rate); err != nil {
			return nil, fmt.Errorf("tax rate of %s: %w", r.Country, err)
		}
		if r.Parts, err = parseParts(parts); err != nil {
			return nil, fmt.Errorf("tax rate of %s: %w", r.Country, err)
		}
		r.From, r.Inclusive = db.TimeOf(from), inclusive == 1
		out = append(out, r)
	}
	return out, rows.Err()
}

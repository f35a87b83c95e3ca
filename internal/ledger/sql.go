package ledger

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/money"
)

func insertEntry(ctx context.Context, tx *db.Tx, e *Entry) (bool, error) {
	n, err := tx.Exec(ctx, `INSERT INTO ledger_entry (customer, id, cause, reference, note, booked_at, recorded_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (customer, cause, reference) DO NOTHING`,
		e.Customer, e.ID, e.Cause, e.Reference, e.Note, db.Micros(e.Booked), db.Micros(e.Recorded))
	if err != nil {
		return false, fmt.Errorf("book an entry: %w", err)
	}
	return n == 1, nil
}

var postingColumns = []string{"customer", "entry", "line", "giver", "taker", "amount"}

func insertPostings(ctx context.Context, tx *db.Tx, e *Entry) error {
	rows := make([][]any, len(e.Postings))
	for i, p := range e.Postings {
		rows[i] = []any{e.Customer, e.ID, int64(i), string(p.Giver), string(p.Taker), int64(p.Amount)}
	}
	if _, err := tx.Bulk(ctx, "ledger_posting", postingColumns, rows, ""); err != nil {
		return fmt.Errorf("book postings: %w", err)
	}
	return nil
}

var balanceColumns = []string{"customer", "account", "amount"}

// setBalances keeps some accounts of a customer's balances.
func setBalances(ctx context.Context, tx *db.Tx, customer string, b *Balances, accounts []Account) error {
	rows := make([][]any, len(accounts))
	for i, a := range accounts {
		rows[i] = []any{customer, string(a), int64(*b.of(a))}
	}
	if _, err := tx.Bulk(ctx, "ledger_balance", balanceColumns, rows, "ON CONFLICT (customer, account) DO UPDATE SET amount = excluded.amount"); err != nil {
		return fmt.Errorf("keep balances: %w", err)
	}
	return nil
}

func readBalances(ctx context.Context, r db.Reader, customer string) (b Balances, err error) {
	rows, err := r.Query(ctx, `SELECT account, amount FROM ledger_balance WHERE customer = $1`, customer)
	if err != nil {
		return b, fmt.Errorf("read balances: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var account string
		var amount int64
		if err := rows.Scan(&account, &amount); err != nil {
			return b, fmt.Errorf("read balances: %w", err)
		}
		*b.of(Account(account)) = money.Amount(amount)
	}
	return b, rows.Err()
}

// eachSum hands over the postings of a customer, those between the same two accounts as one.
func eachSum(ctx context.Context, r db.Reader, customer string, take func(Posting) error) error {
	rows, err := r.Query(ctx, `SELECT giver, taker, CAST(sum(amount) AS BIGINT) FROM ledger_posting WHERE customer = $1 GROUP BY giver, taker`, customer)
	return sums(rows, err, take)
}

// eachSumBetween is eachSum over the entries booked from one instant on and before another.
func eachSumBetween(ctx context.Context, r db.Reader, customer string, from, to time.Time, take func(Posting) error) error {
	rows, err := r.Query(ctx, `SELECT p.giver, p.taker, CAST(sum(p.amount) AS BIGINT) FROM ledger_entry e
		JOIN ledger_posting p ON p.customer = e.customer AND p.entry = e.id
		WHERE e.customer = $1 AND e.booked_at >= $2 AND e.booked_at < $3 GROUP BY p.giver, p.taker`, customer, db.Micros(from), db.Micros(to))
	return sums(rows, err, take)
}

func sums(rows db.Rows, err error, take func(Posting) error) error {
	if err != nil {
		return fmt.Errorf("sum postings: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var giver, taker string
		var amount int64
		if err := rows.Scan(&giver, &taker, &amount); err != nil {
			return fmt.Errorf("sum postings: %w", err)
		}
		if err := take(Posting{Account(giver), Account(taker), money.Amount(amount)}); err != nil {
			return err
		}
	}
	return rows.Err()
}

func customers(ctx context.Context, r db.Reader, after string, n int) ([]string, error) {
	rows, err := r.Query(ctx, `SELECT DISTINCT customer FROM ledger_entry WHERE customer > $1 ORDER BY customer LIMIT $2`, after, n)
	if err != nil {
		return nil, fmt.Errorf("list books: %w", err)
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var customer string
		if err := rows.Scan(&customer); err != nil {
			return nil, fmt.Errorf("list books: %w", err)
		}
		out = append(out, customer)
	}
	return out, rows.Err()
}

func park(ctx context.Context, tx *db.Tx, customer, reason string) error {
	_, err := tx.Exec(ctx, `INSERT INTO ledger_parked (customer, reason, parked_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`,
		customer, reason, db.Micros(tx.Real))
	return err
}

func release(ctx context.Context, tx *db.Tx, customer string) (bool, error) {
	n, err := tx.Exec(ctx, `DELETE FROM ledger_parked WHERE customer = $1`, customer)
	return n == 1, err
}

func parked(ctx context.Context, r db.Reader, n int) (total int, customers []string, err error) {
	if err := r.QueryRow(ctx, `SELECT count(*) FROM ledger_parked`).Scan(&total); err != nil || total == 0 {
		return 0, nil, err
	}
	rows, err := r.Query(ctx, `SELECT customer FROM ledger_parked ORDER BY parked_at, customer LIMIT $1`, n)
	if err != nil {
		return 0, nil, fmt.Errorf("list parked customers: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var one string
		if err := rows.Scan(&one); err != nil {
			return 0, nil, fmt.Errorf("list parked customers: %w", err)
		}
		customers = append(customers, one)
	}
	return total, customers, rows.Err()
}

func parkedFor(ctx context.Context, r db.Reader, customer string) (reason string, parked bool, err error) {
	err = r.QueryRow(ctx, `SELECT reason FROM ledger_parked WHERE customer = $1`, customer).Scan(&reason)
	if errors.Is(err, db.ErrNoRows) {
		return "", false, nil
	}
	return reason, err == nil, err
}

func list(ctx context.Context, r db.Reader, customer string, offset, limit int) (total int, page []Entry, err error) {
	if err := r.QueryRow(ctx, `SELECT count(*) FROM ledger_entry WHERE customer = $1`, customer).Scan(&total); err != nil {
		return 0, nil, fmt.Errorf("count entries: %w", err)
	}
	rows, err := r.Query(ctx, `SELECT e.id, e.cause, e.reference, e.note, e.booked_at, e.recorded_at, p.giver, p.taker, p.amount
		FROM (SELECT id, cause, reference, note, booked_at, recorded_at FROM ledger_entry WHERE customer = $1
			ORDER BY booked_at DESC, id DESC LIMIT $2 OFFSET $3) e
		JOIN ledger_posting p ON p.customer = $1 AND p.entry = e.id ORDER BY e.booked_at DESC, e.id DESC, p.line`, customer, limit, offset)
	if err != nil {
		return 0, nil, fmt.Errorf("list entries: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		e := Entry{Customer: customer}
		var booked, recorded, amount int64
		var giver, taker string
		if err := rows.Scan(&e.ID, &e.Cause, &e.Reference, &e.Note, &booked, &recorded, &giver, &taker, &amount); err != nil {
			return 0, nil, fmt.Errorf("list entries: %w", err)
		}
		if len(page) == 0 || page[len(page)-1].ID != e.ID {
			e.Booked, e.Recorded = db.TimeOf(booked), db.TimeOf(recorded)
			page = append(page, e)
		}
		last := &page[len(page)-1]
		last.Postings = append(last.Postings, Posting{Account(giver), Account(taker), money.Amount(amount)})
	}
	return total, page, rows.Err()
}

func owing(ctx context.Context, r db.Reader, after string, n int) (out []Owed, err error) {
	rows, err := r.Query(ctx, `SELECT customer, CAST(sum(CASE WHEN account = 'debt' THEN amount ELSE 0 END) AS BIGINT),
		CAST(sum(CASE WHEN account = 'credit' THEN amount ELSE 0 END) AS BIGINT)
		FROM ledger_balance WHERE customer > $1 AND account IN ('debt', 'credit') AND amount > 0 GROUP BY customer ORDER BY customer LIMIT $2`, after, n)
	if err != nil {
		return nil, fmt.Errorf("list who owes: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var o Owed
		if err := rows.Scan(&o.Customer, &o.Debt, &o.Credit); err != nil {
			return nil, fmt.Errorf("list who owes: %w", err)
		}
		out = append(out, o)
	}
	return out, rows.Err()
}

func booked(ctx context.Context, r db.Reader, customer, cause, reference string) (e Entry, found bool, err error) {
	rows, err := r.Query(ctx, `SELECT e.id, e.note, e.booked_at, e.recorded_at, p.giver, p.taker, p.amount FROM ledger_entry e
		JOIN ledger_posting p ON p.customer = e.customer AND p.entry = e.id
		WHERE e.customer = $1 AND e.cause = $2 AND e.reference = $3 ORDER BY p.line`, customer, cause, reference)
	if err != nil {
		return e, false, fmt.Errorf("find an entry: %w", err)
	}
	defer rows.Close()
	e = Entry{Customer: customer, Cause: cause, Reference: reference}
	for rows.Next() {
		var bookedAt, recorded, amount int64
		var giver, taker string
		if err := rows.Scan(&e.ID, &e.Note, &bookedAt, &recorded, &giver, &taker, &amount); err != nil {
			return e, false, fmt.Errorf("find an entry: %w", err)
		}
		e.Booked, e.Recorded = db.TimeOf(bookedAt), db.TimeOf(recorded)
		e.Postings = append(e.Postings, Posting{Account(giver), Account(taker), money.Amount(amount)})
	}
	return e, e.ID != "", rows.Err()
}

func moved(ctx context.Context, r db.Reader, customer, entry string) (sum money.Amount, err error) {
	err = r.QueryRow(ctx, `SELECT CAST(coalesce(sum(amount), 0) AS BIGINT) FROM ledger_posting
		WHERE customer = $1 AND entry = $2 AND (giver = 'topup' OR taker = 'topup')`, customer, entry).Scan(&sum)
	if err != nil {
		return 0, fmt.Errorf("read an entry: %w", err)
	}
	return sum, nil
}

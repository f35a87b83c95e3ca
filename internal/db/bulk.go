package db

import (
	"context"
	"fmt"
	"math/bits"
	"strconv"
	"strings"
	"sync"
)

// Bulk adds many rows to a table with as few statements as the engine likes, and says how many were added or changed.
// tail goes behind the rows ("" or "ON CONFLICT …"). Columns hold int64, string or []byte, each of one type in all
// rows. Table, columns and tail are texts of the code, never input.
//
// SQLite gets VALUES lists of a few fixed lengths, which stay prepared; PostgreSQL one statement over arrays.
func (t *Tx) Bulk(ctx context.Context, table string, columns []string, rows [][]any, tail string) (touched int64, err error) {
	if len(rows) == 0 {
		return 0, nil
	}
	if b, ok := t.on.(bulker); ok {
		text, args, err := b.bulk(table, columns, rows, tail)
		if err != nil {
			return 0, err
		}
		return t.Exec(ctx, text, args...)
	}
	args := make([]any, 0, min(len(rows), bulkMost)*len(columns))
	for len(rows) > 0 {
		n := 1 << (bits.Len(uint(min(len(rows), bulkMost))) - 1)
		if args = args[:0]; t.seen != nil {
			args = nil // a listener keeps them
		}
		for _, row := range rows[:n] {
			args = append(args, row...)
		}
		more, err := t.Exec(ctx, valuesText(table, columns, n, tail), args...)
		if err != nil {
			return touched, err
		}
		touched, rows = touched+more, rows[n:]
	}
	return touched, nil
}

// Columns are the names in a list of columns, as a Bulk wants them.
func Columns(list string) []string {
	names := strings.Split(list, ",")
	for i := range names {
		names[i] = strings.TrimSpace(names[i])
	}
	return names
}

// Load adds many rows that are known to be new: COPY on PostgreSQL, a Bulk on SQLite.
func (t *Tx) Load(ctx context.Context, table string, columns []string, rows [][]any) error {
	if len(rows) == 0 {
		return nil
	}
	if l, ok := t.on.(loader); ok {
		t.hearCopy(table, columns, rows)
		return l.load(ctx, table, columns, rows)
	}
	_, err := t.Bulk(ctx, table, columns, rows, "")
	return err
}

// Claim adds those of some rows whose keys are not there yet, and says how many these were. Where likely none is there, all
// are copied in on PostgreSQL, twice as fast; one that is there after all undoes the copy, and the rows go in as by Bulk.
func (t *Tx) Claim(ctx context.Context, table string, columns []string, rows [][]any, likely bool) (added int64, err error) {
	if l, ok := t.on.(loader); ok && likely && len(rows) >= copyLeast {
		switch done, err := l.tryLoad(ctx, table, columns, rows); {
		case err != nil:
			return 0, err
		case done:
			t.hearCopy(table, columns, rows)
			return int64(len(rows)), nil
		}
	}
	return t.Bulk(ctx, table, columns, rows, "ON CONFLICT DO NOTHING")
}

// copyLeast is how many rows are worth a COPY.
const copyLeast = 20

// loader is a session that can copy rows in. tryLoad leaves the transaction as it was, and is not done, when a key of one
// is there already.
type loader interface {
	load(ctx context.Context, table string, columns []string, rows [][]any) error
	tryLoad(ctx context.Context, table string, columns []string, rows [][]any) (done bool, err error)
}

// bulkMost is how many rows one statement of SQLite adds; fewer are added by powers of two.
const bulkMost = 128

// bulker is a session that adds many rows in a way of its own.
type bulker interface {
	bulk(table string, columns []string, rows [][]any, tail string) (text string, args []any, err error)
}

type valuesKey struct {
	table, columns, tail string
	n                    int
}

var valuesTexts sync.Map // of valuesKey

func valuesText(table string, columns []string, n int, tail string) string {
	key := valuesKey{table, strings.Join(columns, ", "), tail, n}
	if text, ok := valuesTexts.Load(key); ok {
		return text.(string)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "INSERT INTO %s (%s) VALUES ", table, key.columns)
	row := "(?" + strings.Repeat(", ?", len(columns)-1) // a parameter with a number has a name, and the engine looks through all of them
	for range n - 1 {
		b.WriteString(row + "), ")
	}
	b.WriteString(row)
	b.WriteString(") ")
	b.WriteString(tail)
	valuesTexts.Store(key, b.String())
	return b.String()
}

// InMost is how many values a list of In should have at most; a caller with more asks several times.
const InMost = 100

// In is "($2, $3, …)" with the values added to args, for "column IN …". The last value stands there several times, so that lists have
// few lengths: each length is a statement of its own that is prepared and kept.
func In[T any](values []T, args *[]any) string {
	if len(values) == 0 {
		return "(NULL)" // nothing is among them
	}
	var b strings.Builder
	places := 1
	for places < len(values) {
		places *= 2
	}
	for i := range places {
		*args = append(*args, values[min(i, len(values)-1)])
		b.WriteString([2]string{", $", "($"}[Bool(i == 0)])
		b.WriteString(strconv.Itoa(len(*args)))
	}
	b.WriteByte(')')
	return b.String()
}

// Within is the condition that a column is one of some values, with them added to args: " AND column IN (…)". Nil: no
// condition. An empty list: nothing fits.
func Within[T any](column string, values []T, args *[]any) string {
	switch {
	case values == nil:
		return ""
	case len(values) == 0:
		return " AND 1 = 0"
	}
	return " AND " + column + " IN " + In(values, args)
}

// Like is the pattern of "lower(column) LIKE $n ESCAPE '!'" that finds a text anywhere, without case.
func Like(part string) string {
	return "%" + strings.NewReplacer("!", "!!", "%", "!%", "_", "!_").Replace(strings.ToLower(part)) + "%"
}

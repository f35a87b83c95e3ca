package db

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// A full disk refuses what has no room, in words; what was there stays, reading goes on, and so does writing as soon as
// there is room.
func TestFullDisk(t *testing.T) {
	ctx, at := t.Context(), Instants{Now: time.Unix(1, 0), Real: time.Unix(1, 0)}
	e, err := openSQLite(ctx, filepath.Join(t.TempDir(), "small.db"), "max_page_count(200)")
	if err != nil {
		t.Fatal(err)
	}
	d := &DB{engine: e, name: SQLite}
	defer d.Close()
	exec := func(text string, args ...any) error {
		return d.Update(ctx, at, func(tx *Tx) error { _, err := tx.Exec(ctx, text, args...); return err })
	}
	if err := exec(`CREATE TABLE room (id INTEGER PRIMARY KEY, body BLOB NOT NULL)`); err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	kept, refused := map[int]bool{}, 0
	var wg sync.WaitGroup
	for i := range 400 {
		wg.Go(func() {
			err := exec(`INSERT INTO room (id, body) VALUES ($1, $2)`, int64(i), bytes.Repeat([]byte{1}, 4000))
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				kept[i] = true
			case Trouble(err) == "the disk of the store is full":
				refused++
			default:
				t.Errorf("%d: %v", i, err)
			}
		})
	}
	wg.Wait()
	if len(kept) < 100 || refused < 100 {
		t.Errorf("%d kept, %d refused", len(kept), refused)
	}
	var have int
	count := func() error {
		return d.View(ctx, at, func(v *View) error { return v.QueryRow(ctx, `SELECT count(*) FROM room`).Scan(&have) })
	}
	if err := count(); err != nil || have != len(kept) {
		t.Errorf("%d rows, %d were taken, %v", have, len(kept), err)
	}
	for i := range kept {
		if err := exec(fmt.Sprintf(`DELETE FROM room WHERE id <> %d`, i)); err != nil {
			t.Fatal(err)
		}
		break
	}
	if err := exec(`INSERT INTO room (id, body) VALUES (1000, $1)`, []byte("room again")); err != nil {
		t.Errorf("with room again: %v", err)
	}
	if err := count(); err != nil || have != 2 {
		t.Errorf("%d rows, %v", have, err)
	}
	if Trouble(fmt.Errorf("keep: %w", &pgconn.PgError{Code: "40001"})) != "the store is busy" {
		t.Error("who kept losing is not told to come again")
	}
	if Trouble(context.Canceled) != "" || Trouble(nil) != "" {
		t.Error("what is no trouble of the engine")
	}
}

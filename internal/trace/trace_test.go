package trace_test

import (
	"context"
	"crypto/rand"
	"strings"
	"testing"
	"time"

	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/db/dbtest"
	"github.com/purser-cloud/purser/internal/trace"
)

func TestBodyHoldsNoSecret(t *testing.T) {
	text := trace.Body([]byte(`{"order_id":"CS1","auth":{"Password":"hunter2","list":[{"secret_key":"s3"}]},"n":1}`))
	if strings.Contains(text, "hunter2") || strings.Contains(text, "s3") || !strings.Contains(text, "CS1") {
		t.Errorf("kept %s", text)
	}
	if got := trace.Body([]byte(`password=hunter2`)); got != "" {
		t.Errorf("a body that is not JSON: %q", got)
	}
	if got := trace.Body([]byte(`{"x":"` + strings.Repeat("é", 4000) + `"}`)); len(got) > 2048 || strings.ToValidUTF8(got, "") != got {
		t.Errorf("%d bytes, or half a character", len(got))
	}
}

func TestRecord(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		now := time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC)
		for i, name := range []string{"a", "b"} {
			err := d.Update(ctx, db.Instants{Now: now.AddDate(0, i, 0), Real: now}, func(tx *db.Tx) error {
				return trace.Record(ctx, tx, rand.Reader, &trace.Line{Customer: "c", Name: name, Rating: trace.Normal}, false)
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		err := d.View(ctx, dbtest.At(now), func(v *db.View) error {
			list, err := trace.Latest(ctx, v, "c", 10)
			if err != nil || len(list) != 2 || list[0].Name != "b" || !list[0].Recorded.Equal(now) || list[0].Happened.Equal(now) {
				t.Errorf("%v, %+v", err, list)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

package trace

import (
	"context"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/go-faster/jx"
	"pgregory.net/rapid"

	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/db/dbtest"
)

// Every member of a line comes back from where it waits: one that is added to Line and forgotten here is found.
func TestPackedLineIsWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var l Line
		v := reflect.ValueOf(&l).Elem()
		for i := range v.NumField() {
			switch f := v.Field(i); f.Interface().(type) {
			case string:
				f.SetString(rapid.String().Draw(t, v.Type().Field(i).Name))
			case bool:
				f.SetBool(rapid.Bool().Draw(t, v.Type().Field(i).Name))
			case time.Time:
				f.Set(reflect.ValueOf(time.UnixMicro(rapid.Int64Range(1, 4e15).Draw(t, v.Type().Field(i).Name)).UTC()))
			default:
				t.Fatalf("%s is of a new type", v.Type().Field(i).Name)
			}
		}
		packed := l.pack()
		var direct, waited jx.Writer
		l.AppendJSON(&direct)
		if err := appendWaiting(&waited, place{l.Service, db.Micros(l.Recorded), l.ID}, packed); err != nil || direct.String() != waited.String() {
			t.Fatalf("%v\n%s\n%s", err, direct.String(), waited.String())
		}
		cut := rapid.IntRange(0, len(packed)-1).Draw(t, "cut")
		if err := new(Line).unpack(packed[:cut]); err == nil {
			t.Fatalf("%d of %d bytes are taken for a line", cut, len(packed))
		}
	})
}

// Lines that an earlier purser let wait go into the files as well, in their order, each once.
func TestTakeOver(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		now := time.Date(2026, 11, 28, 4, 0, 0, 0, time.UTC)
		tracker := &Tracker{Customer: "c", Project: "p", Name: System, Region: "r", Plain: true}
		const old = takenMost + 7
		err := d.Update(ctx, dbtest.At(now), func(tx *db.Tx) error {
			for _, project := range []string{"p", "other"} {
				var rows [][]any
				for i := range old {
					l := Line{Customer: "c", Project: project, ID: "old" + strings.Repeat("0", i%3), Service: "BSS", Name: "payOrder", Recorded: now.Add(time.Duration(i) * time.Second), ResourceName: "é\\\"\n"}
					var w jx.Writer
					l.AppendJSON(&w)
					rows = append(rows, []any{"c", project, "BSS", db.Micros(l.Recorded), l.ID, w.String()})
				}
				if err := tx.Load(ctx, "trace_waiting", waitingColumns, rows); err != nil {
					return err
				}
			}
			return Wait(ctx, tx, []Line{{Customer: "c", Project: "p", ID: "new", Service: "BSS", Name: "payOrder", Recorded: now.Add(3 * time.Second / 2)}})
		})
		if err != nil {
			t.Fatal(err)
		}
		for more := true; more; {
			if err := d.Update(ctx, dbtest.At(now), func(tx *db.Tx) (err error) { more, err = TakeOver(ctx, tx, tracker); return err }); err != nil {
				t.Fatal(err)
			}
		}
		var f *File
		if err := d.View(ctx, dbtest.At(now), func(v *db.View) (err error) { f, err = Pack(ctx, v, zeros{}, tracker, "", nil); return err }); err != nil {
			t.Fatal(err)
		}
		var lines []struct {
			ID     string `json:"trace_id"`
			Record int64  `json:"record_time"`
			Name   string `json:"resource_name"`
		}
		if err := json.Unmarshal(f.Body, &lines); err != nil || len(lines) != old+1 || f.Lines != old+1 {
			t.Fatalf("%v: %d lines, %d said", err, len(lines), f.Lines)
		}
		if lines[2].ID != "new" || lines[3].ID != "old00" || lines[3].Name != "é\\\"\n" {
			t.Errorf("%+v", lines[:4])
		}
		for i := range lines[1:] {
			if lines[i].Record >= lines[i+1].Record {
				t.Errorf("line %d is not in order", i)
			}
		}
	})
}

// A file that was packed beside another is refused when a line came in before it meanwhile.
func TestPackedBesideAnother(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		now := time.Date(2026, 11, 28, 4, 0, 0, 0, time.UTC)
		tracker := &Tracker{Customer: "c", Project: "p", Name: System, Region: "r"}
		wait := func(n int, id string, at time.Time) {
			t.Helper()
			var list []Line
			for i := range n {
				list = append(list, Line{Customer: "c", Project: "p", ID: id, Service: "BSS", Recorded: at.Add(time.Duration(i) * time.Millisecond)})
			}
			if err := d.Update(ctx, dbtest.At(now), func(tx *db.Tx) error { return Wait(ctx, tx, list) }); err != nil {
				t.Fatal(err)
			}
		}
		pack := func(before *File) (f *File) {
			t.Helper()
			if err := d.View(ctx, dbtest.At(now), func(v *db.View) (err error) { f, err = Pack(ctx, v, zeros{}, tracker, "", before); return err }); err != nil {
				t.Fatal(err)
			}
			return f
		}
		wait(LinesMost+3, "a", now)
		first := pack(nil)
		second := pack(first)
		if first.Lines != LinesMost || second.Lines != 3 {
			t.Fatalf("%d and %d lines", first.Lines, second.Lines)
		}
		keep := func(f *File) error {
			return d.Update(ctx, dbtest.At(now), func(tx *db.Tx) error { return f.Keep(ctx, tx) })
		}
		if err := keep(first); err != nil {
			t.Fatal(err)
		}
		wait(1, "late", now)
		if err := keep(second); err != ErrMoved {
			t.Errorf("with a line before it: %v", err)
		}
		if again := pack(nil); again.Lines != 4 {
			t.Errorf("packed anew: %d lines", again.Lines)
		}
	})
}

// zeros are as good as random here.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

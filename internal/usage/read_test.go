package usage

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/money"
)

const good = `{"source":"m","id":"1","customer_id":"c","resource_id":"r","resource_size":40,"size_measure_id":"17","tags":{"a":"b"},"usage_factor":"Duration","usage_value":"3600.5","usage_measure_id":6,"start_time":"2026-11-23T12:00:00+08:00","end_time":"2026-11-23T05:00:00Z","more":[{}]}`

// In every form the same record comes out; what cannot be read of one record leaves the others alone, and each keeps its place.
func TestReader(t *testing.T) {
	want := Record{
		Source: "m", ID: "1", Customer: "c", Resource: "r", Factor: "Duration", Unit: 6,
		Start: time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC), End: time.Date(2026, 11, 23, 5, 0, 0, 0, time.UTC),
	}
	for name, k := range map[string]struct {
		read  func(*Reader, []byte) error
		text  string
		wrong string // of each record "-" or "x"
	}{
		"array":          {(*Reader).Array, "[" + good + ",\n" + good + "]", "--"},
		"empty array":    {(*Reader).Array, " [] ", ""},
		"one is bad":     {(*Reader).Array, "[" + good + `, 7, {"id":7}, {"usage_value":"x"}, {"start_time":"noon"}, {"tags":{"a":1}}, ` + good + "]", "-xxxxx-"},
		"lines":          {(*Reader).Lines, good + "\n\n" + good + "\r\n", "--"},
		"broken lines":   {(*Reader).Lines, good + "\nnonsense\n{\"id\":\n[1]\n" + good, "-xxx-"},
		"events":         {(*Reader).Events, `[{"specversion":"1.0","source":"m","id":"1","type":"t","data":` + good + `},{"id":"2"}]`, "-x"},
		"odd events":     {(*Reader).Events, `[7, {"source":1,"id":"2","data":` + good + `}, {"id":["1"],"data":{}}, {"data":7}, {"source":"m","id":"1","data":` + good + `}]`, "xxxx-"},
		"two in a line":  {(*Reader).Lines, good + good + "\n" + good, "x-"},
		"null is absent": {(*Reader).Array, "[" + strings.Replace(good, `"more":[{}]`, `"region":null,"resource_name":null`, 1) + "]", "-"},
	} {
		in := Reader{Most: 10}
		if err := k.read(&in, []byte(k.text)); err != nil || len(in.Records) != len(k.wrong) {
			t.Errorf("%s: %d records, %v", name, len(in.Records), err)
			continue
		}
		for i := range in.Records {
			r := in.Records[i]
			if bad := in.Wrong(i) != nil; bad != (k.wrong[i] == 'x') {
				t.Errorf("%s: record %d: %v", name, i, in.Wrong(i))
			} else if !bad {
				if r.Value.String() != "3600.5" || r.Size.Value != money.DecimalOf(40) || r.Size.Unit != 17 || r.Tags["a"] != "b" {
					t.Errorf("%s: %+v", name, r)
				}
				r.Value, r.Size, r.Tags = want.Value, want.Size, nil
				if r.Source != want.Source || r.ID != want.ID || r.Customer != want.Customer || r.Resource != want.Resource || r.Factor != want.Factor || r.Unit != want.Unit || !r.Start.Equal(want.Start) || !r.End.Equal(want.End) {
					t.Errorf("%s: %+v", name, r)
				}
			}
		}
	}
	for name, read := range map[string]func(*Reader) error{
		"no array":     func(in *Reader) error { return in.Array([]byte(good)) },
		"cut off":      func(in *Reader) error { return in.Array([]byte("[" + good)) },
		"more behind":  func(in *Reader) error { return in.Array([]byte("[" + good + "][" + good + "]")) },
		"rubbish":      func(in *Reader) error { return in.Events([]byte(`[] x`)) },
		"nothing":      func(in *Reader) error { return in.Array(nil) },
		"no events":    func(in *Reader) error { return in.Events([]byte(`{"data":1}`)) },
		"too many":     func(in *Reader) error { return in.Array([]byte("[" + good + "," + good + "]")) },
		"lines beyond": func(in *Reader) error { return in.Lines([]byte(good + "\n" + good)) },
	} {
		if err := read(&Reader{Most: 1}); !fault.Is(err, "CBC.0100") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What is packed comes out again, and no bytes make the reading of a segment fail otherwise than by saying so.
func TestSegment(t *testing.T) {
	end := time.Date(2026, 11, 23, 5, 0, 0, 0, time.UTC)
	rapid.Check(t, func(t *rapid.T) {
		list := rapid.SliceOf(rapid.Custom(func(t *rapid.T) counted {
			last := end.UnixMicro() - rapid.Int64Range(0, 1<<50).Draw(t, "back")
			return counted{
				meter: rapid.Int64Min(0).Draw(t, "meter"), quantity: rapid.Int64Min(0).Draw(t, "quantity"),
				end: last, start: last - rapid.Int64Range(0, 1<<42).Draw(t, "length"), key: rapid.String().Draw(t, "key"),
			}
		})).Draw(t, "records")
		packed := packSegment(end, list)
		i := 0
		err := unpackSegment(end, packed, func(meter, quantity, start, end int64, key []byte) error {
			if got := (counted{meter, quantity, start, end, string(key)}); got != list[i] {
				t.Fatalf("record %d: %+v, packed %+v", i, got, list[i])
			}
			i++
			return nil
		})
		if err != nil || i != len(list) {
			t.Fatalf("%d of %d, %v", i, len(list), err)
		}
		garbled := append([]byte{segmentForm}, rapid.SliceOf(rapid.Byte()).Draw(t, "bytes")...)
		unpackSegment(end, garbled, func(_, _, _, _ int64, _ []byte) error { return nil }) //nolint:errcheck // it must not panic
	})
}

// A bucket holds the instant in which a record ends.
func TestBucketOf(t *testing.T) {
	at := func(text string) time.Time { v, _ := time.Parse("2006-01-02 15:04:05 -07", text+" +08"); return v }
	for _, k := range []struct {
		start, end string
		unit       string
		want       string
	}{
		{"2026-11-23 08:00:00", "2026-11-23 09:00:00", "hour", "2026-11-23 09:00:00"},
		{"2026-11-23 08:59:59", "2026-11-23 09:00:01", "hour", "2026-11-23 10:00:00"},
		{"2026-11-23 09:00:00", "2026-11-23 09:00:00", "hour", "2026-11-23 10:00:00"},
		{"2026-11-30 23:00:00", "2026-12-01 00:00:00", "day", "2026-12-01 00:00:00"},
		{"2026-11-30 23:00:00", "2026-12-01 00:00:00", "month", "2026-12-01 00:00:00"},
		{"2026-12-01 00:00:00", "2026-12-01 00:00:00", "month", "2027-01-01 00:00:00"},
	} {
		if got := BucketOf(bucketUnits[k.unit], at(k.start), at(k.end)); !got.End.Equal(at(k.want)) {
			t.Errorf("%s to %s by the %s: ends %s", k.start, k.end, k.unit, got.End)
		}
	}
}

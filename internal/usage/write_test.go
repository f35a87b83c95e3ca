package usage

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/rating"
)

// A record that passes its checks is read back from its line as it was.
func TestAppendLine(t *testing.T) {
	text := func(t *rapid.T, label string) string {
		return rapid.StringN(1, 20, 100).Filter(func(s string) bool { return !hasControl(s) }).Draw(t, label)
	}
	rapid.Check(t, func(t *rapid.T) {
		decimal := func(label string) money.Decimal {
			d, err := money.NewDecimal(rapid.Int64Range(1, 1e15).Draw(t, label), rapid.IntRange(0, 8).Draw(t, label+" scale"))
			if err != nil {
				t.Fatal(err)
			}
			return d
		}
		start := time.UnixMicro(rapid.Int64Range(1e15, 2e15).Draw(t, "start")).UTC()
		r := Record{
			Source: text(t, "source"), ID: text(t, "id"), Customer: text(t, "customer"), Resource: text(t, "resource"), Factor: text(t, "factor"),
			Value: decimal("value"), Unit: rapid.Int32Range(1, 100).Draw(t, "unit"), Start: start, End: start.Add(time.Duration(rapid.Int64Range(0, 1e12).Draw(t, "length")) * time.Microsecond),
		}
		if rapid.Bool().Draw(t, "described") {
			r.Described = Described{Service: text(t, "service"), ResourceType: text(t, "type"), Spec: text(t, "spec"), Region: text(t, "region"), Project: text(t, "project"), Size: rating.Size{Value: decimal("size"), Unit: 17}}
			r.Name, r.Tags = text(t, "name"), map[string]string{"a": text(t, "tag"), text(t, "tag name"): ""}
		}
		in := Reader{Most: 2}
		line := AppendLine(AppendLine(nil, &r), &r)
		if err := in.Lines(line); err != nil || len(in.Records) != 2 || in.Wrong(0) != nil || in.Wrong(1) != nil {
			t.Fatalf("%v, %v: %s", err, in.Wrong(0), line)
		}
		if got := &in.Records[1]; got.digest() != r.digest() || got.key() != r.key() || got.Customer != r.Customer || got.Name != r.Name || tagText(got.Tags) != tagText(r.Tags) || saidBy(got) != saidBy(&r) || !got.Start.Equal(r.Start) || !got.End.Equal(r.End) {
			t.Fatalf("%+v became %+v", r, *got)
		}
	})
}

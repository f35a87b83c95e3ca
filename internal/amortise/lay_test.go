package amortise

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/period"
)

func TestLay(t *testing.T) {
	charges := []Charge{
		0:  {Resource: "a", Order: "o1", Day: 100, From: 100, To: 130},
		1:  {Resource: "a", Order: "o2", Day: 120, From: 130, To: 160},              // renewed
		2:  {Resource: "a", Order: "o3", Kind: Change, Day: 125, From: 90, To: 160}, // upgraded
		3:  {Resource: "a", Order: "o4", Base: "o2", Kind: Refund, Day: 126},        // the renewal given back
		4:  {Resource: "b", Order: "o5", Day: 100},                                  // being provisioned
		5:  {Resource: "c", Order: "o6", Day: 105, From: 95, To: 125},               // renewed late
		6:  {Resource: "d", Order: "o7", Day: 100, From: 100, To: 130},              // degraded, then given back
		7:  {Resource: "d", Order: "o8", Base: "o7", Kind: ChangeBack, Day: 110},    //
		8:  {Resource: "d", Order: "o9", Base: "o7", Kind: Refund, Day: 115},        //
		9:  {Resource: "e", Order: "o10", Day: 100, From: 100, To: 130},             // a refund that does not say of what
		10: {Resource: "e", Order: "o11", Day: 101, From: 130, To: 160},             //
		11: {Resource: "e", Order: "o12", Kind: Refund, Day: 102},                   //
		12: {Resource: "f", Order: "o13", Day: 100, From: 60, To: 90},               // renewed after its end
	}
	want := []Spread{
		{From: 100, To: 130}, {From: 130, To: 160, End: 126}, {From: 125, To: 160}, {From: 126, To: 127}, {From: 100, To: 101}, {From: 105, To: 125},
		{From: 100, To: 130, End: 115}, {From: 110, To: 130, End: 115}, {From: 115, To: 116}, {From: 100, To: 130, End: 102}, {From: 130, To: 160, End: 102},
		{From: 102, To: 103}, {From: 100, To: 101},
	}
	for i, got := range Lay(charges) {
		if got != want[i] {
			t.Errorf("%d: %+v, want %+v", i, got, want[i])
		}
	}
}

// Whatever was charged, changed and given back: all days together bear what was charged, and none before it was.
func TestNothingIsLost(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 12).Draw(t, "n")
		charges, totals := make([]Charge, n), make([]money.Amount, n)
		var sum money.Amount
		for i := range charges {
			day := period.Date(rapid.Int64Range(1000, 1100).Draw(t, "day"))
			from := day + period.Date(rapid.Int64Range(-40, 40).Draw(t, "from"))
			charges[i] = Charge{
				Resource: rapid.SampledFrom([]string{"a", "b"}).Draw(t, "resource"), Order: fmt.Sprint("o", i), Kind: Kind(rapid.IntRange(0, 3).Draw(t, "kind")), Day: day,
				From: from, To: from + period.Date(rapid.Int64Range(-1, 60).Draw(t, "days")), Base: rapid.SampledFrom([]string{"", "o0", "o1", "o2"}).Draw(t, "base"),
			}
			totals[i] = money.Amount(rapid.Int64Range(-1e10, 1e10).Draw(t, "total"))
			sum += totals[i]
		}
		var borne money.Amount
		for i, s := range Lay(charges) {
			s.Total = totals[i]
			if s.First() < charges[i].Day {
				t.Fatalf("%+v falls on %d", charges[i], s.First())
			}
			for d := period.Date(900); d < 1400; d++ {
				borne += s.On(d)
			}
		}
		if borne != sum {
			t.Fatalf("%s borne of %s", borne, sum)
		}
	})
}

package ident

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

// A run's ids are neighbours that ascend, go on over the end of the count, and lie by when in the day they were made.
func TestCharges(t *testing.T) {
	at := time.Date(2026, 11, 28, 7, 59, 59, 0, time.FixedZone("GMT+8", 8*3600)) // 23:59:59 of the 27th
	c, err := NewCharges(Stream("test"), at)
	if err != nil {
		t.Fatal(err)
	}
	const many = 36*36*36 + 10
	seen, last := map[ChargeID]bool{}, ChargeID("")
	for i := range many {
		id := c.Next(at)
		if len(id) != len("FR")+6+13 || !strings.HasPrefix(string(id), "FR261127ZZ") || seen[id] || id <= last {
			t.Fatalf("id %d: %s after %s", i, id, last)
		}
		seen[id], last = true, id
	}
	early, err := NewCharges(Stream("test"), at.Add(time.Second))
	if err != nil || !strings.HasPrefix(string(early.Next(at.Add(time.Second))), "FR26112800") {
		t.Errorf("the first of the next day: %v", err)
	}
	other, err := NewCharges(Stream("other"), at)
	if err != nil || seen[other.Next(at)] {
		t.Errorf("another run begins with the same id: %v", err)
	}
	if _, err := NewCharges(bytes.NewReader(nil), at); err == nil {
		t.Error("a run without randomness")
	}
}

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

// Traces sort by when they happened, to the microsecond, and where a clock stands by real time, to the millisecond.
func TestTraceIDsSort(t *testing.T) {
	now := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	random, last, seen := Stream("test"), TraceID(""), map[TraceID]bool{}
	next := func(at, real time.Time) {
		t.Helper()
		id, err := NewTraceID(random, at, real)
		if err != nil || id <= last || len(id) != 36 || id[14] != '7' || !strings.ContainsAny(string(id[19]), "89ab") {
			t.Fatalf("%s after %s, %v", id, last, err)
		}
		last = id
	}
	for i := range 3000 {
		at := now.Add(time.Duration(i) * 7 * time.Microsecond)
		next(at, at)
	}
	stands := now.AddDate(0, 0, 1)
	for i := range 3000 {
		next(stands, now.Add(time.Duration(i)*977*time.Millisecond))
	}
	for range 1000 { // of one transaction
		id, err := NewTraceID(random, stands, now)
		if err != nil || seen[id] {
			t.Fatal(id, err)
		}
		seen[id] = true
	}
}

package housetest

import (
	"testing"
	"time"

	"github.com/purser-cloud/purser/client/purser"
	"github.com/purser-cloud/purser/internal/period"
)

// From is a clock that showed an instant when it was made, and goes on from there.
func From(at time.Time) func() time.Time {
	made := time.Now()
	return func() time.Time { return at.Add(time.Since(made)) }
}

// Soon is an instant at which a clock stands for longer than any test takes; hours of the bill month have been settled by then.
func Soon() time.Time { return in(2 * time.Hour) }

// InTheMonth is soon too, but later when the bill month has only begun: ten days have passed of it, GMT+8.
func InTheMonth() time.Time { return in(10 * 24 * time.Hour) }

func in(month time.Duration) time.Time {
	at := time.Now().Add(10 * time.Minute).Truncate(time.Second)
	if least := period.CycleOf(at).Span().Start.Add(month); at.Before(least) {
		return least
	}
	return at
}

// Stand lets the house's clock stand at an instant, and waits for what lies in between: no hour ends, and settles, between two answers
// that a test holds against each other.
func Stand(t testing.TB, operator *purser.ClientWithResponses, at time.Time) {
	t.Helper()
	r, err := operator.MoveClockWithResponse(t.Context(), purser.MoveClockRequest{Time: at.UTC().Format(time.RFC3339)})
	if err != nil || r.JSON200 == nil {
		t.Fatalf("%v, %s", err, r.Body)
	}
	for job := r.JSON200; job.State != "done"; time.Sleep(50 * time.Millisecond) {
		now, err := operator.ShowJobWithResponse(t.Context(), job.JobId)
		if err != nil || now.JSON200 == nil || now.JSON200.State == "failed" {
			t.Fatalf("%v, %s", err, now.Body)
		}
		job = now.JSON200
	}
}

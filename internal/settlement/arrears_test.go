package settlement

import (
	"testing"

	"github.com/purser-cloud/purser/internal/money"
)

// What the running month gave back of an older debt is no reason to collect more than is owed: the books would refuse it
// and the customer never be charged again (found by the simulation).
func TestDueOfOlderMonths(t *testing.T) {
	for _, k := range []struct{ debt, running, want money.Amount }{
		{100, 0, 100}, {100, 30, 70}, {100, 130, 0}, {100, -30, 100}, {0, -30, 0},
	} {
		if got := dueOf(k.debt, k.running); got != k.want {
			t.Errorf("debt %d, running %d: %d, want %d", k.debt, k.running, got, k.want)
		}
	}
}

package simulation

import (
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/purser-cloud/purser/internal/db/dbtest"
)

// number is a setting of the environment.
func number(name string, standard int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
		return n
	}
	return standard
}

// Whatever breaks, nothing is lost, nothing is doubled and the books add up: about two minutes of it, unless told otherwise. SIM_SEED, SIM_SEEDS, SIM_DAYS and SIM_CUSTOMERS widen it;
// SIM_BUSY says on how many of a hundred days a customer does something; SIM_CHECK every how many days everything is checked (0: at the
// ends of half-years; what is new, each day); SIM_YEARLY=1 leaves pay-per-use servers out. A failing seed is run again with SIM_SEED.
func TestSimulatedLife(t *testing.T) {
	first, seeds, days, customers := number("SIM_SEED", 1), number("SIM_SEEDS", 100), number("SIM_DAYS", 75), number("SIM_CUSTOMERS", 6)
	for seed := first; seed < first+seeds; seed++ {
		t.Run("seed"+strconv.Itoa(seed)+"/sqlite", func(t *testing.T) { simulate(t, uint64(seed), days, customers, "") })
	}
	if address := os.Getenv("PURSER_TEST_POSTGRES"); address != "" {
		for seed := first; seed < first+min(seeds, 5); seed++ {
			t.Run("seed"+strconv.Itoa(seed)+"/postgres", func(t *testing.T) {
				simulate(t, uint64(seed), days/2, customers, dbtest.NewDatabase(t, address))
			})
		}
	}
}

func simulate(t *testing.T, seed uint64, days, customers int, database string) *Report {
	t.Helper()
	began := time.Now()
	report, err := Run(t.Context(), Plan{Seed: seed, Customers: customers, Days: days, Faults: true, CheckIn: number("SIM_CHECK", 25), Yearly: number("SIM_YEARLY", 0) == 1, Busy: number("SIM_BUSY", 30), Data: t.TempDir(), Database: database})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("seed %d: %d days of %d customers in %s: %s", seed, days, customers, time.Since(began).Round(time.Millisecond), report)
	return report
}

// The same seed ends in the same state.
func TestASeedReproduces(t *testing.T) {
	seed := uint64(number("SIM_SEED", 42))
	if a, b := simulate(t, seed, 40, 6, ""), simulate(t, seed, 40, 6, ""); *a != *b {
		t.Errorf("two runs of seed %d differ:\n%s\n%s", seed, a, b)
	}
}

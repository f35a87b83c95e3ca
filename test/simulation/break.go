package simulation

import (
	"errors"
	"math/rand/v2"
)

// Accidents that a breaker makes. errCrash: the transaction's process died before the statement; nothing is kept.
// errLost: it died after the commit; all is kept and nobody was told.
var (
	errCrash = errors.New("simulation: crashed at a statement")
	errLost  = errors.New("simulation: the answer to the commit was lost")
)

// breaker lets accidents happen: armed, it counts statements down and crashes, or loses the answer of a commit.
type breaker struct {
	rng        *rand.Rand
	armed      bool // else nothing breaks
	statements int  // until the next crash; < 0: none is planned
	commits    int  // until the next lost answer; < 0: none is planned
	crashes    int
	losses     int
}

// Chances of what is planned for a deed: a crash at a statement, a lost answer.
const (
	crashIn = 12  // deeds
	loseIn  = 25  // deeds
	atMost  = 120 // statements to the crash
)

// plan decides what befalls the next deed.
func (b *breaker) plan() {
	b.statements, b.commits = -1, -1
	if !b.armed {
		return
	}
	if b.rng.IntN(crashIn) == 0 {
		b.statements = b.rng.IntN(atMost)
	}
	if b.rng.IntN(loseIn) == 0 {
		b.commits = b.rng.IntN(3)
	}
}

// calm ends what is planned.
func (b *breaker) calm() { b.statements, b.commits = -1, -1 }

func (b *breaker) Statement() error {
	if b.statements < 0 {
		return nil
	}
	if b.statements--; b.statements >= 0 {
		return nil
	}
	b.crashes++
	return errCrash
}

func (b *breaker) Answer() error {
	if b.commits < 0 {
		return nil
	}
	if b.commits--; b.commits >= 0 {
		return nil
	}
	b.losses++
	return errLost
}

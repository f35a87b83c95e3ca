package db

// Breaker decides where a store breaks, for simulations: a statement that is not done, a commit whose answer is lost.
// Its methods are called by whoever runs the transaction, one at a time for each transaction.
type Breaker interface {
	// Statement is asked before a statement of an Update is done; its error is the statement's, and nothing of the
	// transaction is kept.
	Statement() error
	// Answer is asked after an Update has committed; its error is what the caller is told although all is kept.
	Answer() error
}

// Break puts a breaker into the store; nil takes it out. Called while nothing is under way.
func (d *DB) Break(b Breaker) { d.breaker = b }

func (t *Tx) broken() error {
	if t.breaker == nil {
		return nil
	}
	return t.breaker.Statement()
}

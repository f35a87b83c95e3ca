// Package agreement owns the contracts that customers apply for: what a customer asks for, and what the operator decided.
//
// It does not own what a contract brings (discount) nor who may decide (operation).
//
//	applied → accepted (in force from one instant to another) | refused | withdrawn (by the customer)
//
// Meanings of time: an application and its decision are made at business instants of the customer; a contract is in force
// from From (inclusive) until Until (exclusive).
//
// Invariants: a customer has at most one application that is not decided; what is decided never changes.
package agreement

import (
	"context"
	"io"
	"strings"
	"time"

	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/ident"
)

// State is how far a contract is.
type State int32

// The states.
const (
	Applied   State = 1
	Accepted  State = 2
	Refused   State = 3
	Withdrawn State = 4
)

// Contract is what a customer applied for.
type Contract struct {
	Customer string
	ID       string
	Title    string // what the customer calls it
	Contact  string // who is asked about it
	Note     string
	State    State
	Reason   string // of the decision
	From     time.Time
	Until    time.Time
	Applied  time.Time
	Decided  time.Time // zero: not yet
}

// longest bounds for how long a contract may be.
const longest = 10 // years

// fits refuses a span that is none, or far too long.
func fits(from, until time.Time) error {
	switch {
	case !until.After(from):
		return fault.New(fault.Invalid, "CBC.0100", "end_time: must be after start_time")
	case until.After(from.AddDate(longest, 0, 0)):
		return fault.New(fault.Invalid, "CBC.0100", "end_time: must be at most %d years after start_time", longest)
	}
	return nil
}

// Apply keeps a customer's application. PURSER.1150: there is one already that is not decided.
func Apply(ctx context.Context, tx *db.Tx, random io.Reader, c *Contract) error {
	if c.Title = strings.TrimSpace(c.Title); c.Title == "" {
		return fault.New(fault.Invalid, "CBC.0100", "title: is missing")
	}
	if err := fits(c.From, c.Until); err != nil {
		return err
	}
	id, err := ident.NewContractID(random, tx.Now)
	if err != nil {
		return err
	}
	c.ID, c.State, c.Applied = string(id), Applied, tx.Now
	kept, err := insert(ctx, tx, c)
	if err == nil && !kept {
		err = fault.New(fault.Conflict, "PURSER.1150", "there is an application already that is not decided")
	}
	return err
}

// Find finds a contract. PURSER.1151: there is none such.
func Find(ctx context.Context, r db.Reader, customer, id string) (Contract, error) {
	list, err := find(ctx, r, customer, id)
	if err == nil && len(list) == 0 {
		err = fault.New(fault.NotFound, "PURSER.1151", "there is no contract %s", id)
	}
	if err != nil {
		return Contract{}, err
	}
	return list[0], nil
}

// Decide ends an application: accepted, where another span than was asked for may be given; refused; or withdrawn.
// PURSER.1152: it is decided already.
func Decide(ctx context.Context, tx *db.Tx, customer, id string, as State, reason string, from, until *time.Time) (Contract, error) {
	c, err := Find(ctx, tx, customer, id)
	if err != nil {
		return c, err
	}
	if c.State != Applied {
		return c, fault.New(fault.Conflict, "PURSER.1152", "contract %s is decided already", id)
	}
	if from != nil {
		c.From = *from
	}
	if until != nil {
		c.Until = *until
	}
	if err := fits(c.From, c.Until); err != nil {
		return c, err
	}
	c.State, c.Reason, c.Decided = as, reason, tx.Now
	return c, decide(ctx, tx, &c)
}

// List pages through contracts, the newest first: a customer's, or everybody's when none is named; of a state, or all for 0.
func List(ctx context.Context, r db.Reader, customer string, state State, offset, limit int) (total int, page []Contract, err error) {
	return list(ctx, r, customer, state, offset, limit)
}

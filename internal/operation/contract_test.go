package operation_test

import (
	"testing"
	"time"

	"github.com/purser-cloud/purser/internal/agreement"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/operation"
)

// A customer applies for one contract at a time; the operator accepts it, for another time if need be, or refuses it, the
// customer withdraws it; what is decided stays so; nobody else sees it.
func TestContracts(t *testing.T) {
	furnished.Each(t, func(t *testing.T, d *db.DB) {
		o := open(t, d)
		customer, boss := o.by("cedar-labs", now), o.by("purser-operator", now)
		apply := func(c agreement.Contract) (agreement.Contract, error) {
			return o.ApplyForContract(t.Context(), customer, c)
		}
		decide := func(call *operation.Call, id string, v operation.ContractVerdict) (agreement.Contract, error) {
			return o.DecideContract(t.Context(), call, id, v)
		}
		for _, wrong := range []agreement.Contract{{}, {Title: " "}, {Title: "a", From: now, Until: now}, {Title: "a", Until: now.AddDate(11, 0, 0)}} {
			if _, err := apply(wrong); !fault.Is(err, "CBC.0100") {
				t.Errorf("%+v: %v", wrong, err)
			}
		}
		first, err := apply(agreement.Contract{Title: "Frame"})
		if err != nil || first.State != agreement.Applied || !first.From.Equal(now) || !first.Until.Equal(now.AddDate(1, 0, 0)) {
			t.Fatalf("%+v, %v", first, err)
		}
		if _, err := apply(agreement.Contract{Title: "Another"}); !fault.Is(err, "PURSER.1150") {
			t.Errorf("a second one: %v", err)
		}
		until := now.AddDate(0, 6, 0)
		for _, k := range []struct {
			call *operation.Call
			v    operation.ContractVerdict
			code string
		}{
			{customer, operation.ContractVerdict{As: agreement.Accepted}, "CBC.0151"},
			{boss, operation.ContractVerdict{Customer: first.Customer, As: agreement.Withdrawn}, "CBC.0151"},
			{boss, operation.ContractVerdict{As: agreement.Accepted}, "CBC.0100"},
			{boss, operation.ContractVerdict{Customer: first.Customer, As: agreement.Refused, Until: &until}, "CBC.0100"},
			{o.by("blue-harbour", now), operation.ContractVerdict{As: agreement.Withdrawn}, "PURSER.1151"},
			{o.by("blue-harbour", now), operation.ContractVerdict{Customer: first.Customer, As: agreement.Withdrawn}, "CBC.0151"},
		} {
			if _, err := decide(k.call, first.ID, k.v); !fault.Is(err, k.code) {
				t.Errorf("%+v: %v, want %s", k.v, err, k.code)
			}
		}
		if got, err := decide(boss, first.ID, operation.ContractVerdict{Customer: first.Customer, As: agreement.Accepted, Reason: "signed", Until: &until}); err != nil || got.State != agreement.Accepted || !got.Until.Equal(until) {
			t.Errorf("accepted: %+v, %v", got, err)
		}
		if _, err := decide(customer, first.ID, operation.ContractVerdict{As: agreement.Withdrawn}); !fault.Is(err, "PURSER.1152") {
			t.Errorf("decided again: %v", err)
		}
		customer.Real = now.Add(time.Minute)
		second, err := apply(agreement.Contract{Title: "Another"})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := decide(customer, second.ID, operation.ContractVerdict{As: agreement.Withdrawn}); err != nil || got.State != agreement.Withdrawn {
			t.Errorf("withdrawn: %+v, %v", got, err)
		}
		total, page, err := o.Contracts(t.Context(), customer, "", 0, 0, 1)
		if err != nil || total != 2 || len(page) != 1 || page[0].ID != second.ID {
			t.Errorf("its own: %d, %+v, %v", total, page, err)
		}
		total, page, err = o.Contracts(t.Context(), boss, first.Customer, agreement.Accepted, 0, 10)
		if err != nil || total != 1 || page[0].ID != first.ID || page[0].Reason != "signed" {
			t.Errorf("the operator's view: %d, %+v, %v", total, page, err)
		}
		if _, _, err := o.Contracts(t.Context(), o.by("blue-harbour", now), first.Customer, 0, 0, 10); !fault.Is(err, "CBC.0151") {
			t.Errorf("another's: %v", err)
		}
		if total, _, err := o.Contracts(t.Context(), boss, "", agreement.Applied, 0, 10); err != nil || total < 1 {
			t.Errorf("everybody's that wait: %d, %v", total, err)
		}
	})
}

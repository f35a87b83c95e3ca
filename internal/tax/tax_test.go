package tax_test

import (
	"context"
	"testing"
	"time"

	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/db/dbtest"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/tax"
)

var now = time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC)

func amount(t *testing.T, text string) money.Amount {
	t.Helper()
	a, err := money.ParseAmount(text)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func dec(t *testing.T, text string) money.Decimal {
	t.Helper()
	d, err := money.ParseDecimal(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestTaxOfAnAmount(t *testing.T) {
	for _, k := range []struct {
		rate, amount, want string
		inclusive          bool
	}{
		{"0.19", "10.02", "1.9", false}, // 1.9038
		{"0.19", "11.9", "1.9", true},
		{"0.05", "0.1", "0.01", false}, // 0.005 half-up
		{"0", "100", "0", false},
		{"0.0825", "99.99", "8.25", false}, // 8.249175
	} {
		r := tax.Rate{Rate: dec(t, k.rate), Inclusive: k.inclusive}
		if got, err := r.On(amount(t, k.amount), money.USD); err != nil || got != amount(t, k.want) {
			t.Errorf("%s on %s: %s, %v, want %s", k.rate, k.amount, got, err, k.want)
		}
	}
	if got, _ := tax.Back(amount(t, "1.9"), amount(t, "5.01"), amount(t, "10.02"), money.USD); got != amount(t, "0.95") {
		t.Errorf("half of it goes back: %s", got)
	}
}

func TestRatesByCountryClassAndDate(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		at := func(when time.Time, country, service string) (string, error) {
			var out tax.Rate
			err := d.View(ctx, dbtest.At(when), func(v *db.View) error {
				table, err := tax.For(ctx, v, country)
				if err == nil {
					out, err = table.Of(service)
				}
				return err
			})
			return out.Rate.String(), err
		}
		if rate, err := at(now, "DE", "ec2"); err != nil || rate != "0" {
			t.Errorf("a house without rates: %s, %v", rate, err)
		}
		set := func(r tax.Rate) error {
			return d.Update(ctx, dbtest.At(now), func(tx *db.Tx) error { return tax.Set(ctx, tx, &r) })
		}
		for _, r := range []tax.Rate{
			{Country: "DE", Rate: dec(t, "0.19")},
			{Country: "DE", Rate: dec(t, "0.2"), From: now.AddDate(0, 1, 0)},
			{Country: "DE", Class: "books", Rate: dec(t, "0.07")},
		} {
			if err := set(r); err != nil {
				t.Fatal(err)
			}
		}
		for _, k := range []struct {
			when                   time.Time
			country, service, want string
		}{
			{now, "DE", "ec2", "0.19"}, {now, "DE", "books", "0.07"}, {now.AddDate(0, 1, 0), "DE", "ec2", "0.2"}, {now.AddDate(0, 1, 0), "DE", "books", "0.07"},
		} {
			if rate, err := at(k.when, k.country, k.service); err != nil || rate != k.want {
				t.Errorf("%s %s at %s: %s, %v, want %s", k.country, k.service, k.when, rate, err, k.want)
			}
		}
		if _, err := at(now, "FR", "ec2"); !fault.Is(err, "CBC.99006093") {
			t.Errorf("a country without a rate: %v", err)
		}
		for name, r := range map[string]tax.Rate{
			"no country": {Rate: dec(t, "0.2")},
			"all of it":  {Country: "FR", Rate: dec(t, "1")}, "below zero": {Country: "FR", Rate: dec(t, "-0.1")},
		} {
			if err := set(r); !fault.Is(err, "CBC.0100") {
				t.Errorf("%s: %v", name, err)
			}
		}
		// A country that has had none, and was refused for it, may get one for the past, once.
		later := func(r tax.Rate) error {
			return d.Update(ctx, dbtest.At(now.Add(3*time.Hour)), func(tx *db.Tx) error { return tax.Set(ctx, tx, &r) })
		}
		if err := later(tax.Rate{Country: "FR", Rate: dec(t, "0.2"), From: now.Add(time.Hour)}); err != nil {
			t.Error(err)
		}
		if rate, err := at(now.Add(2*time.Hour), "FR", "ec2"); err != nil || rate != "0.2" {
			t.Errorf("for the past: %s, %v", rate, err)
		}
		for name, r := range map[string]tax.Rate{
			"over it": {Country: "FR", Rate: dec(t, "0.1"), From: now.Add(2 * time.Hour)}, "over another's": {Country: "DE", Rate: dec(t, "0.1"), From: now.Add(time.Hour)},
			"of a class within it": {Country: "FR", Class: "books", Rate: dec(t, "0.1"), From: now.Add(2 * time.Hour)},
		} {
			if err := later(r); !fault.Is(err, "CBC.0100") {
				t.Errorf("in the past, %s: %v", name, err)
			}
		}
		if err := set(tax.Rate{Country: "DE", Rate: dec(t, "0.3")}); !fault.Is(err, "PURSER.0113") {
			t.Errorf("over a rate that is there: %v", err)
		}
	})
}

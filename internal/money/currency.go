package money

import "fmt"

// Currency is the money of a house, with the decimals of its minor unit (ISO 4217). The zero value is no currency.
type Currency struct {
	code  string
	minor uint8
}

// The currencies a house may keep its books in.
var (
	USD = Currency{"USD", 2}
	JPY = Currency{"JPY", 0}
)

// CurrencyOf finds a currency by its ISO 4217 code.
func CurrencyOf(code string) (Currency, error) {
	switch code {
	case "USD":
		return USD, nil
	case "JPY":
		return JPY, nil
	case "AED", "BRL", "CNY", "EUR", "GBP", "HKD", "MXN", "MYR", "SAR", "SGD", "THB", "ZAR":
		return Currency{code, 2}, nil
	}
	return Currency{}, fmt.Errorf("money: unknown currency %q", code)
}

// Code is the ISO 4217 code.
func (c Currency) Code() string { return c.code }

// Minor is the number of decimals of the minor unit: 2 for USD, 0 for JPY.
func (c Currency) Minor() int { return int(c.minor) }

// String is the code.
func (c Currency) String() string { return c.code }

// Unit is one minor unit (a cent; a yen).
func (c Currency) Unit() Amount { return Amount(pow10[AmountDecimals-int(c.minor)]) }

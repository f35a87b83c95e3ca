package money

import (
	"math"
	"strconv"
)

// maxText bounds what is read as a number: nothing that fits needs more.
const maxText = 64

// ParseAmount reads a decimal with at most 8 decimals: ErrSyntax, ErrPrecision or ErrOverflow otherwise.
func ParseAmount(text string) (Amount, error) {
	n, err := parseFixed(text, AmountDecimals)
	return Amount(n), err
}

// ParseUnitPrice reads a decimal with at most 10 decimals: ErrSyntax, ErrPrecision or ErrOverflow otherwise.
func ParseUnitPrice(text string) (UnitPrice, error) {
	n, err := parseFixed(text, UnitPriceDecimals)
	return UnitPrice(n), err
}

// ParseQuoted reads a decimal with at most 10 decimals: ErrSyntax, ErrPrecision or ErrOverflow otherwise.
func ParseQuoted(text string) (Quoted, error) {
	n, err := parseFixed(text, QuotedDecimals)
	return Quoted(n), err
}

// ParseDecimal reads a number as JSON writes it; an exponent is taken as long as the value is exact.
// ErrSyntax, ErrPrecision (over 18 decimals) or ErrOverflow otherwise.
func ParseDecimal(text string) (Decimal, error) {
	n, err := scan(text)
	if err != nil {
		return Decimal{}, err
	}
	return n.decimal()
}

func parseFixed(text string, decimals int) (int64, error) {
	n, err := scan(text)
	if err != nil {
		return 0, err
	}
	return n.fixed(decimals)
}

// number is what a text says: ± digits × 10^exp, digits without trailing zeros.
type number struct {
	digits uint64
	exp    int
	neg    bool
}

// fixed is the number as a whole count of 10^-decimals.
func (n number) fixed(decimals int) (int64, error) {
	shift := n.exp + decimals
	if n.digits == 0 {
		return 0, nil
	}
	if shift < 0 {
		return 0, ErrPrecision
	}
	if shift >= len(pow10) {
		return 0, ErrOverflow
	}
	w := WideOf(n.digits)
	w.Mul(pow10[shift])
	return w.Int64(n.neg)
}

func (n number) decimal() (Decimal, error) {
	if n.digits == 0 {
		return Decimal{}, nil
	}
	scale := max(-n.exp, 0)
	if scale > maxScale {
		return Decimal{}, ErrPrecision
	}
	coef, err := n.fixed(scale)
	if err != nil {
		return Decimal{}, err
	}
	return Decimal{coef: coef, scale: uint8(scale)}, nil
}

// scan reads the grammar of a JSON number (RFC 8259): -?int[.frac][(e|E)[±]digits].
func scan(text string) (number, error) {
	if text == "" || len(text) > maxText {
		return number{}, ErrSyntax
	}
	i := 0
	var n number
	if text[0] == '-' {
		n.neg, i = true, 1
	}
	whole := digitsFrom(text, i)
	if whole == i || whole > i+1 && text[i] == '0' {
		return number{}, ErrSyntax
	}
	frac := whole
	if whole < len(text) && text[whole] == '.' {
		if frac = digitsFrom(text, whole+1); frac == whole+1 {
			return number{}, ErrSyntax
		}
	}
	exp, err := exponent(text[frac:])
	if err != nil {
		return number{}, err
	}
	n.exp = exp
	if frac > whole {
		n.exp -= frac - whole - 1
	}
	return n.collect(text[i:frac])
}

func digitsFrom(text string, i int) int {
	for i < len(text) && text[i] >= '0' && text[i] <= '9' {
		i++
	}
	return i
}

// exponent reads "", e5, E+5, e-5.
func exponent(text string) (int, error) {
	if text == "" {
		return 0, nil
	}
	if text[0] != 'e' && text[0] != 'E' {
		return 0, ErrSyntax
	}
	i, neg := 1, false
	if i < len(text) && (text[i] == '+' || text[i] == '-') {
		neg = text[i] == '-'
		i++
	}
	if i == len(text) || digitsFrom(text, i) != len(text) {
		return 0, ErrSyntax
	}
	exp := 0
	for ; i < len(text); i++ {
		if exp = exp*10 + int(text[i]-'0'); exp > 1000 {
			exp = 1000 // beyond any type; stays beyond with at most maxText digits before it
		}
	}
	if neg {
		exp = -exp
	}
	return exp, nil
}

// collect gathers the digits; trailing zeros go into the exponent.
func (n number) collect(mantissa string) (number, error) {
	zeros := 0
	for j := 0; j < len(mantissa); j++ {
		c := mantissa[j]
		switch {
		case c == '.':
			continue
		case c == '0':
			if n.digits != 0 {
				zeros++
			}
			continue
		}
		for ; zeros >= 0; zeros-- {
			if n.digits > math.MaxUint64/10-1 {
				return number{}, n.tooLong()
			}
			n.digits *= 10
		}
		zeros = 0
		n.digits += uint64(c - '0')
	}
	n.exp += zeros
	if n.digits == 0 {
		n = number{}
	}
	return n, nil
}

// tooLong names what is wrong with over 19 significant digits: too fine, or too large.
func (n number) tooLong() error {
	if n.exp < 0 {
		return ErrPrecision
	}
	return ErrOverflow
}

// appendFixed writes n × 10^-decimals as the shortest plain decimal.
func appendFixed(b []byte, n int64, decimals int) []byte {
	m := uint64(n)
	if n < 0 {
		b, m = append(b, '-'), -m
	}
	b = strconv.AppendUint(b, m/pow10[decimals], 10)
	frac := m % pow10[decimals]
	if frac == 0 {
		return b
	}
	for frac%10 == 0 {
		frac /= 10
		decimals--
	}
	b = append(b, '.')
	for p := decimals - 1; p >= 0; p-- {
		b = append(b, '0'+byte(frac/pow10[p]%10))
	}
	return b
}

// unquote strips the quotes that SDKs put around decimals; ok is false for null, which changes nothing.
func unquote(data []byte) (text string, ok bool) {
	if string(data) == "null" {
		return "", false
	}
	if len(data) >= 2 && data[0] == '"' && data[len(data)-1] == '"' {
		data = data[1 : len(data)-1]
	}
	return string(data), true
}

// AppendText appends the shortest plain decimal; it never fails.
func (a Amount) AppendText(b []byte) ([]byte, error) {
	return appendFixed(b, int64(a), AmountDecimals), nil
}

// String is the shortest plain decimal.
func (a Amount) String() string { return string(appendFixed(nil, int64(a), AmountDecimals)) }

// MarshalJSON writes a JSON number.
func (a Amount) MarshalJSON() ([]byte, error) { return a.AppendText(nil) }

// UnmarshalJSON reads a number, quoted or not (SDKs quote decimals, api.md 0.6).
func (a *Amount) UnmarshalJSON(data []byte) error {
	text, ok := unquote(data)
	if !ok {
		return nil
	}
	v, err := ParseAmount(text)
	if err == nil {
		*a = v
	}
	return err
}

// AppendText appends the shortest plain decimal; it never fails.
func (p UnitPrice) AppendText(b []byte) ([]byte, error) {
	return appendFixed(b, int64(p), UnitPriceDecimals), nil
}

// String is the shortest plain decimal.
func (p UnitPrice) String() string { return string(appendFixed(nil, int64(p), UnitPriceDecimals)) }

// MarshalJSON writes a JSON number.
func (p UnitPrice) MarshalJSON() ([]byte, error) { return p.AppendText(nil) }

// UnmarshalJSON reads a number, quoted or not.
func (p *UnitPrice) UnmarshalJSON(data []byte) error {
	text, ok := unquote(data)
	if !ok {
		return nil
	}
	v, err := ParseUnitPrice(text)
	if err == nil {
		*p = v
	}
	return err
}

// AppendText appends the shortest plain decimal; it never fails.
func (q Quoted) AppendText(b []byte) ([]byte, error) {
	return appendFixed(b, int64(q), QuotedDecimals), nil
}

// String is the shortest plain decimal.
func (q Quoted) String() string { return string(appendFixed(nil, int64(q), QuotedDecimals)) }

// MarshalJSON writes a JSON number.
func (q Quoted) MarshalJSON() ([]byte, error) { return q.AppendText(nil) }

// UnmarshalJSON reads a number, quoted or not.
func (q *Quoted) UnmarshalJSON(data []byte) error {
	text, ok := unquote(data)
	if !ok {
		return nil
	}
	v, err := ParseQuoted(text)
	if err == nil {
		*q = v
	}
	return err
}

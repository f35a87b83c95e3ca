package money

// Every rounding of the house, by name. Each is done once, at the level where the provider does it; a second cut
// at a coarser level gives what a single cut there would have given, half-up does not. Sources: billing-rules 3.4
// unless another is named.
//
// To cut is to drop the digits beyond, towards zero: a refund is cut as its charge was. Half-up goes by
// magnitude for the same reason: 0.005 → 0.01, −0.005 → −0.01.

// CutQuantity cuts a usage or a size, in the unit its price is per, at 10 decimals: coef × num × 10¹⁰ / (den × 10^scale).
// Rule: usage divided by the conversion factor is truncated at 10 decimals (1 s = 0.0002777777 h). d is not
// negative, num and den are positive. The result counts 10⁻¹⁰ of the unit.
func CutQuantity(d Decimal, num, den int64) Wide {
	w := WideOf(uint64(d.coef))
	w.Mul(uint64(num))
	if d.scale <= QuotedDecimals {
		w.Mul(pow10[QuotedDecimals-d.scale])
	} else {
		w.Quo(pow10[d.scale-QuotedDecimals])
	}
	w.Quo(uint64(den))
	return w
}

// CutProduct cuts a finished product at 10 decimals; decimals (at least 10) is how many w has now.
// Rule: an amount is the product of all its factors, truncated once.
func CutProduct(w Wide, decimals int, neg bool) (Quoted, error) {
	for drop := decimals - QuotedDecimals; drop > 0; drop -= 19 {
		w.Quo(pow10[min(drop, 19)])
	}
	n, err := w.Int64(neg)
	return Quoted(n), err
}

// CutQuote6 cuts a quote at 6 decimals. Rule: inquiry_precision 0 (api.md 2.1).
func CutQuote6(q Quoted) Quoted { return CutQuote(q, 6) }

// CutQuote10 leaves a quote at its 10 decimals. Rule: inquiry_precision 1 (api.md 2.1).
func CutQuote10(q Quoted) Quoted { return CutQuote(q, 10) }

// CutQuoteMinor cuts a quote to the minor unit. Rule: yearly/monthly quotes are truncated at 2.
func CutQuoteMinor(q Quoted, c Currency) Quoted { return CutQuote(q, int(c.minor)) }

// CutQuote is the rule behind the three above: it cuts at that many decimals, 0 to 10.
func CutQuote(q Quoted, decimals int) Quoted { return cut(q, pow10[QuotedDecimals-decimals]) }

// CutCharge cuts a quote at 8 decimals: it becomes an amount that can be charged. Rule: resource-level amounts have 8.
func CutCharge(q Quoted) Amount { return Amount(q / 100) }

// CutMinor cuts an amount to the minor unit. Rule: a row of the monthly bill, setting "truncate"; what is cut off
// is its truncated_amount.
func CutMinor(a Amount, c Currency) Amount { return cut(a, uint64(c.Unit())) }

// HalfUpMinor rounds an amount half-up to the minor unit, or returns ErrOverflow. Rule: a row of the monthly bill,
// setting "half-up" (0.45998222 → 0.46).
func HalfUpMinor(a Amount, c Currency) (Amount, error) { return ShareHalfUp(a, 1, 1, c) }

// FloorMinor cuts downwards to the minor unit: an account never shows more than it holds. Rule: the balance shown
// (house convention). ErrOverflow at the very end of the range only.
func FloorMinor(a Amount, c Currency) (Amount, error) {
	down := CutMinor(a, c)
	if down <= a {
		return down, nil
	}
	return Sub(down, c.Unit())
}

// ShareHalfUp is a × num / den, rounded once, half-up to the minor unit, or ErrOverflow. num is not negative, den is
// positive. Rule: the consumed part (used hours / order hours) and the fee of a refund, and tax (house convention,
// billing-rules 2.8).
func ShareHalfUp(a Amount, num, den int64, c Currency) (Amount, error) {
	w := WideOf(magnitude(int64(a)))
	w.Mul(uint64(num))
	w = halfUp(w, uint64(den), uint64(c.Unit()))
	w.Mul(uint64(c.Unit()))
	n, err := w.Int64(a < 0)
	return Amount(n), err
}

// HalfUpUnitPrice rounds half-up to that many decimals (0 to 10), or returns ErrOverflow. Rule: a unit price made by
// a catalogue rule (attributes × rates × region factor) is rounded once, at the decimals the rule names.
func HalfUpUnitPrice(d Decimal, decimals int) (UnitPrice, error) {
	w := WideOf(magnitude(d.coef))
	if int(d.scale) <= decimals {
		w.Mul(pow10[decimals-int(d.scale)])
	} else {
		w = halfUp(w, pow10[int(d.scale)-decimals], 1)
	}
	w.Mul(pow10[UnitPriceDecimals-decimals])
	n, err := w.Int64(d.coef < 0)
	return UnitPrice(n), err
}

// halfUp is w / (a × b), half away from zero: (2w + ab) / 2ab, the division cut once.
func halfUp(w Wide, a, b uint64) Wide {
	half := WideOf(a)
	half.Mul(b)
	w.Mul(2)
	w.Add(&half)
	w.Quo(a)
	w.Quo(b)
	w.Quo(2)
	return w
}

func cut[T Fixed](a T, step uint64) T { return a - a%T(step) }

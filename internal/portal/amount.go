package portal

import (
	"encoding/json"
	"math/big"
	"math/bits"
	"strings"
	"time"

	"github.com/purser-cloud/purser/client/purser"
)

// amount is an exact decimal at 10⁻¹⁰, for showing and adding up what the API answers. About ±900 million.
type amount int64

const amountDecimals = 10

const oneUnit amount = 10_000_000_000

// amountOf reads a decimal of the API; what cannot be read is 0, and cut after ten decimals.
func amountOf[T ~string](text T) amount {
	s := string(text)
	negative := strings.HasPrefix(s, "-")
	s = strings.TrimLeft(s, "+-")
	exponent := 0
	if at := strings.IndexAny(s, "eE"); at >= 0 {
		for _, r := range strings.TrimLeft(s[at+1:], "+-") {
			if r < '0' || r > '9' || exponent > 40 {
				return 0
			}
			exponent = exponent*10 + int(r-'0')
		}
		if strings.HasPrefix(s[at+1:], "-") {
			exponent = -exponent
		}
		s = s[:at]
	}
	whole, fraction, _ := strings.Cut(s, ".")
	places := amountDecimals + exponent
	digits := whole + fraction
	want := len(whole) + places
	switch {
	case want <= 0:
		return 0
	case want <= len(digits):
		digits = digits[:want]
	default:
		digits += strings.Repeat("0", min(want-len(digits), 40))
	}
	var n uint64
	for _, r := range digits {
		if r < '0' || r > '9' {
			return 0
		}
		high, low := bits.Mul64(n, 10)
		if high != 0 || low > 1<<63-10 {
			return 0
		}
		n = low + uint64(r-'0')
	}
	if negative {
		return -amount(n)
	}
	return amount(n)
}

func amountOfP(text *string) amount {
	if text == nil {
		return 0
	}
	return amountOf(*text)
}

func numberOf(n *json.Number) amount {
	if n == nil {
		return 0
	}
	return amountOf(*n)
}

// usageOf is a quantity of usage, with the name of its unit: bytes, of which there are more than an amount holds, are shown as GB,
// and seconds as hours where that is exact.
func (v *visit) usageOf(text string, unit int32) (amount, string) {
	const bytes, storedBytes, gigabytes, seconds, hours = 13, 16, 10, 6, 4
	if n := amountOf(text); unit == seconds && n >= 3600*oneUnit && n%3600 == 0 {
		return n / 3600, v.units(hours, n/3600)
	}
	whole, _, _ := strings.Cut(text, ".")
	n, ok := new(big.Int).SetString(whole, 10)
	if unit != bytes && unit != storedBytes || !ok {
		return amountOf(text), v.units(unit, amountOf(text))
	}
	if n.Mul(n, big.NewInt(int64(oneUnit))).Rsh(n, 30); !n.IsInt64() {
		return 0, v.unit(gigabytes)
	}
	return amount(n.Int64()), v.unit(gigabytes)
}

// String is the whole amount, with two decimals at least and grouped digits.
func (a amount) String() string {
	text := a.plain()
	sign := ""
	if strings.HasPrefix(text, "-") {
		sign, text = "−", text[1:]
	}
	whole, fraction, _ := strings.Cut(text, ".")
	for len(fraction) < 2 {
		fraction += "0"
	}
	return sign + grouped(whole) + "." + fraction
}

// quantity is an amount that is no money: without needless decimals.
func (a amount) quantity() string {
	text := a.plain()
	whole, fraction, has := strings.Cut(text, ".")
	sign := ""
	if strings.HasPrefix(whole, "-") {
		sign, whole = "−", whole[1:]
	}
	if !has {
		return sign + grouped(whole)
	}
	return sign + grouped(whole) + "." + fraction
}

// plain is the decimal as the API writes it.
func (a amount) plain() string {
	negative := a < 0
	n := uint64(a)
	if negative {
		n = uint64(-a)
	}
	whole, rest := n/uint64(oneUnit), n%uint64(oneUnit)
	text := uintText(whole)
	if rest > 0 {
		digits := uintText(rest)
		digits = strings.Repeat("0", amountDecimals-len(digits)) + digits
		text += "." + strings.TrimRight(digits, "0")
	}
	if negative {
		return "-" + text
	}
	return text
}

func uintText(n uint64) string {
	if n == 0 {
		return "0"
	}
	var b [20]byte
	i := len(b)
	for n > 0 {
		i--
		b[i] = byte('0' + n%10)
		n /= 10
	}
	return string(b[i:])
}

func grouped(whole string) string {
	var b strings.Builder
	for i, r := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// places is how many decimals the longest of some amounts is written with.
func places(list ...amount) int {
	n := 2
	for _, a := range list {
		_, fraction, _ := strings.Cut(a.plain(), ".")
		n = max(n, len(fraction))
	}
	return n
}

// entryPlaces is the most decimals of any amount of some entries.
func entryPlaces(list []purser.LedgerEntry) int {
	n := places()
	for i := range list {
		for _, p := range list[i].Postings {
			n = max(n, places(amountOf(p.Amount)))
		}
	}
	return n
}

// padding is the zeros that bring an amount to a number of decimals, so that those of a column stand below one another.
func (a amount) padding(n int) string { return strings.Repeat("0", max(0, n-places(a))) }

// cents cuts an amount down to two decimals.
func (a amount) cents() amount { return a / (oneUnit / 100) * (oneUnit / 100) }

// share is part of whole in thousandths, 0 to 1000.
func share(part, whole amount) int {
	if whole <= 0 || part <= 0 {
		return 0
	}
	if part >= whole {
		return 1000
	}
	high, low := bits.Mul64(uint64(part), 1000)
	n, _ := bits.Div64(high, low, uint64(whole))
	return int(n)
}

// percent is part of whole as "12.3 %".
func percent(part, whole amount) string {
	n := share(part, whole)
	return uintText(uint64(n/10)) + "." + uintText(uint64(n%10)) + " %"
}

// zone is the one that the business office lives in: GMT+8.
var zone = time.FixedZone("GMT+8", 8*60*60)

// when reads an instant of the API; zero when it cannot be read.
func when(text string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return time.Time{}
	}
	return t
}

func whenP(text *string) time.Time {
	if text == nil {
		return time.Time{}
	}
	return when(*text)
}

// clockText is an instant in GMT+8, to the second; empty for none.
func clockText(t time.Time) string {
	if t.IsZero() {
		return "–"
	}
	return t.In(zone).Format("2006-01-02 15:04:05")
}

// stamp shows an instant of the API.
func stamp(text string) string { return clockText(when(text)) }

func stampP(text *string) string { return clockText(whenP(text)) }

func dayText(t time.Time) string {
	if t.IsZero() {
		return "–"
	}
	return t.In(zone).Format("2006-01-02")
}

// monthOf is the bill month of an instant.
func monthOf(t time.Time) string { return t.In(zone).Format("2006-01") }

// monthsBack is the bill month some months before that of an instant.
func monthsBack(t time.Time, back int) string {
	t = t.In(zone)
	return time.Date(t.Year(), t.Month()-time.Month(back), 1, 0, 0, 0, 0, zone).Format("2006-01")
}

// wire is an instant as the API wants it.
func wire(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

// wireDay reads a day of a form (GMT+8) as an instant for the API: its first second, or its last.
func wireDay(day string, last bool) *string {
	t, err := time.ParseInLocation("2006-01-02", day, zone)
	if err != nil {
		return nil
	}
	if last {
		t = t.Add(24*time.Hour - time.Second)
	}
	return new(wire(t))
}

// daysUntil is how many whole days lie between now and an instant.
func daysUntil(now, then time.Time) int { return int(then.Sub(now) / (24 * time.Hour)) }

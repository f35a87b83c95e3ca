package payment

import (
	"math/bits"
	"slices"
	"strconv"
	"strings"

	"github.com/purser-cloud/purser/internal/coupon"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/rating"
)

// Covers says which dues a coupon may pay for. Faults, in this order (api.md 5.4): CBC.99003112 its limits leave
// nothing of this order, CBC.99003116 not together with this discount, CBC.99003117 the discount is deeper than it
// allows.
func Covers(c *coupon.Coupon, dues []Due, o Occasion) ([]int, error) {
	not := func(why string) error {
		return fault.New(fault.Invalid, "CBC.99003112", "coupon %s cannot be used for this order: %s", c.ID, why)
	}
	covered := make([]int, 0, len(dues))
	for i := range dues {
		if dues[i].Amount > 0 && coversDue(c, &dues[i]) {
			covered = append(covered, i)
		}
	}
	if len(covered) == 0 {
		return nil, not("it covers none of its products")
	}
	for _, l := range c.Limits {
		switch l.Key {
		case "subscribeType":
			if !slices.Contains(strings.Split(l.Value1, ","), o.Subscribe) {
				return nil, not("it is for " + l.Value1 + " orders")
			}
		case coupon.UsageTimes:
			if n, err := strconv.Atoi(l.Value1); err == nil && n > 0 && o.Uses >= n {
				return nil, not("it was used " + l.Value1 + " times")
			}
		case "minConsume":
			if least, err := money.ParseAmount(l.Value1); err == nil && sumOf(dues, covered) < least {
				return nil, not("the products that it covers come to less than " + l.Value1)
			}
		}
	}
	if err := together(c, o.Discount); err != nil {
		return nil, err
	}
	return covered, deepEnough(c, dues, o.Discount)
}

func coversDue(c *coupon.Coupon, d *Due) bool {
	for _, l := range c.Limits {
		wanted := ""
		switch l.Key {
		case "serviceType":
			wanted = d.Service
		case "regionCode":
			wanted = d.Region
		case "productId":
			wanted = d.Product
		default:
			continue
		}
		if !slices.ContainsFunc(strings.Split(l.Value1, ","), func(v string) bool { return strings.TrimSpace(v) == wanted }) {
			return false
		}
	}
	return true
}

// sumOf is the amount due of what is covered; beyond all amounts it is certainly enough.
func sumOf(dues []Due, covered []int) money.Amount {
	var sum money.Amount
	for _, i := range covered {
		var err error
		if sum, err = money.Add(sum, dues[i].Amount); err != nil {
			return money.Amount(1<<63 - 1)
		}
	}
	return sum
}

// notTogether are the limits that forbid a kind of discount (value 0).
var notTogether = map[string][]rating.Kind{
	"simultaneousUseWithEmpowerDiscount":   {rating.Partner},
	"simultaneousUseWithContractDiscount":  {rating.Commercial, rating.Distributor},
	"simultaneousUseWithPromotionDiscount": {rating.Promotion},
}

func together(c *coupon.Coupon, discount rating.Kind) error {
	for _, l := range c.Limits {
		if l.Value1 == "0" && slices.Contains(notTogether[l.Key], discount) {
			return fault.New(fault.Invalid, "CBC.99003116", "coupon %s cannot be used together with a discount of type %d", c.ID, discount)
		}
	}
	return nil
}

// deepEnough refuses when every due is discounted below the least ratio that the coupon allows.
func deepEnough(c *coupon.Coupon, dues []Due, discount rating.Kind) error {
	for _, l := range c.Limits {
		least, err := money.ParseDecimal(l.Value1)
		if l.Key != "minConsumeDiscount" || err != nil || discount == 0 {
			continue
		}
		if !slices.ContainsFunc(dues, func(d Due) bool { return !below(d.Amount, d.Official, least) }) {
			return fault.New(fault.Invalid, "CBC.99003117", "the discount is below %s, the least that coupon %s allows", l.Value1, c.ID)
		}
	}
	return nil
}

// below says whether amount / official < least, exactly: amount × 10^scale < official × coef, through 128 bits.
func below(amount, official money.Amount, least money.Decimal) bool {
	ahi, alo := bits.Mul64(uint64(amount), money.Pow10(least.Scale()))
	bhi, blo := bits.Mul64(uint64(official), uint64(least.Coef()))
	return ahi < bhi || ahi == bhi && alo < blo
}

// Choose picks the coupon for an automatic payment (billing-rules 1.3): that with the largest balance among those that
// may be used, of equals the one that expires first. nil: none.
func Choose(list []coupon.Coupon, dues []Due, occasion func(*coupon.Coupon) Occasion) (*coupon.Coupon, []int) {
	var best *coupon.Coupon
	var bestCovers []int
	for i := range list {
		c := &list[i]
		covered, err := Covers(c, dues, occasion(c))
		if err != nil || best != nil && (c.Balance < best.Balance || c.Balance == best.Balance && !c.Expires.Before(best.Expires)) {
			continue
		}
		best, bestCovers = c, covered
	}
	return best, bestCovers
}

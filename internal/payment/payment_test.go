package payment_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/purser-cloud/purser/internal/charge"
	"github.com/purser-cloud/purser/internal/coupon"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/ledger"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/payment"
	"github.com/purser-cloud/purser/internal/rating"
)

const cent = money.Amount(1_000_000)

// TestMeetSums: whatever is due and whatever is held, the parts of each due come to it, and the parts of all to the
// total; nothing pays more than it has.
func TestMeetSums(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		amounts := rapid.SliceOfN(rapid.Int64Range(0, 1_000_000), 1, 12).Draw(t, "amounts")
		dues := make([]payment.Due, len(amounts))
		var covered []int
		for i, a := range amounts {
			dues[i] = payment.Due{Official: money.Amount(a) * cent, Amount: money.Amount(a) * cent, Tax: money.Amount(rapid.Int64Range(0, 500).Draw(t, "tax")) * cent}
			if a > 0 && rapid.Bool().Draw(t, "covered") {
				covered = append(covered, i)
			}
		}
		purse := &payment.Purse{
			Held:    ledger.Balances{Cash: money.Amount(rapid.Int64Range(0, 400_000_000_000).Draw(t, "cash")), Credit: money.Amount(rapid.Int64Range(0, 100).Draw(t, "used")) * cent},
			Limit:   money.Amount(rapid.Int64Range(0, 3_000_000).Draw(t, "limit")) * cent,
			Monthly: rapid.Bool().Draw(t, "monthly"),
		}
		var c *coupon.Coupon
		if len(covered) > 0 && rapid.Bool().Draw(t, "with coupon") {
			c = &coupon.Coupon{Balance: money.Amount(rapid.Int64Range(1, 2_000_000).Draw(t, "coupon")) * cent}
		}
		plan, err := payment.Meet(purse, dues, c, covered, money.USD)
		if err != nil {
			if !fault.Is(err, "CBC.99005003") {
				t.Fatal(err)
			}
			return
		}
		var total charge.Parts
		for i := range dues {
			for _, k := range []struct {
				parts charge.Parts
				want  money.Amount
			}{{plan.Amounts[i], dues[i].Amount}, {plan.Taxes[i], dues[i].Tax}} {
				if sum, err := k.parts.Sum(); err != nil || sum != k.want {
					t.Fatalf("due %d: parts come to %s, not %s", i, sum, k.want)
				}
				for _, p := range []money.Amount{k.parts.Cash, k.parts.Credit, k.parts.Coupon, k.parts.Debt} {
					if p < 0 || p%cent != 0 {
						t.Fatalf("due %d: a part of %s", i, p)
					}
				}
				total.Cash, total.Credit, total.Coupon, total.Debt = total.Cash+k.parts.Cash, total.Credit+k.parts.Credit, total.Coupon+k.parts.Coupon, total.Debt+k.parts.Debt
			}
			if plan.Taxes[i].Coupon != 0 {
				t.Fatal("a coupon pays tax")
			}
		}
		if total != plan.Total {
			t.Fatalf("parts come to %+v, the total is %+v", total, plan.Total)
		}
		if total.Cash > purse.Held.Cash || total.Credit > 0 && total.Credit+purse.Held.Credit > purse.Limit || c != nil && total.Coupon > c.Balance {
			t.Fatal("more than there is")
		}
		if purse.Monthly && total.Cash+total.Credit > 0 || !purse.Monthly && total.Debt > 0 {
			t.Fatal("paid from the wrong place")
		}
		var posted money.Amount
		for _, p := range plan.Postings() {
			posted += p.Amount
		}
		if posted != plan.Due {
			t.Fatalf("postings come to %s, due is %s", posted, plan.Due)
		}
	})
}

func TestReturnGoesBackTheWayItCame(t *testing.T) {
	paid := charge.Parts{Cash: 50, Credit: 30, Debt: 20, Coupon: 7}
	for _, k := range []struct {
		amount money.Amount
		held   ledger.Balances
		want   charge.Parts
	}{
		{100, ledger.Balances{Credit: 30, Debt: 20}, charge.Parts{Cash: 50, Credit: 30, Debt: 20}},
		{25, ledger.Balances{Credit: 30, Debt: 20}, charge.Parts{Credit: 5, Debt: 20}},
		{100, ledger.Balances{}, charge.Parts{Cash: 100}},                                         // all settled since
		{100, ledger.Balances{Credit: 500, Debt: 5}, charge.Parts{Cash: 65, Credit: 30, Debt: 5}}, // owed for other things too
	} {
		if got := payment.Return(paid, k.amount, &k.held); got != k.want {
			t.Errorf("%d with %+v: %+v, want %+v", k.amount, k.held, got, k.want)
		}
	}
}

func TestCouponLimits(t *testing.T) {
	limit := func(key, value string) coupon.Limit { return coupon.Limit{Key: key, Value1: value} }
	dues := []payment.Due{
		{Official: 100 * cent, Amount: 80 * cent, Service: "ec2", Region: "r1", Product: "p1"},
		{Official: 50 * cent, Amount: 50 * cent, Service: "ebs", Region: "r2", Product: "p2"},
	}
	for name, k := range map[string]struct {
		limits []coupon.Limit
		o      payment.Occasion
		covers int
		code   string
	}{
		"none":                         {nil, payment.Occasion{Subscribe: "new"}, 2, ""},
		"service":                      {[]coupon.Limit{limit("serviceType", "ec2")}, payment.Occasion{}, 1, ""},
		"another service":              {[]coupon.Limit{limit("serviceType", "rds")}, payment.Occasion{}, 0, "CBC.99003112"},
		"region and service":           {[]coupon.Limit{limit("serviceType", "ec2"), limit("regionCode", "r2")}, payment.Occasion{}, 0, "CBC.99003112"},
		"list of products":             {[]coupon.Limit{limit("productId", "p9, p2")}, payment.Occasion{}, 1, ""},
		"new only, new":                {[]coupon.Limit{limit("subscribeType", "new")}, payment.Occasion{Subscribe: "new"}, 2, ""},
		"new only, renewal":            {[]coupon.Limit{limit("subscribeType", "new")}, payment.Occasion{Subscribe: "renew"}, 0, "CBC.99003112"},
		"used up its times":            {[]coupon.Limit{limit("usageTimes", "2")}, payment.Occasion{Uses: 2}, 0, "CBC.99003112"},
		"any times":                    {[]coupon.Limit{limit("usageTimes", "0")}, payment.Occasion{Uses: 9}, 2, ""},
		"minimum met":                  {[]coupon.Limit{limit("minConsume", "1.3")}, payment.Occasion{}, 2, ""},
		"minimum of what it covers":    {[]coupon.Limit{limit("serviceType", "ec2"), limit("minConsume", "1.3")}, payment.Occasion{}, 0, "CBC.99003112"},
		"not with partner":             {[]coupon.Limit{limit("simultaneousUseWithEmpowerDiscount", "0")}, payment.Occasion{Discount: rating.Partner}, 0, "CBC.99003116"},
		"with partner":                 {[]coupon.Limit{limit("simultaneousUseWithEmpowerDiscount", "1")}, payment.Occasion{Discount: rating.Partner}, 2, ""},
		"not with contract":            {[]coupon.Limit{limit("simultaneousUseWithContractDiscount", "0")}, payment.Occasion{Discount: rating.Distributor}, 0, "CBC.99003116"},
		"not with contract, partner's": {[]coupon.Limit{limit("simultaneousUseWithContractDiscount", "0")}, payment.Occasion{Discount: rating.Partner}, 2, ""},
		"not with promotion":           {[]coupon.Limit{limit("simultaneousUseWithPromotionDiscount", "0")}, payment.Occasion{Discount: rating.Promotion}, 0, "CBC.99003116"},
		"one line is not below":        {[]coupon.Limit{limit("minConsumeDiscount", "0.9")}, payment.Occasion{Discount: rating.Commercial}, 2, ""},
		"without a discount":           {[]coupon.Limit{limit("minConsumeDiscount", "0.9")}, payment.Occasion{}, 2, ""},
	} {
		c := coupon.Coupon{ID: "c", Limits: k.limits}
		got, err := payment.Covers(&c, dues, k.o)
		if f, ok := fault.As(err); err != nil && (!ok || f.Code != k.code) || err == nil && k.code != "" || len(got) != k.covers && k.code == "" {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	deep := coupon.Coupon{Limits: []coupon.Limit{limit("minConsumeDiscount", "0.8")}}
	if _, err := payment.Covers(&deep, dues[:1], payment.Occasion{Discount: rating.Commercial}); err != nil {
		t.Errorf("just at the least: %v", err)
	}
	deep.Limits[0].Value1 = "0.8000000001"
	if _, err := payment.Covers(&deep, dues[:1], payment.Occasion{Discount: rating.Commercial}); !fault.Is(err, "CBC.99003117") {
		t.Errorf("just below the least: %v", err)
	}
	// Which fault wins: the first of the declared order.
	all := coupon.Coupon{Limits: []coupon.Limit{limit("minConsumeDiscount", "0.9"), limit("simultaneousUseWithEmpowerDiscount", "0"), limit("usageTimes", "1")}}
	for _, k := range []struct {
		o    payment.Occasion
		code string
	}{{payment.Occasion{Discount: rating.Partner, Uses: 1}, "CBC.99003112"}, {payment.Occasion{Discount: rating.Partner}, "CBC.99003116"}, {payment.Occasion{Discount: rating.Commercial}, "CBC.99003117"}} {
		if _, err := payment.Covers(&all, dues[:1], k.o); !fault.Is(err, k.code) {
			t.Errorf("%v, want %s", err, k.code)
		}
	}
}

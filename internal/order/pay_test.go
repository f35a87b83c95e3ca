package order_test

import (
	"context"
	"crypto/rand"
	"testing"
	"time"

	"github.com/purser-cloud/purser/internal/account"
	"github.com/purser-cloud/purser/internal/coupon"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/discount"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/ledger"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/order"
	"github.com/purser-cloud/purser/internal/period"
	"github.com/purser-cloud/purser/internal/rating"
	"github.com/purser-cloud/purser/internal/subscription"
	"github.com/purser-cloud/purser/internal/tax"
)

func limit(key, value string) []coupon.Limit { return []coupon.Limit{{Key: key, Value1: value}} }

func (s *shop) change(change func(*account.Customer)) {
	s.Helper()
	s.do(func(ctx context.Context, tx *db.Tx) error { _, err := account.Change(ctx, tx, "c", change); return err })
}

// Every refusal of a payment, each with all the later ones standing behind it: the first of the declared order wins. As
// each is mended the next one shows, until the order is paid.
func TestWhichFaultWins(t *testing.T) {
	stocked.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d)
		contract := s.grant(discount.Grant{Kind: rating.Commercial, Value: ratio("0.5")})
		other := s.grant(discount.Grant{Kind: rating.Commercial, Value: ratio("0.5"), Service: "hws.service.type.rds"})
		used := s.issue(coupon.Coupon{Face: dollar})
		shy := s.issue(coupon.Coupon{Face: dollar, Limits: append(limit("simultaneousUseWithContractDiscount", "0"), limit("minConsumeDiscount", "0.9")...)})
		deep := s.issue(coupon.Coupon{Face: dollar, Limits: limit("minConsumeDiscount", "0.9")})
		good := s.issue(coupon.Coupon{Face: dollar})
		s.do(func(ctx context.Context, tx *db.Tx) error {
			if _, err := coupon.Act(ctx, tx, "c", used.ID, coupon.Freeze); err != nil {
				return err
			}
			return tax.Set(ctx, tx, &tax.Rate{Country: "DE", Rate: ratio("0.19")})
		})
		start := now.Add(time.Hour)
		o := s.draft(order.Draft{Items: []order.Item{server(1, 1, 0)}, Effective: start, Trade: "CT1"})
		m := order.Means{Discount: other.ID, DiscountType: order.PayCommercial, Coupon: used.ID}
		s.change(func(c *account.Customer) { c.Standing, c.Settlement, c.Quota = account.Frozen, account.Monthly, cent })
		s.do(func(ctx context.Context, tx *db.Tx) error { return ledger.Park(ctx, tx, "c", "test") })
		s.at = now.AddDate(0, 0, 8)
		for _, step := range []struct {
			want string
			mend func()
		}{
			{"CBC.0155", func() { s.change(func(c *account.Customer) { c.Standing = account.Active }) }},
			{"PURSER.0302", func() { s.do(func(ctx context.Context, tx *db.Tx) error { return ledger.Release(ctx, tx, "c") }) }},
			{"CBC.99000089", func() { m.Combined = true }},
			{"CBC.99003110", func() { s.at = start.Add(time.Second) }},
			{"CBC.99003162", func() { s.at = now }},
			{"CBC.99003108", func() { m.Discount, m.DiscountType = contract.ID, order.PayPartner }},
			{"CBC.99003108", func() { m.DiscountType = order.PayCommercial }},
			{"CBC.99003112", func() { m.Coupon = "CP-NONE" }},
			{"CBC.99003112", func() { m.Coupon = shy.ID }},
			{"CBC.99003116", func() { m.Coupon = deep.ID }},
			{"CBC.99003117", func() { m.Coupon = good.ID }},
			{"CBC.99003198", func() { s.change(func(c *account.Customer) { c.Quota = 1000 * dollar }) }},
			{"CBC.99006093", func() {
				s.do(func(ctx context.Context, tx *db.Tx) error {
					return tax.Set(ctx, tx, &tax.Rate{Country: "SG", Rate: ratio("0.09")})
				})
				s.change(func(c *account.Customer) { c.Settlement, c.CreditLimit = account.Prepaid, cent })
			}},
			{"CBC.99005003", func() { s.topUp("c", 100*dollar) }},
		} {
			if _, err := s.pay(o.ID, m); code(err) != step.want {
				t.Fatalf("%v, want %s", err, step.want)
			}
			step.mend()
		}
		paid, err := s.pay(o.ID, m)
		if err != nil {
			t.Fatal(err)
		}
		if paid.Tax == 0 || paid.Paid.Cash != paid.Amount+paid.Tax-dollar {
			t.Errorf("paid %+v", paid)
		}
		if list := s.resources(o.ID); !list[0].Anchor.Equal(start) {
			t.Errorf("begins %s, want the chosen start", list[0].Anchor)
		}
		if _, err := s.pay(o.ID, order.Means{Discount: other.ID}); code(err) != "CBC.99000089" {
			t.Errorf("a part of a combined purchase, paid: %v", err)
		}
		if _, err := s.pay(o.ID, order.Means{Discount: other.ID, Combined: true}); code(err) != "CBC.99003106" {
			t.Errorf("paid already, and a discount that is not usable: %v", err)
		}
		if _, err := s.pay("CS-NONE", order.Means{}); code(err) != "CBC.30000010" {
			t.Errorf("unknown: %v", err)
		}
		s.sound()
	})
}

// A price adjustment must be used, and nothing else can be.
func TestPriceAdjustment(t *testing.T) {
	stocked.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d)
		s.topUp("c", 1000*dollar)
		contract := s.grant(discount.Grant{Kind: rating.Commercial, Value: ratio("0.5")})
		o := s.place(server(1, 1, 0))
		off := s.grant(discount.Grant{Kind: rating.Adjustment, Mode: rating.ByReduction, Value: ratio("1"), Order: o.ID})
		for name, m := range map[string]order.Means{"without it": {}, "another": {Discount: contract.ID, DiscountType: order.PayCommercial}, "its type missing": {Discount: off.ID, DiscountType: order.PayCommercial}} {
			if _, err := s.pay(o.ID, m); code(err) != "CBC.99003108" {
				t.Errorf("%s: %v", name, err)
			}
		}
		again := discount.Grant{Customer: "c", Kind: rating.Adjustment, Mode: rating.ByReduction, Value: ratio("2"), Order: o.ID, Effective: s.at, Expires: s.at.AddDate(1, 0, 0)}
		if err := s.try(func(ctx context.Context, tx *db.Tx) error {
			return discount.Add(ctx, tx, rand.Reader, money.USD, &again)
		}); code(err) != "PURSER.0112" {
			t.Errorf("a second adjustment: %v", err)
		}
		paid, err := s.pay(o.ID, order.Means{Discount: off.ID, DiscountType: order.PayAdjustment})
		if err != nil || paid.Amount != o.Official-dollar {
			t.Errorf("%v, %s of %s", err, paid.Amount, o.Official)
		}
		next := s.place(server(1, 1, 0))
		if _, err := s.pay(next.ID, order.Means{Discount: off.ID, DiscountType: order.PayAdjustment}); code(err) != "CBC.99003108" {
			t.Errorf("the adjustment of another order: %v", err)
		}
	})
}

// The price is that of the order's day: a discount that ended since can still be used, and one that came since too.
func TestDiscountsOfTheOrdersDay(t *testing.T) {
	stocked.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d)
		s.topUp("c", 1000*dollar)
		ended := s.grant(discount.Grant{Kind: rating.Commercial, Value: ratio("0.5"), Effective: now.Add(-time.Hour), Expires: now.Add(time.Hour)})
		promo := s.grant(discount.Grant{Kind: rating.Promotion, Mode: rating.ByFixedPrice, Value: ratio("1"), Effective: now.Add(-time.Hour), Expires: now.Add(48 * time.Hour)})
		o, two := s.place(server(2, 3, 0)), s.place(server(1, 1, 0))
		if !o.Deadline.Equal(promo.Expires) {
			t.Errorf("deadline %s, want the end of the promotion", o.Deadline)
		}
		s.at = now.Add(2 * time.Hour)
		if paid, err := s.pay(two.ID, order.Means{Discount: ended.ID, DiscountType: order.PayCommercial}); err != nil || paid.Amount*2 != two.Official {
			t.Errorf("%v, %+v", err, paid)
		}
		if paid, err := s.pay(o.ID, order.Means{Discount: promo.ID, DiscountType: order.PayPromotion}); err != nil || paid.Amount != 6*dollar || paid.DiscountKind != rating.Promotion {
			t.Errorf("two servers, three months, one dollar each: %v, %s", err, paid.Amount)
		}
	})
}

// Cash first, then credit; a customer who settles monthly owes; a master pays for a member.
func TestWhereTheMoneyComesFrom(t *testing.T) {
	stocked.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d)
		s.topUp("c", 3*dollar)
		s.change(func(c *account.Customer) { c.CreditLimit = 1000 * dollar })
		paid, err := s.pay(s.place(server(1, 1, 0)).ID, order.Means{})
		if err != nil || paid.Paid.Cash != 3*dollar || paid.Paid.Credit != paid.Amount-3*dollar || s.held("c").Credit != paid.Paid.Credit {
			t.Errorf("%v, %+v", err, paid.Paid)
		}
		s.change(func(c *account.Customer) { c.Settlement = account.Monthly })
		paid, err = s.pay(s.place(server(1, 1, 0)).ID, order.Means{})
		if err != nil || paid.Paid.Debt != paid.Amount || s.held("c").Debt != paid.Amount {
			t.Errorf("%v, %+v", err, paid.Paid)
		}
		s.do(func(ctx context.Context, tx *db.Tx) error {
			return account.Open(ctx, tx, rand.Reader, &account.Customer{ID: "m"})
		})
		s.topUp("m", 100*dollar)
		o, c, master := s.place(server(1, 1, 0)), s.customer("c"), s.customer("m")
		s.do(func(ctx context.Context, tx *db.Tx) (err error) {
			paid, err = s.desk.Pay(ctx, tx, &c, &master, o.ID, order.Means{})
			return err
		})
		if paid.Payer != "m" || s.held("m").Cash != 100*dollar-paid.Amount {
			t.Errorf("%+v", paid)
		}
		s.sound("m")
	})
}

// An automatic payment takes the discount with the lowest amount and the coupon with the largest balance.
func TestBestMeans(t *testing.T) {
	stocked.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d)
		s.topUp("c", 1000*dollar)
		s.grant(discount.Grant{Kind: rating.Commercial, Value: ratio("0.9")})
		best := s.grant(discount.Grant{Kind: rating.Partner, Value: ratio("0.8")})
		s.issue(coupon.Coupon{Face: 2 * dollar})
		large := s.issue(coupon.Coupon{Face: 3 * dollar})
		s.issue(coupon.Coupon{Face: 9 * dollar, Limits: limit("serviceType", "hws.service.type.rds")})
		s.issue(coupon.Coupon{Face: 9 * dollar, Limits: limit("simultaneousUseWithEmpowerDiscount", "0")})
		paid, err := s.pay(s.place(server(1, 2, 0)).ID, order.Means{Best: true})
		if err != nil || paid.DiscountID != best.ID || paid.CouponID != large.ID {
			t.Errorf("%v, %+v", err, paid)
		}
		s.sound()
	})
}

// What is said beforehand of each coupon, beside each discount, is what a payment with it does: the same amount, or the same refusal.
func TestCouponsAsPaid(t *testing.T) {
	stocked.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d)
		s.topUp("c", 1000*dollar)
		s.grant(discount.Grant{Kind: rating.Commercial, Value: ratio("0.9")})
		best := s.grant(discount.Grant{Kind: rating.Partner, Value: ratio("0.8")})
		limits := [][]coupon.Limit{
			nil, limit("serviceType", "hws.service.type.rds"), limit("simultaneousUseWithEmpowerDiscount", "0"), limit("minConsumeDiscount", "0.85"),
			limit("minConsume", "1000"), limit("subscribeType", "renew"), limit("usageTimes", "1"),
		}
		for i, discountID := range []string{"", order.Without, best.ID} {
			for k, one := range limits {
				for _, face := range []money.Amount{dollar * 5 / 2, 500 * dollar} {
					c := s.issue(coupon.Coupon{Face: face, Limits: one})
					o := s.place(server(1, 2, 0))
					who := s.customer("c")
					var said *order.CouponOffer
					var due money.Amount
					m := order.Means{Coupon: c.ID}
					s.do(func(ctx context.Context, tx *db.Tx) error {
						_, lines, err := order.Lines(ctx, tx, &o, 0, 0)
						if err != nil {
							return err
						}
						offers, err := s.desk.Offers(ctx, tx, &o, lines)
						if err != nil {
							return err
						}
						list, used, amount, err := s.desk.Coupons(ctx, tx, &o, lines, offers, who.ID, discountID)
						if used != nil {
							m.Discount, m.DiscountType = used.Grant.ID, order.PayTypeOf(used.Grant.Kind)
						}
						due = amount
						for n := range list {
							if list[n].Coupon.ID == c.ID {
								said = &list[n]
							}
						}
						return err
					})
					if (m.Discount == "") != (discountID == order.Without) || said == nil {
						t.Fatalf("%d %d: discount %q, %+v", i, k, m.Discount, said)
					}
					paid, err := s.pay(o.ID, m)
					if err != nil {
						f, _ := fault.As(err)
						why, ok := fault.As(said.Why)
						if !ok || f.Code != why.Code || f.Message != why.Message || said.Brings != 0 || said.Best {
							t.Errorf("%d %d: said %v, was %v", i, k, said.Why, err)
						}
						continue
					}
					if said.Why != nil || said.Brings != paid.Paid.Coupon || due != paid.Amount {
						t.Errorf("%d %d: said %+v of %s, was %+v", i, k, said, due, paid.Paid)
					}
					if said.Brings == 0 {
						t.Errorf("%d %d: brought nothing", i, k)
					}
				}
			}
		}
		s.sound()
	})
}

// A promotion is taken by an automatic payment only for a renewal by hand and a change of a resource that an earlier order paid
// for with it; never for a purchase, nor for what renews by itself (billing-rules 1.3).
func TestPromotionsOfAutomaticPayments(t *testing.T) {
	stocked.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d)
		s.topUp("c", 1000*dollar)
		contract := s.grant(discount.Grant{Kind: rating.Commercial, Value: ratio("0.9")})
		promo := s.grant(discount.Grant{Kind: rating.Promotion, Value: ratio("0.5")})
		best := order.Means{Best: true}
		is := func(what string, paid order.Order, err error, want discount.Grant) {
			t.Helper()
			if err != nil || paid.DiscountID != want.ID {
				t.Errorf("%s: %v, discount %s", what, err, paid.DiscountID)
			}
		}
		bought, other := s.bought(best, server(1, 1, 0))
		is("a purchase", bought, nil, contract)
		_, list := s.bought(order.Means{Discount: promo.ID, DiscountType: order.PayPromotion}, server(1, 1, 100))
		renew := func(id string) (order.Order, error) {
			o, err := s.renew(id, period.Month, 1)
			if err != nil {
				t.Fatal(err)
			}
			return s.pay(o.ID, best)
		}
		paid, err := renew(list[0].ID)
		is("renewed by hand", paid, err, promo)
		paid, err = renew(other[0].ID)
		is("of a resource bought without it", paid, err, contract)
		up, err := s.modify(list[1].ID, "", 200)
		if err == nil {
			up, err = s.pay(up.ID, best)
		}
		is("an upgrade", up, err, promo)
		owner := s.customer("c")
		s.do(func(ctx context.Context, tx *db.Tx) error {
			r, err := subscription.Find(ctx, tx, "c", list[0].ID)
			if err == nil {
				paid, err = s.desk.AutoRenew(ctx, tx, &owner, &owner, &r)
			}
			return err
		})
		is("renewed by itself", paid, nil, contract)
		s.sound()
	})
}

// A coupon that an order holds is out of the others' reach until the order is paid, cancelled or has lapsed.
func TestHeldCoupon(t *testing.T) {
	stocked.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d)
		s.topUp("c", 1000*dollar)
		c := s.issue(coupon.Coupon{Face: 2 * dollar, Expires: now.Add(24 * time.Hour)})
		holder, other := s.draft(order.Draft{Items: []order.Item{server(1, 1, 0)}, Coupon: c.ID}), s.place(server(1, 1, 0))
		if !holder.Deadline.Equal(c.Expires) {
			t.Errorf("deadline %s", holder.Deadline)
		}
		if _, err := s.pay(other.ID, order.Means{Coupon: c.ID}); code(err) != "CBC.99003112" {
			t.Errorf("used by another order: %v", err)
		}
		s.do(func(ctx context.Context, tx *db.Tx) error {
			_, err := s.desk.Cancel(ctx, tx, "c", holder.ID)
			return err
		})
		if _, err := s.pay(other.ID, order.Means{Coupon: c.ID}); err != nil {
			t.Error(err)
		}
		c = s.issue(coupon.Coupon{Face: 2 * dollar})
		holder = s.draft(order.Draft{Items: []order.Item{server(1, 1, 0)}, Coupon: c.ID})
		if paid, err := s.pay(holder.ID, order.Means{}); err != nil || paid.CouponHeld != "" || paid.CouponID != "" {
			t.Errorf("paid without it: %v, %+v", err, paid)
		}
		if _, err := s.pay(s.place(server(1, 1, 0)).ID, order.Means{Coupon: c.ID}); err != nil {
			t.Errorf("free again: %v", err)
		}
		s.sound()
	})
}

// Only what waits for its payment is cancelled; what is not paid in time lapses, once.
func TestCancelAndLapse(t *testing.T) {
	stocked.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d)
		o, late := s.place(server(1, 1, 0)), s.place(server(1, 1, 0))
		cancel := func(id string) error {
			return s.try(func(ctx context.Context, tx *db.Tx) error { _, err := s.desk.Cancel(ctx, tx, "c", id); return err })
		}
		if err := cancel(o.ID); err != nil {
			t.Fatal(err)
		}
		if err := cancel(o.ID); code(err) != "CBC.99005010" {
			t.Errorf("cancelled twice: %v", err)
		}
		if _, err := s.pay(o.ID, order.Means{}); code(err) != "CBC.99003106" {
			t.Errorf("paid after it was cancelled: %v", err)
		}
		if err := cancel(s.draft(order.Draft{Items: []order.Item{server(1, 1, 0)}, Trade: "CT1"}).ID); code(err) != "CBC.99000089" {
			t.Errorf("a part of a combined purchase: %v", err)
		}
		lapse := func() (lapsed bool) {
			s.do(func(ctx context.Context, tx *db.Tx) (err error) {
				lapsed, err = s.desk.Lapse(ctx, tx, "c", late.ID)
				return err
			})
			return lapsed
		}
		if lapse() {
			t.Error("lapsed before its time")
		}
		s.at = late.Deadline
		s.do(func(ctx context.Context, tx *db.Tx) error {
			list, err := order.Overdue(ctx, tx, s.at, order.Mark{}, 10)
			if err != nil || len(list) != 2 {
				t.Errorf("%d overdue, %v", len(list), err)
			}
			return nil
		})
		if !lapse() || s.find(late.ID).Status != order.Cancelled || lapse() {
			t.Error("did not lapse once")
		}
		s.sound()
	})
}

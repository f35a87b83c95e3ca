package simulation

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"sort"
	"strings"
	"time"

	"github.com/purser-cloud/purser/internal/charge"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/operation"
	"github.com/purser-cloud/purser/internal/order"
	"github.com/purser-cloud/purser/internal/period"
	"github.com/purser-cloud/purser/internal/subscription"
)

// settledBy is how long after it ended and came a record is settled at the latest, by the night shift of the next day.
const settledBy = 28 * time.Hour

// ordersSeen is how many of its newest orders a customer looks at.
const ordersSeen = 8

// checkSome looks at what those who did something can see of it: only their own, and what they were told.
func (w *world) checkSome(acted []*customer) error {
	for _, c := range acted {
		if err := w.checkSeen(c); err != nil {
			return fmt.Errorf("%s: %w", c.caller.DomainName, err)
		}
	}
	return nil
}

// checkSeen holds a customer's lists against what it was told: nothing of others, its payments there.
func (w *world) checkSeen(c *customer) error {
	counter := w.house.Counter
	orders, err := counter.ListOrders(w.ctx, w.call(c.caller, "ListCustomerOrders"), "", false, order.Query{}, 0, ordersSeen)
	if err != nil {
		return err
	}
	for i := range orders.Orders {
		o := &orders.Orders[i]
		if o.Customer != c.id {
			return fmt.Errorf("sees order %s of %s", o.ID, o.Customer)
		}
		if c.paid[o.ID] && (o.Status == order.Unpaid || o.Status == order.Cancelled) {
			return fmt.Errorf("order %s was paid and is in status %d", o.ID, o.Status)
		}
	}
	page, err := counter.ListResources(w.ctx, w.call(c.caller, "ListPayPerUseCustomerResources"), "", subscription.Query{}, 0, 50)
	if err != nil {
		return err
	}
	for i := range page.Resources {
		if page.Resources[i].Customer != c.id {
			return fmt.Errorf("sees resource %s of %s", page.Resources[i].ID, page.Resources[i].Customer)
		}
	}
	return nil
}

// checkAll looks at everything: the house's own check, and what the simulation knows by itself. Bills and records of usage before
// since are left out, but at the end.
func (w *world) checkAll(last bool, since period.Cycle) error {
	if last { // let everything that is under way come to its end
		w.breaker.armed = false
		w.now = w.now.Add(2 * settledBy)
		if err := w.night(); err != nil {
			return err
		}
		w.now = w.now.Add(time.Hour) // beyond every lease
		if err := w.courier(); err != nil {
			return err
		}
	}
	var wrong []string
	_, err := w.house.Counter.CheckBooksSince(w.ctx, operation.LocalOperator("CheckBooks", w.now.UTC()), since, false, func(x operation.Wrong) {
		wrong = append(wrong, x.Customer+": "+x.What)
	})
	if err != nil {
		return err
	}
	for _, c := range w.people {
		if err := w.checkSeen(c); err != nil {
			return fmt.Errorf("%s: %w", c.caller.DomainName, err)
		}
	}
	err = w.house.Counter.DB.View(w.ctx, db.Instants{Now: w.now.UTC(), Real: w.now.UTC()}, func(v *db.View) error {
		looks := []func(*db.View) ([]string, error){w.checkAllTerms, w.checkAllCoupons}
		if last { // money and usage were looked at each day, as far as they were new
			looks = append(looks, w.checkMoney, w.checkUsage, w.checkMessages)
		}
		for _, look := range looks {
			found, err := look(v)
			if err != nil {
				return err
			}
			wrong = append(wrong, found...)
		}
		return nil
	})
	if err == nil && len(wrong) > 0 {
		err = fmt.Errorf("%d things do not hold:\n  %s", len(wrong), strings.Join(wrong, "\n  "))
	}
	return err
}

// each calls row with every row of a query.
func each(v *db.View, w *world, row func(scan func(...any) error) error, text string, args ...any) error {
	rows, err := v.Query(w.ctx, text, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := row(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

// checkMoney: what came in less what went back is what was acknowledged, to the cent: nothing lost, nothing doubled.
func (w *world) checkMoney(v *db.View) (wrong []string, err error) {
	sums := map[string]money.Amount{}
	err = each(v, w, func(scan func(...any) error) error {
		var customer string
		var in, out money.Amount
		if err := scan(&customer, &in, &out); err != nil {
			return err
		}
		sums[customer] = in - out
		return nil
	}, `SELECT customer, CAST(sum(CASE WHEN giver = 'topup' THEN amount ELSE 0 END) AS BIGINT), CAST(sum(CASE WHEN taker = 'topup' THEN amount ELSE 0 END) AS BIGINT)
		FROM ledger_posting GROUP BY customer`)
	for _, c := range w.people {
		if sums[c.id] != c.paidIn {
			wrong = append(wrong, fmt.Sprintf("%s: paid in %s as acknowledged, %s in the books", c.caller.DomainName, c.paidIn, sums[c.id]))
		}
	}
	return wrong, err
}

func (w *world) checkAllTerms(v *db.View) (wrong []string, err error) {
	for _, c := range w.people {
		found, err := w.checkTerms(v, c.id)
		if err != nil {
			return nil, err
		}
		wrong = append(wrong, found...)
	}
	return wrong, nil
}

// checkTerms: the terms of a customer's resources tile, each beginning where the one before ends.
func (w *world) checkTerms(v *db.View, customer string) (wrong []string, err error) {
	before, ends := "", int64(0)
	err = each(v, w, func(scan func(...any) error) error {
		var customer, instance, endedBy string
		var k, from, to int64
		if err := scan(&customer, &instance, &k, &from, &to, &endedBy); err != nil {
			return err
		}
		if here := customer + " " + instance; here != before {
			before, ends = here, from
		}
		if from != ends {
			wrong = append(wrong, fmt.Sprintf("term %d of %s begins at %s, the one before ends at %s", k, before, db.TimeOf(from), db.TimeOf(ends)))
		}
		ends = to
		return nil
	}, `SELECT customer, instance, k, starts_at, ends_at, ended_by FROM subscription_term WHERE customer = $1 AND ends_at > starts_at AND ended_by = '' ORDER BY customer, instance, starts_at, k`, customer)
	return wrong, err
}

// checkAllCoupons: no coupon pays more than its face.
func (w *world) checkAllCoupons(v *db.View) ([]string, error) { return w.checkCoupons(v, 0) }

// checkCoupons: no coupon that was used since an instant pays more than its face.
func (w *world) checkCoupons(v *db.View, since int64) (wrong []string, err error) {
	err = each(v, w, func(scan func(...any) error) error {
		var customer, id string
		var face, balance, used money.Amount
		if err := scan(&customer, &id, &face, &balance, &used); err != nil {
			return err
		}
		if used > face {
			wrong = append(wrong, fmt.Sprintf("coupon %s of %s: %s of %s used", id, customer, used, face))
		}
		return nil
	}, `SELECT g.customer, g.id, g.face, g.balance, CAST(coalesce((SELECT sum(u.amount - u.returned) FROM coupon_use u WHERE u.customer = g.customer AND u.coupon = g.id), 0) AS BIGINT)
		FROM coupon_grant g WHERE g.used_at >= $1`, since)
	return wrong, err
}

// checkUsage: every record that was acknowledged and whose time has come is counted once.
func (w *world) checkUsage(v *db.View) (wrong []string, err error) {
	for _, c := range w.people {
		sums, err := charge.UsageSums(w.ctx, v, c.id, 0)
		if err != nil {
			return nil, err
		}
		got := int64(0)
		for key, s := range sums {
			words := strings.Fields(key)
			if strings.HasPrefix(words[0], "bucket-") && words[1] == "upflow" {
				got += s.Used
			}
		}
		wrong = append(wrong, w.checkUsed(c, got)...)
	}
	return wrong, nil
}

// checkUsed holds bytes that were charged to a customer against what was acknowledged: what has not waited long may be settled or not.
func (w *world) checkUsed(c *customer, got int64) (wrong []string) {
	rest, waiting := c.due[:0], int64(0)
	for _, r := range c.due {
		if r.from.Add(settledBy).Before(w.now) {
			c.used += r.value
		} else {
			rest, waiting = append(rest, r), waiting+r.value
		}
	}
	c.due = rest
	if got < c.used || got > c.used+waiting {
		wrong = append(wrong, fmt.Sprintf("%s: used %d to %d bytes as acknowledged, %d are charged", c.caller.DomainName, c.used, c.used+waiting, got))
	}
	return wrong
}

// checkMessages: whatever the outbox holds for its webhook has been heard.
func (w *world) checkMessages(v *db.View) (wrong []string, err error) {
	err = each(v, w, func(scan func(...any) error) error {
		var id, state string
		if err := scan(&id, &state); err != nil {
			return err
		}
		if _, ok := w.heard[id]; !ok || state != "delivered" {
			wrong = append(wrong, fmt.Sprintf("message %s: %s, heard %v", id, state, ok))
		}
		return nil
	}, `SELECT message, state FROM outbox_delivery WHERE target = $1`, w.webhook)
	return wrong, err
}

// digest is what the store comes to: two runs of a seed have the same.
func (w *world) digest() (string, error) {
	sum := sha256.New()
	err := w.house.Counter.DB.View(w.ctx, db.Instants{Now: w.now.UTC(), Real: w.now.UTC()}, func(v *db.View) error {
		for _, table := range []string{
			"ledger_entry (customer, id, cause, reference, booked_at)", "ledger_balance (customer, account, amount)", "order_head (customer, id, type, status, amount)",
			"subscription_term (customer, instance, k, starts_at, ends_at, amount)", "charge_fee (customer, id, bill_type, amount, official)", "coupon_grant (customer, id, balance)",
		} {
			name, columns, _ := strings.Cut(table, " ")
			columns = strings.Trim(columns, "()")
			var lines []string
			n := len(strings.Split(columns, ","))
			err := each(v, w, func(scan func(...any) error) error {
				values := make([]any, n)
				for i := range values {
					values[i] = new(any)
				}
				if err := scan(values...); err != nil {
					return err
				}
				line := name
				for _, x := range values {
					line += fmt.Sprintf(" %v", *x.(*any))
				}
				lines = append(lines, line)
				return nil
			}, `SELECT `+columns+` FROM `+name)
			if err != nil {
				return err
			}
			sort.Strings(lines)
			for _, l := range lines {
				fmt.Fprintln(sum, l)
			}
		}
		return nil
	})
	return hex.EncodeToString(sum.Sum(nil))[:16], err
}

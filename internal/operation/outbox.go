package operation

import (
	"context"
	"encoding/json"
	"time"

	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/ident"
	"github.com/purser-cloud/purser/internal/identity"
	"github.com/purser-cloud/purser/internal/order"
	"github.com/purser-cloud/purser/internal/outbox"
)

// TellOrder puts a message about an order into the outbox: the hook of the order room.
func (c *Counter) TellOrder(ctx context.Context, tx *db.Tx, m *order.Told) error {
	body, err := json.Marshal(m)
	if err != nil {
		return err
	}
	return outbox.Put(ctx, tx, c.Random, &outbox.Message{Customer: m.Customer, Topic: m.Topic, Key: m.Order, Body: string(body)})
}

// secretLength is how long the secret of a webhook is.
const secretLength = 40

// NewWebhook is a webhook with its secret, which is shown once.
type NewWebhook struct {
	outbox.Target
	Secret string
}

// AddWebhook registers a webhook. The operator's.
func (c *Counter) AddWebhook(ctx context.Context, call *Call, url string, topics []string) (NewWebhook, error) {
	secret, err := ident.NewSecret(c.Random, secretLength)
	if err != nil {
		return NewWebhook{}, err
	}
	t, err := write(ctx, c, call, func(tx *db.Tx, scope identity.Scope) (outbox.Target, error) {
		t := outbox.Target{URL: url, Topics: topics}
		if err := operatorOnly(scope); err != nil {
			return t, err
		}
		err := outbox.Register(ctx, tx, c.Random, &t, func(id string) ([]byte, error) { return c.Identity.Seal(id, identity.Secret(secret)) })
		call.About(t.ID, "")
		return t, err
	})
	if err != nil {
		return NewWebhook{}, err
	}
	kept, err := c.Identity.Unseal(t.ID, t.Sealed) // a repeated request gets the secret of the first
	return NewWebhook{t, kept.Reveal()}, err
}

// Webhooks lists the webhooks. The operator's.
func (c *Counter) Webhooks(ctx context.Context, call *Call) (list []outbox.Target, err error) {
	err = c.read(ctx, call, func(v *db.View, scope identity.Scope) error {
		if err := operatorOnly(scope); err != nil {
			return err
		}
		list, err = outbox.Targets(ctx, v)
		return err
	})
	return list, err
}

// ChangeWebhook changes a webhook's topics or whether it is active. The operator's.
func (c *Counter) ChangeWebhook(ctx context.Context, call *Call, id string, change func(*outbox.Target)) (outbox.Target, error) {
	call.About(id, "")
	t, err := write(ctx, c, call, func(tx *db.Tx, scope identity.Scope) (outbox.Target, error) {
		if err := operatorOnly(scope); err != nil {
			return outbox.Target{}, err
		}
		return outbox.Change(ctx, tx, id, change)
	})
	c.told()
	return t, err
}

// RemoveWebhook forgets a webhook with its deliveries. The operator's.
func (c *Counter) RemoveWebhook(ctx context.Context, call *Call, id string) error {
	call.About(id, "")
	_, err := write(ctx, c, call, func(tx *db.Tx, scope identity.Scope) (struct{}, error) {
		if err := operatorOnly(scope); err != nil {
			return struct{}{}, err
		}
		return struct{}{}, outbox.Remove(ctx, tx, id)
	})
	return err
}

// PingWebhooks puts a message of topic ping, for webhooks that want it. The operator's.
func (c *Counter) PingWebhooks(ctx context.Context, call *Call) error {
	_, err := write(ctx, c, call, func(tx *db.Tx, scope identity.Scope) (struct{}, error) {
		if err := operatorOnly(scope); err != nil {
			return struct{}{}, err
		}
		return struct{}{}, outbox.Put(ctx, tx, c.Random, &outbox.Message{Customer: scope.Customer, Topic: "ping", Key: call.RequestID, Body: `{"topic":"ping"}`})
	})
	c.told()
	return err
}

// Deliveries pages through deliveries, the newest first. The operator's.
func (c *Counter) Deliveries(ctx context.Context, call *Call, target, state string, offset, limit int) (total int, page []outbox.Delivery, err error) {
	err = c.read(ctx, call, func(v *db.View, scope identity.Scope) error {
		if err := operatorOnly(scope); err != nil {
			return err
		}
		total, page, err = outbox.Deliveries(ctx, v, target, state, offset, limit)
		return err
	})
	return total, page, err
}

// RetryDelivery lets a delivery be tried again now. The operator's.
func (c *Counter) RetryDelivery(ctx context.Context, call *Call, target, customer, message string) error {
	call.About(message, "")
	_, err := write(ctx, c, call, func(tx *db.Tx, scope identity.Scope) (struct{}, error) {
		if err := operatorOnly(scope); err != nil {
			return struct{}{}, err
		}
		return struct{}{}, outbox.Retry(ctx, tx, target, customer, message)
	})
	c.told()
	return err
}

// Delivery is one that a courier has leased, with its webhook's secret.
type Delivery struct {
	outbox.Delivery
	Secret identity.Secret
}

// LeaseDeliveries takes due deliveries for a courier. A secret that cannot be opened fails its delivery.
func (c *Counter) LeaseDeliveries(ctx context.Context, real time.Time, n int) (out []Delivery, err error) {
	idle := false
	at := db.Instants{Now: real, Real: real, About: "outbox"}
	err = c.DB.View(ctx, at, func(v *db.View) error { idle, err = outbox.Idle(ctx, v); return err })
	if err != nil || idle {
		return nil, err // nothing is due: the writer is left alone
	}
	err = c.DB.Update(ctx, at, func(tx *db.Tx) error {
		list, err := outbox.Lease(ctx, tx, n)
		out = make([]Delivery, 0, len(list))
		for i := range list {
			secret, broken := c.Identity.Unseal(list[i].Target, list[i].Sealed)
			if broken != nil {
				if err := outbox.Failed(ctx, tx, &list[i], broken.Error()); err != nil {
					return err
				}
				continue
			}
			out = append(out, Delivery{list[i], secret})
		}
		return err
	})
	return out, err
}

// SettleDelivery keeps how a try of a leased delivery ended.
func (c *Counter) SettleDelivery(ctx context.Context, real time.Time, d *Delivery, heard bool, answer string) error {
	return c.DB.Update(ctx, db.Instants{Now: real, Real: real, About: "outbox"}, func(tx *db.Tx) error {
		if heard {
			return outbox.Heard(ctx, tx, &d.Delivery, answer)
		}
		return outbox.Failed(ctx, tx, &d.Delivery, answer)
	})
}

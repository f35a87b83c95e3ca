package purserapi

import (
	"context"

	"github.com/purser-cloud/purser/internal/contract"
	"github.com/purser-cloud/purser/internal/doorway"
	"github.com/purser-cloud/purser/internal/outbox"
)

func webhookOf(t *outbox.Target) Webhook {
	return Webhook{WebhookId: t.ID, Url: t.URL, Topics: t.Topics, Active: t.Active, CreatedTime: t.Created.UTC().Format(stampForm)}
}

// ListWebhooks lists the webhooks.
func (d *Door) ListWebhooks(ctx context.Context, _ ListWebhooksRequestObject) (ListWebhooksResponseObject, error) {
	list, err := d.counter.Webhooks(ctx, doorway.CallOf(ctx))
	if err != nil {
		return nil, err
	}
	out := ListWebhooks200JSONResponse{Webhooks: make([]Webhook, len(list))}
	for i := range list {
		out.Webhooks[i] = webhookOf(&list[i])
	}
	return out, nil
}

// AddWebhook registers a webhook.
func (d *Door) AddWebhook(ctx context.Context, r AddWebhookRequestObject) (AddWebhookResponseObject, error) {
	made, err := d.counter.AddWebhook(ctx, doorway.CallOf(ctx), r.Body.Url, r.Body.Topics)
	if err != nil {
		return nil, err
	}
	out := webhookOf(&made.Target)
	out.Secret = &made.Secret
	return AddWebhook201JSONResponse(out), nil
}

// PingWebhooks sends a test message.
func (d *Door) PingWebhooks(ctx context.Context, _ PingWebhooksRequestObject) (PingWebhooksResponseObject, error) {
	if err := d.counter.PingWebhooks(ctx, doorway.CallOf(ctx)); err != nil {
		return nil, err
	}
	return PingWebhooks204Response{}, nil
}

// ChangeWebhook changes a webhook.
func (d *Door) ChangeWebhook(ctx context.Context, r ChangeWebhookRequestObject) (ChangeWebhookResponseObject, error) {
	t, err := d.counter.ChangeWebhook(ctx, doorway.CallOf(ctx), r.WebhookId, func(t *outbox.Target) {
		if r.Body.Active != nil {
			t.Active = *r.Body.Active
		}
		if r.Body.Topics != nil {
			t.Topics = r.Body.Topics
		}
	})
	if err != nil {
		return nil, err
	}
	return ChangeWebhook200JSONResponse(webhookOf(&t)), nil
}

// RemoveWebhook forgets a webhook.
func (d *Door) RemoveWebhook(ctx context.Context, r RemoveWebhookRequestObject) (RemoveWebhookResponseObject, error) {
	if err := d.counter.RemoveWebhook(ctx, doorway.CallOf(ctx), r.WebhookId); err != nil {
		return nil, err
	}
	return RemoveWebhook204Response{}, nil
}

// ListDeliveries lists deliveries to webhooks.
func (d *Door) ListDeliveries(ctx context.Context, r ListDeliveriesRequestObject) (ListDeliveriesResponseObject, error) {
	state := ""
	if r.Params.State != nil {
		state = string(*r.Params.State)
	}
	total, page, err := d.counter.Deliveries(ctx, doorway.CallOf(ctx), contract.Text(r.Params.WebhookId), state, contract.Int(r.Params.Offset, 0), contract.Int(r.Params.Limit, 10))
	if err != nil {
		return nil, err
	}
	out := ListDeliveries200JSONResponse{TotalCount: contract.Int32(total), Deliveries: make([]WebhookDelivery, len(page))}
	for i := range page {
		row := &page[i]
		out.Deliveries[i] = WebhookDelivery{
			WebhookId: row.Target, CustomerId: row.Customer, MessageId: row.Message, Topic: row.Topic, State: row.State, Attempts: contract.Int32(row.Attempts),
			Answer: row.Answer, NextTime: row.Next.UTC().Format(stampForm), CreatedTime: row.Created.UTC().Format(stampForm),
		}
	}
	return out, nil
}

// RetryDelivery lets a delivery be tried again.
func (d *Door) RetryDelivery(ctx context.Context, r RetryDeliveryRequestObject) (RetryDeliveryResponseObject, error) {
	if err := d.counter.RetryDelivery(ctx, doorway.CallOf(ctx), r.Body.WebhookId, r.Body.CustomerId, r.Body.MessageId); err != nil {
		return nil, err
	}
	return RetryDelivery204Response{}, nil
}

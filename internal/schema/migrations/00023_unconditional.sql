-- +goose Up
-- order: unconditional is 1 for an unsubscription that took one of those that a customer has in a year
ALTER TABLE order_head ADD COLUMN unconditional BIGINT NOT NULL DEFAULT 0;
CREATE INDEX order_head_unconditional ON order_head (customer, created_at) WHERE unconditional = 1;
-- order, subscription: the primary resource that another one was bought to go with, such as the server of an address
ALTER TABLE order_line ADD COLUMN related BIGINT NOT NULL DEFAULT 0;
ALTER TABLE subscription_resource ADD COLUMN related TEXT NOT NULL DEFAULT '';
CREATE INDEX subscription_resource_related ON subscription_resource (customer, related) WHERE related <> '';

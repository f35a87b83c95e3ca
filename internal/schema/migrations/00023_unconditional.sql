-- +goose Up
-- order: unconditional is 1 for an unsubscription that took one of those that a customer has in a year
ALTER TABLE order_head ADD COLUMN unconditional BIGINT NOT NULL DEFAULT 0;
CREATE INDEX order_head_unconditional ON order_head (customer, created_at) WHERE unconditional = 1;

-- +goose Up
-- unsubscriptions by the rule of the first days, which a customer has a number of each calendar year
ALTER TABLE order_head ADD COLUMN unconditional BIGINT NOT NULL DEFAULT 0;
CREATE INDEX order_head_unconditional ON order_head (customer, created_at) WHERE unconditional = 1;

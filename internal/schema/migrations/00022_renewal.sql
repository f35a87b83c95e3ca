-- +goose Up
-- renewal: effective_at is when a resource first came into use; its anchor moves when a customer unifies its renewal days.
-- What the night shift looks at. next_at is when something is next due for a primary resource (0: nothing).
ALTER TABLE subscription_resource ADD COLUMN auto_left BIGINT NOT NULL DEFAULT -1;
ALTER TABLE subscription_resource ADD COLUMN auto_unit BIGINT NOT NULL DEFAULT 0;
ALTER TABLE subscription_resource ADD COLUMN next_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE subscription_resource ADD COLUMN effective_at BIGINT NOT NULL DEFAULT 0;
UPDATE subscription_resource SET effective_at = anchor_at;
UPDATE subscription_resource SET next_at = expires_at WHERE status = 2 AND parent = '';
CREATE INDEX subscription_resource_own_next ON subscription_resource (customer, next_at) WHERE next_at > 0;
CREATE INDEX subscription_resource_next ON subscription_resource (next_at, customer, instance) WHERE next_at > 0;
ALTER TABLE order_line ADD COLUMN instance TEXT NOT NULL DEFAULT '';
ALTER TABLE account_customer ADD COLUMN renew_ahead BIGINT NOT NULL DEFAULT 7;
ALTER TABLE account_customer ADD COLUMN renew_day BIGINT NOT NULL DEFAULT 0;

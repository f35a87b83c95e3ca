-- +goose Up
-- charge: the order that a refund gives back; the rate of tax of what was charged, and the tax that the amount contains
ALTER TABLE charge_fee ADD COLUMN base TEXT NOT NULL DEFAULT '';
ALTER TABLE charge_fee ADD COLUMN tax_rate TEXT NOT NULL DEFAULT '';
ALTER TABLE charge_fee ADD COLUMN within BIGINT NOT NULL DEFAULT 0;
-- what is taxed of a month, without a walk over its usage
CREATE INDEX charge_fee_taxed ON charge_fee (customer, cycle) WHERE tax_rate NOT IN ('', '0');

-- +goose Up
-- charge: what was charged by term, which is spread over its days
CREATE INDEX charge_fee_period ON charge_fee (customer, consumed_from) WHERE charge_mode = 1;
CREATE INDEX charge_fee_period_payer ON charge_fee (payer, consumed_from) WHERE charge_mode = 1 AND payer <> customer;

-- +goose Up
-- Fee records of a resource, by quarters of the days (GMT+8) on which they were booked: what is booked together lies together in the
-- index, else every line of a large customer's hour writes a page of its own.
DROP INDEX charge_fee_resource;
CREATE INDEX charge_fee_resource ON charge_fee (customer, cycle, ((traded_at + 28800000000) / 21600000000), resource) WHERE resource <> '';

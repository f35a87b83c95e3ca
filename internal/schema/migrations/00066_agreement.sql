-- +goose Up
-- agreement: contracts that customers apply for. state: 1 applied, 2 accepted, 3 refused, 4 withdrawn
CREATE TABLE agreement_contract (
    customer   TEXT   NOT NULL,
    id         TEXT   NOT NULL,
    title      TEXT   NOT NULL,
    contact    TEXT   NOT NULL,
    note       TEXT   NOT NULL,
    state      BIGINT NOT NULL CHECK (state IN (1, 2, 3, 4)),
    reason     TEXT   NOT NULL,
    from_at    BIGINT NOT NULL,
    until_at   BIGINT NOT NULL CHECK (until_at > from_at),
    applied_at BIGINT NOT NULL,
    decided_at BIGINT NOT NULL,
    PRIMARY KEY (customer, id)
);
CREATE INDEX agreement_contract_applied ON agreement_contract (customer, applied_at, id);
CREATE INDEX agreement_contract_state ON agreement_contract (state, applied_at, customer, id);
-- a customer has one application at a time
CREATE UNIQUE INDEX agreement_contract_open ON agreement_contract (customer) WHERE state = 1;

-- +goose Up
-- account: customers as the business knows them
CREATE TABLE account_customer (
    customer     TEXT   NOT NULL PRIMARY KEY,
    account_no   TEXT   NOT NULL UNIQUE,
    kind         TEXT   NOT NULL CHECK (kind IN ('individual', 'enterprise')),
    verified     BIGINT NOT NULL CHECK (verified IN (0, 1)),
    country      TEXT   NOT NULL,
    tax_id       TEXT   NOT NULL,
    settlement   TEXT   NOT NULL CHECK (settlement IN ('prepaid', 'monthly')),
    tier         TEXT   NOT NULL,
    standing     TEXT   NOT NULL CHECK (standing IN ('active', 'frozen', 'closed')),
    credit_limit BIGINT NOT NULL CHECK (credit_limit >= 0),
    quota        BIGINT NOT NULL CHECK (quota >= 0),
    opened_at    BIGINT NOT NULL,
    changed_at   BIGINT NOT NULL
);

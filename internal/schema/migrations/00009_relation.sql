-- +goose Up
-- account: what a customer's invoices are made of, and which master pays for which member
ALTER TABLE account_customer ADD COLUMN invoice_method TEXT NOT NULL DEFAULT 'cycle' CHECK (invoice_method IN ('order', 'cycle'));
-- one row for each time that the accounting changed; until 0: it is so now
CREATE TABLE account_relation (
    member     TEXT   NOT NULL,
    no         BIGINT NOT NULL CHECK (no > 0),
    master     TEXT   NOT NULL CHECK (master <> member),
    accounting TEXT   NOT NULL CHECK (accounting IN ('unified', 'independent')),
    since      BIGINT NOT NULL,
    until      BIGINT NOT NULL CHECK (until = 0 OR until >= since),
    changed_at BIGINT NOT NULL,
    PRIMARY KEY (member, no)
);
-- a member has at most one master at a time
CREATE UNIQUE INDEX account_relation_open ON account_relation (member) WHERE until = 0;
CREATE INDEX account_relation_master ON account_relation (master, member) WHERE until = 0;

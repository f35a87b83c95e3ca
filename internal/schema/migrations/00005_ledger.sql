-- +goose Up
-- ledger: every movement of money. A posting is one row that takes an amount from one account and gives it to
-- another, so no entry can be out of balance: there is no way to write half of one.
CREATE TABLE ledger_entry (
    customer    TEXT   NOT NULL,
    id          TEXT   NOT NULL,
    cause       TEXT   NOT NULL,
    reference   TEXT   NOT NULL,
    note        TEXT   NOT NULL,
    booked_at   BIGINT NOT NULL,
    recorded_at BIGINT NOT NULL,
    PRIMARY KEY (customer, id),
    UNIQUE (customer, cause, reference)
);
CREATE INDEX ledger_entry_booked ON ledger_entry (customer, booked_at, id);
CREATE TABLE ledger_posting (
    customer TEXT   NOT NULL,
    entry    TEXT   NOT NULL,
    line     BIGINT NOT NULL CHECK (line >= 0),
    giver    TEXT   NOT NULL,
    taker    TEXT   NOT NULL,
    amount   BIGINT NOT NULL CHECK (amount > 0),
    PRIMARY KEY (customer, entry, line),
    FOREIGN KEY (customer, entry) REFERENCES ledger_entry (customer, id),
    CHECK (giver <> taker)
);
-- what the postings of an account come to, kept beside them; only the house's own accounts are not kept
CREATE TABLE ledger_balance (
    customer TEXT   NOT NULL,
    account  TEXT   NOT NULL CHECK (account IN ('cash', 'bonus', 'deposit', 'credit', 'debt')),
    amount   BIGINT NOT NULL,
    PRIMARY KEY (customer, account),
    CHECK (amount >= 0)
);
CREATE TABLE ledger_parked (
    customer  TEXT   NOT NULL PRIMARY KEY,
    reason    TEXT   NOT NULL,
    parked_at BIGINT NOT NULL
);

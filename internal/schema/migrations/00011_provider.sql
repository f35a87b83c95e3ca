-- +goose Up
-- provider: payments that customers make from outside into their balance. That one has expired is worked out, not kept.
CREATE TABLE provider_attempt (
    customer     TEXT   NOT NULL,
    id           TEXT   NOT NULL,
    amount       BIGINT NOT NULL CHECK (amount > 0),
    currency     TEXT   NOT NULL,
    provider     TEXT   NOT NULL,
    method       TEXT   NOT NULL CHECK (method IN ('card', 'transfer')),
    state        TEXT   NOT NULL CHECK (state IN ('pending', 'succeeded', 'failed', 'refunded')),
    reference    TEXT   NOT NULL,
    pay_url      TEXT   NOT NULL,
    instructions TEXT   NOT NULL,
    reason       TEXT   NOT NULL,
    entry        TEXT   NOT NULL,
    created_at   BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL,
    finished_at  BIGINT NOT NULL,
    PRIMARY KEY (customer, id)
);
CREATE UNIQUE INDEX provider_attempt_id ON provider_attempt (id);
CREATE UNIQUE INDEX provider_attempt_reference ON provider_attempt (provider, reference) WHERE reference <> '';
CREATE INDEX provider_attempt_created ON provider_attempt (customer, created_at, id);
CREATE INDEX provider_attempt_all ON provider_attempt (created_at, id);
-- each callback that was taken, once, and what became of it
CREATE TABLE provider_event (
    provider    TEXT   NOT NULL,
    id          TEXT   NOT NULL,
    customer    TEXT   NOT NULL,
    attempt     TEXT   NOT NULL,
    outcome     TEXT   NOT NULL CHECK (outcome IN ('succeeded', 'failed')),
    amount      BIGINT NOT NULL,
    currency    TEXT   NOT NULL,
    verdict     TEXT   NOT NULL CHECK (verdict IN ('booked', 'failed', 'refused', 'ignored')),
    note        TEXT   NOT NULL,
    received_at BIGINT NOT NULL,
    PRIMARY KEY (provider, id)
);
CREATE INDEX provider_event_attempt ON provider_event (customer, attempt);

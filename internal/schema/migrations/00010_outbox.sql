-- +goose Up
-- outbox: what the outside is to be told, until it has heard
CREATE TABLE outbox_target (
    id         TEXT   NOT NULL PRIMARY KEY,
    url        TEXT   NOT NULL,
    secret     BYTEA  NOT NULL,
    topics     TEXT   NOT NULL,
    active     BIGINT NOT NULL CHECK (active IN (0, 1)),
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL
);
CREATE TABLE outbox_message (
    customer    TEXT   NOT NULL,
    id          TEXT   NOT NULL,
    topic       TEXT   NOT NULL,
    key         TEXT   NOT NULL,
    body        TEXT   NOT NULL,
    happened_at BIGINT NOT NULL,
    recorded_at BIGINT NOT NULL,
    PRIMARY KEY (customer, id),
    UNIQUE (customer, topic, key)
);
CREATE TABLE outbox_delivery (
    target       TEXT   NOT NULL,
    customer     TEXT   NOT NULL,
    message      TEXT   NOT NULL,
    topic        TEXT   NOT NULL,
    state        TEXT   NOT NULL CHECK (state IN ('waiting', 'delivered', 'given_up')),
    attempts     BIGINT NOT NULL,
    next_at      BIGINT NOT NULL,
    leased_until BIGINT NOT NULL,
    answer       TEXT   NOT NULL,
    created_at   BIGINT NOT NULL,
    changed_at   BIGINT NOT NULL,
    PRIMARY KEY (target, customer, message)
);
CREATE INDEX outbox_delivery_due ON outbox_delivery (next_at) WHERE state = 'waiting';
CREATE INDEX outbox_delivery_order ON outbox_delivery (target, customer, message) WHERE state = 'waiting';
CREATE INDEX outbox_delivery_created ON outbox_delivery (created_at, message);

-- +goose Up
-- once: answers already given, by idempotency key
CREATE TABLE once_answer (
    customer  TEXT   NOT NULL,
    caller    TEXT   NOT NULL,
    operation TEXT   NOT NULL,
    key       TEXT   NOT NULL CHECK (length(key) BETWEEN 1 AND 64),
    digest    TEXT   NOT NULL,
    body      BYTEA  NOT NULL,
    given_at  BIGINT NOT NULL,
    PRIMARY KEY (customer, caller, operation, key)
);
CREATE INDEX once_answer_given ON once_answer (given_at);

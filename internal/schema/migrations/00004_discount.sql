-- +goose Up
-- discount: what a customer pays of the list price, by contract or by its partner's grant
CREATE TABLE discount_grant (
    customer       TEXT   NOT NULL,
    id             TEXT   NOT NULL,
    name           TEXT   NOT NULL,
    kind           BIGINT NOT NULL CHECK (kind IN (605, 606, 607)),
    ratio          TEXT   NOT NULL,
    service        TEXT   NOT NULL,
    resource_type  TEXT   NOT NULL,
    region         TEXT   NOT NULL,
    granted_by     TEXT   NOT NULL,
    effective_at   BIGINT NOT NULL,
    expires_at     BIGINT NOT NULL CHECK (expires_at >= effective_at),
    granted_at     BIGINT NOT NULL,
    PRIMARY KEY (customer, id)
);
CREATE INDEX discount_grant_expires ON discount_grant (customer, expires_at);
CREATE INDEX discount_grant_granted ON discount_grant (customer, granted_at, id);

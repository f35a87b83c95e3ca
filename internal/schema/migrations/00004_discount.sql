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
CREATE INDEX discount_grant_granted ON discount_grant (customer, granted_at, id);
-- goes up with every change that a cache must notice
CREATE TABLE discount_version (
    one BIGINT NOT NULL PRIMARY KEY CHECK (one = 1),
    n   BIGINT NOT NULL
);
INSERT INTO discount_version (one, n) VALUES (1, 0);

-- +goose Up
-- coupon: promises to charge less. A balance never goes below zero nor above the face: no use exceeds the promise.
CREATE TABLE coupon_grant (
    customer     TEXT   NOT NULL,
    id           TEXT   NOT NULL,
    code         TEXT   NOT NULL,
    version      BIGINT NOT NULL CHECK (version IN (1, 2)),
    face         BIGINT NOT NULL CHECK (face > 0),
    balance      BIGINT NOT NULL CHECK (balance >= 0 AND balance <= face),
    limits       TEXT   NOT NULL,
    issuer       TEXT   NOT NULL,
    plan         TEXT   NOT NULL,
    plan_name    TEXT   NOT NULL,
    plan_desc    TEXT   NOT NULL,
    purpose      TEXT   NOT NULL,
    frozen       BIGINT NOT NULL CHECK (frozen IN (0, 1)),
    locked_by    TEXT   NOT NULL,
    used_by      TEXT   NOT NULL,
    effective_at BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL,
    created_at   BIGINT NOT NULL,
    active_at    BIGINT NOT NULL,
    used_at      BIGINT NOT NULL,
    withdrawn_at BIGINT NOT NULL,
    PRIMARY KEY (customer, id),
    CHECK (expires_at > effective_at)
);
CREATE INDEX coupon_grant_created ON coupon_grant (customer, created_at, id);
-- each use, and what of it was given back
CREATE TABLE coupon_use (
    customer TEXT   NOT NULL,
    coupon   TEXT   NOT NULL,
    order_id TEXT   NOT NULL,
    amount   BIGINT NOT NULL CHECK (amount > 0),
    returned BIGINT NOT NULL CHECK (returned >= 0 AND returned <= amount),
    used_at  BIGINT NOT NULL,
    PRIMARY KEY (customer, coupon, order_id)
);

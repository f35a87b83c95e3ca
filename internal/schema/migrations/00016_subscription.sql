-- +goose Up
-- subscription: yearly/monthly resources, and what was paid for each of their terms
CREATE TABLE subscription_resource (
    customer      TEXT   NOT NULL,
    instance      TEXT   NOT NULL,
    resource      TEXT   NOT NULL,
    name          TEXT   NOT NULL,
    status        BIGINT NOT NULL CHECK (status IN (0, 2, 3, 4, 5)),
    order_id      TEXT   NOT NULL,
    line          BIGINT NOT NULL,
    parent        TEXT   NOT NULL,
    service       TEXT   NOT NULL,
    resource_type TEXT   NOT NULL,
    product       TEXT   NOT NULL,
    spec          TEXT   NOT NULL,
    region        TEXT   NOT NULL,
    zone          TEXT   NOT NULL,
    size          TEXT   NOT NULL,
    size_unit     BIGINT NOT NULL,
    cloud_project TEXT   NOT NULL,
    project       TEXT   NOT NULL,
    unit          BIGINT NOT NULL,
    periods       BIGINT NOT NULL CHECK (periods > 0),
    anchor_at     BIGINT NOT NULL,
    expires_at    BIGINT NOT NULL,
    policy        BIGINT NOT NULL CHECK (policy BETWEEN 0 AND 5),
    busy_with     TEXT   NOT NULL,
    created_at    BIGINT NOT NULL,
    updated_at    BIGINT NOT NULL,
    PRIMARY KEY (customer, instance)
);
-- the cloud's id is a customer's once
CREATE UNIQUE INDEX subscription_resource_cloud ON subscription_resource (customer, resource) WHERE resource <> '';
CREATE INDEX subscription_resource_order ON subscription_resource (customer, order_id, line);
CREATE INDEX subscription_resource_parent ON subscription_resource (customer, parent) WHERE parent <> '';
CREATE INDEX subscription_resource_busy ON subscription_resource (customer, busy_with) WHERE busy_with <> '';
CREATE INDEX subscription_resource_created ON subscription_resource (customer, created_at, instance);
CREATE INDEX subscription_resource_expires ON subscription_resource (expires_at, customer) WHERE status IN (2, 4, 5);
CREATE TABLE subscription_term (
    customer   TEXT   NOT NULL,
    instance   TEXT   NOT NULL,
    k          BIGINT NOT NULL CHECK (k >= 0),
    order_id   TEXT   NOT NULL,
    line       BIGINT NOT NULL,
    starts_at  BIGINT NOT NULL,
    ends_at    BIGINT NOT NULL CHECK (ends_at >= starts_at),
    unit       BIGINT NOT NULL,
    periods    BIGINT NOT NULL CHECK (periods > 0),
    official   BIGINT NOT NULL,
    amount     BIGINT NOT NULL,
    cash       BIGINT NOT NULL,
    credit     BIGINT NOT NULL,
    coupon     BIGINT NOT NULL,
    debt       BIGINT NOT NULL,
    tax        BIGINT NOT NULL,
    tax_cash   BIGINT NOT NULL,
    tax_credit BIGINT NOT NULL,
    tax_debt   BIGINT NOT NULL,
    ended_by   TEXT   NOT NULL,
    PRIMARY KEY (customer, instance, k),
    CHECK (amount = cash + credit + coupon + debt),
    CHECK (tax = tax_cash + tax_credit + tax_debt)
);

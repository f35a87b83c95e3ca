-- +goose Up
-- quota: resource packages that customers hold, and the amounts in them. project is empty when a package serves all
-- enterprise projects; empty_until is when a package of which nothing is left has something again (its end: never).
CREATE TABLE quota_package (
    customer      TEXT   NOT NULL,
    id            TEXT   NOT NULL,
    source        BIGINT NOT NULL CHECK (source IN (0, 1)),
    order_id      TEXT   NOT NULL CHECK ((source = 0) = (order_id <> '')),
    product       TEXT   NOT NULL,
    spec          TEXT   NOT NULL,
    name_en       TEXT   NOT NULL,
    name_zh       TEXT   NOT NULL,
    service       TEXT   NOT NULL,
    resource_type TEXT   NOT NULL,
    region        TEXT   NOT NULL,
    project       TEXT   NOT NULL,
    bundle        TEXT   NOT NULL CHECK (bundle IN ('ATOMIC_PKG', 'BUNDLE_PKG')),
    reuse         BIGINT NOT NULL CHECK (reuse IN (1, 2)),
    cycle         BIGINT NOT NULL CHECK (cycle BETWEEN 0 AND 5),
    cycle_type    BIGINT NOT NULL CHECK (cycle_type IN (0, 1, 2)),
    effective_at  BIGINT NOT NULL,
    expires_at    BIGINT NOT NULL CHECK (expires_at > effective_at),
    empty_until   BIGINT NOT NULL,
    ended_at      BIGINT NOT NULL,
    created_at    BIGINT NOT NULL,
    PRIMARY KEY (customer, id),
    CHECK ((reuse = 1) = (cycle > 0) AND (reuse = 1) = (cycle_type > 0))
);
CREATE INDEX quota_package_created ON quota_package (customer, created_at, id);
CREATE INDEX quota_package_order ON quota_package (customer, order_id) WHERE order_id <> '';
-- what is left (rest) belongs to the cycle of that number; in a later one the whole amount is there again
CREATE TABLE quota_item (
    customer      TEXT   NOT NULL,
    package       TEXT   NOT NULL,
    no            BIGINT NOT NULL CHECK (no > 0),
    resource_type TEXT   NOT NULL,
    usage_type    TEXT   NOT NULL,
    amount        TEXT   NOT NULL,
    rest          TEXT   NOT NULL,
    unit          BIGINT NOT NULL,
    k             BIGINT NOT NULL CHECK (k >= 0),
    PRIMARY KEY (customer, package, no)
);

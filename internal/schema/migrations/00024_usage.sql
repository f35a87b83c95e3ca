-- +goose Up
-- usage: every record that was accepted, once. A key is what a record is known by (source and id); the records
-- themselves lie in segments, those that came together for one bucket (hour, day or month of GMT+8).
CREATE TABLE usage_key (
    customer TEXT   NOT NULL,
    key      TEXT   NOT NULL,
    digest   BIGINT NOT NULL,
    batch    BIGINT NOT NULL,
    PRIMARY KEY (customer, key)
) HASHED BY customer;
CREATE TABLE usage_segment (
    customer    TEXT   NOT NULL,
    ends_at     BIGINT NOT NULL,
    unit        BIGINT NOT NULL,
    batch       BIGINT NOT NULL,
    records     BIGINT NOT NULL CHECK (records > 0),
    forgotten   BIGINT NOT NULL DEFAULT 0,
    received_at BIGINT NOT NULL,
    body        BYTEA  NOT NULL,
    PRIMARY KEY (customer, ends_at, unit, batch)
) CLUSTERED;
CREATE INDEX usage_segment_old ON usage_segment (ends_at) WHERE forgotten = 0;
-- what is metered: a usage factor of a resource as it was described
CREATE TABLE usage_meter (
    customer      TEXT   NOT NULL,
    no            BIGINT NOT NULL,
    resource      TEXT   NOT NULL,
    factor        TEXT   NOT NULL,
    service       TEXT   NOT NULL,
    resource_type TEXT   NOT NULL,
    spec          TEXT   NOT NULL,
    region        TEXT   NOT NULL,
    project       TEXT   NOT NULL,
    size          TEXT   NOT NULL,
    size_unit     BIGINT NOT NULL,
    unit          BIGINT NOT NULL,
    scale         BIGINT NOT NULL,
    PRIMARY KEY (customer, no)
) CLUSTERED;
CREATE INDEX usage_meter_resource ON usage_meter (customer, resource);
-- buckets with something to settle
CREATE TABLE usage_due (
    customer TEXT   NOT NULL,
    ends_at  BIGINT NOT NULL,
    unit     BIGINT NOT NULL,
    touched  BIGINT NOT NULL,
    noted_at BIGINT NOT NULL,
    PRIMARY KEY (customer, ends_at, unit)
) CLUSTERED;
CREATE INDEX usage_due_ends ON usage_due (ends_at, customer, unit);
CREATE TABLE usage_resource (
    customer      TEXT   NOT NULL,
    id            TEXT   NOT NULL,
    name          TEXT   NOT NULL,
    service       TEXT   NOT NULL,
    resource_type TEXT   NOT NULL,
    spec          TEXT   NOT NULL,
    region        TEXT   NOT NULL,
    project       TEXT   NOT NULL,
    size          TEXT   NOT NULL,
    size_unit     BIGINT NOT NULL,
    tags          TEXT   NOT NULL,
    factor        TEXT   NOT NULL,
    status        BIGINT NOT NULL,
    running       BIGINT NOT NULL,
    created_at    BIGINT NOT NULL,
    ended_at      BIGINT NOT NULL,
    PRIMARY KEY (customer, id)
) CLUSTERED;
CREATE INDEX usage_resource_status ON usage_resource (customer, status, id);
-- when a self-metered resource ran; to_at 0: it still does
CREATE TABLE usage_run (
    customer TEXT   NOT NULL,
    resource TEXT   NOT NULL,
    from_at  BIGINT NOT NULL,
    to_at    BIGINT NOT NULL,
    PRIMARY KEY (customer, resource, from_at)
) CLUSTERED;
CREATE UNIQUE INDEX usage_run_open ON usage_run (customer, resource) WHERE to_at = 0;
CREATE INDEX usage_run_to ON usage_run (customer, to_at);
CREATE TABLE usage_quarantine (
    customer TEXT   NOT NULL,
    id       TEXT   NOT NULL,
    key      TEXT   NOT NULL,
    code     TEXT   NOT NULL,
    reason   TEXT   NOT NULL,
    record   TEXT   NOT NULL,
    state    BIGINT NOT NULL,
    kept_at  BIGINT NOT NULL,
    PRIMARY KEY (customer, id)
);
CREATE INDEX usage_quarantine_state ON usage_quarantine (state, kept_at, id);

-- settlement: what became of each meter's bucket, net of all corrections
CREATE TABLE settlement_customer (
    customer TEXT   NOT NULL PRIMARY KEY,
    ends_at  BIGINT NOT NULL,
    unit     BIGINT NOT NULL,
    version  BIGINT NOT NULL
);
CREATE TABLE settlement_line (
    customer TEXT   NOT NULL,
    ends_at  BIGINT NOT NULL,
    unit     BIGINT NOT NULL,
    meter    BIGINT NOT NULL,
    records  BIGINT NOT NULL,
    quantity BIGINT NOT NULL,
    covered  BIGINT NOT NULL,
    official BIGINT NOT NULL,
    discount BIGINT NOT NULL,
    coupon   BIGINT NOT NULL,
    fee      TEXT   NOT NULL,
    PRIMARY KEY (customer, ends_at, unit, meter),
    CHECK (covered >= 0 AND covered <= quantity)
) CLUSTERED;
CREATE TABLE settlement_cover (
    customer TEXT   NOT NULL,
    package  TEXT   NOT NULL,
    item     BIGINT NOT NULL,
    ends_at  BIGINT NOT NULL,
    unit     BIGINT NOT NULL,
    meter    BIGINT NOT NULL,
    k        BIGINT NOT NULL,
    used     BIGINT NOT NULL CHECK (used > 0),
    PRIMARY KEY (customer, package, item, ends_at, unit, meter)
) CLUSTERED;
CREATE TABLE settlement_tier (
    customer  TEXT   NOT NULL,
    product   TEXT   NOT NULL,
    factor    TEXT   NOT NULL,
    starts_at BIGINT NOT NULL,
    already   BIGINT NOT NULL CHECK (already >= 0),
    PRIMARY KEY (customer, product, factor, starts_at)
) CLUSTERED;
CREATE TABLE settlement_arrears (
    customer TEXT   NOT NULL,
    kind     BIGINT NOT NULL,
    since    BIGINT NOT NULL,
    stage    BIGINT NOT NULL,
    next_at  BIGINT NOT NULL,
    PRIMARY KEY (customer, kind)
);
CREATE INDEX settlement_arrears_next ON settlement_arrears (next_at, customer, kind) WHERE next_at > 0;

-- quota: amounts in the unit that usage is metered in, and every use
ALTER TABLE quota_item ADD COLUMN specs TEXT NOT NULL DEFAULT '';
ALTER TABLE quota_item ADD COLUMN whole BIGINT NOT NULL DEFAULT 0;
ALTER TABLE quota_item ADD COLUMN used BIGINT NOT NULL DEFAULT 0;
ALTER TABLE quota_item ADD COLUMN scale BIGINT NOT NULL DEFAULT 0;
CREATE TABLE quota_pool (
    customer TEXT   NOT NULL,
    package  TEXT   NOT NULL,
    item     BIGINT NOT NULL,
    k        BIGINT NOT NULL,
    used     BIGINT NOT NULL CHECK (used >= 0),
    PRIMARY KEY (customer, package, item, k)
) CLUSTERED;
CREATE TABLE quota_use (
    customer      TEXT   NOT NULL,
    id            TEXT   NOT NULL,
    package       TEXT   NOT NULL,
    item          BIGINT NOT NULL,
    resource      TEXT   NOT NULL,
    before        TEXT   NOT NULL,
    used          TEXT   NOT NULL,
    after         TEXT   NOT NULL,
    span_from     BIGINT NOT NULL,
    span_to       BIGINT NOT NULL,
    deducted_at   BIGINT NOT NULL,
    PRIMARY KEY (customer, id)
);
CREATE INDEX quota_use_time ON quota_use (customer, deducted_at, id);

-- charge: what usage a fee record is for
ALTER TABLE charge_fee ADD COLUMN resource TEXT NOT NULL DEFAULT '';
ALTER TABLE charge_fee ADD COLUMN usage_type TEXT NOT NULL DEFAULT '';
ALTER TABLE charge_fee ADD COLUMN used BIGINT NOT NULL DEFAULT 0;
ALTER TABLE charge_fee ADD COLUMN covered BIGINT NOT NULL DEFAULT 0;
ALTER TABLE charge_fee ADD COLUMN scale BIGINT NOT NULL DEFAULT 0;
ALTER TABLE charge_fee ADD COLUMN usage_unit BIGINT NOT NULL DEFAULT 0;
ALTER TABLE charge_fee ADD COLUMN unit_price BIGINT NOT NULL DEFAULT 0;
ALTER TABLE charge_fee ADD COLUMN size TEXT NOT NULL DEFAULT '';
ALTER TABLE charge_fee ADD COLUMN size_unit BIGINT NOT NULL DEFAULT 0;
ALTER TABLE charge_fee ADD COLUMN corrects TEXT NOT NULL DEFAULT '';
ALTER TABLE account_customer ADD COLUMN alert_below BIGINT NOT NULL DEFAULT 0;
ALTER TABLE account_customer ADD COLUMN alerted BIGINT NOT NULL DEFAULT 0;

-- +goose Up
-- charge: fee records, only added; what is given back is a record below zero
CREATE TABLE charge_fee (
    customer      TEXT   NOT NULL,
    id            TEXT   NOT NULL,
    cycle         BIGINT NOT NULL,
    bill_type     BIGINT NOT NULL,
    charge_mode   BIGINT NOT NULL,
    trade         TEXT   NOT NULL,
    line          BIGINT NOT NULL,
    instance      TEXT   NOT NULL,
    service       TEXT   NOT NULL,
    resource_type TEXT   NOT NULL,
    product       TEXT   NOT NULL,
    spec          TEXT   NOT NULL,
    region        TEXT   NOT NULL,
    project       TEXT   NOT NULL,
    payer         TEXT   NOT NULL,
    official      BIGINT NOT NULL,
    discount      BIGINT NOT NULL,
    amount        BIGINT NOT NULL,
    cash          BIGINT NOT NULL,
    credit        BIGINT NOT NULL,
    coupon        BIGINT NOT NULL,
    flexi         BIGINT NOT NULL,
    stored        BIGINT NOT NULL,
    bonus         BIGINT NOT NULL,
    debt          BIGINT NOT NULL,
    adjustment    BIGINT NOT NULL,
    consumed_from BIGINT NOT NULL,
    consumed_to   BIGINT NOT NULL,
    traded_at     BIGINT NOT NULL,
    recorded_at   BIGINT NOT NULL,
    PRIMARY KEY (customer, id),
    CHECK (amount = official - discount),
    CHECK (amount = cash + credit + coupon + flexi + stored + bonus + debt + adjustment)
);
CREATE INDEX charge_fee_cycle ON charge_fee (customer, cycle, traded_at, id);
CREATE INDEX charge_fee_trade ON charge_fee (customer, trade, line);
CREATE INDEX charge_fee_payer ON charge_fee (payer, customer) WHERE payer <> customer;

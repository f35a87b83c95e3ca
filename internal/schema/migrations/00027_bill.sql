-- +goose Up
-- charge: what fee records come to by the day on which they were booked (GMT+8, days since 1970), kept beside them. day is
-- the day of the bill: of consumption, or of booking where the record came after its month was closed.
CREATE TABLE charge_sum (
    customer      TEXT   NOT NULL,
    cycle         BIGINT NOT NULL,
    booked        BIGINT NOT NULL,
    day           BIGINT NOT NULL,
    bill_type     BIGINT NOT NULL,
    charge_mode   BIGINT NOT NULL,
    service       TEXT   NOT NULL,
    resource_type TEXT   NOT NULL,
    region        TEXT   NOT NULL,
    project       TEXT   NOT NULL,
    payer         TEXT   NOT NULL,
    records       BIGINT NOT NULL CHECK (records > 0),
    zeros         BIGINT NOT NULL CHECK (zeros >= 0 AND zeros <= records),
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
    PRIMARY KEY (customer, cycle, booked, day, bill_type, charge_mode, service, resource_type, region, project, payer),
    CHECK (amount = official - discount),
    CHECK (amount = cash + credit + coupon + flexi + stored + bonus + debt + adjustment)
) CLUSTERED;
-- what a payer pays for others
CREATE INDEX charge_sum_payer ON charge_sum (payer, cycle, customer) WHERE payer <> customer;
-- bill cycles that a customer has records of. frozen_at: from then on nothing is added; waits: it is to be closed
CREATE TABLE charge_cycle (
    customer  TEXT   NOT NULL,
    cycle     BIGINT NOT NULL,
    frozen_at BIGINT NOT NULL,
    waits     BIGINT NOT NULL CHECK (waits IN (0, 1)),
    PRIMARY KEY (customer, cycle)
) CLUSTERED;
CREATE INDEX charge_cycle_waits ON charge_cycle (cycle, customer) WHERE waits = 1;
-- of a record that came after its month was closed: the cycle in which it was used; else 0
ALTER TABLE charge_fee ADD COLUMN used_cycle BIGINT NOT NULL DEFAULT 0;
CREATE INDEX charge_fee_resource ON charge_fee (customer, cycle, resource) WHERE resource <> '';
CREATE INDEX charge_fee_instance ON charge_fee (customer, cycle, instance) WHERE instance <> '';
INSERT INTO charge_sum (customer, cycle, booked, day, bill_type, charge_mode, service, resource_type, region, project, payer, records, zeros, official,
        discount, amount, cash, credit, coupon, flexi, stored, bonus, debt, adjustment)
    SELECT customer, cycle, (traded_at + 28800000000) / 86400000000, (consumed_from + 28800000000) / 86400000000, bill_type, charge_mode, service, resource_type,
        region, project, payer, count(*), sum(CASE WHEN amount = 0 THEN 1 ELSE 0 END), CAST(sum(official) AS BIGINT), CAST(sum(discount) AS BIGINT),
        CAST(sum(amount) AS BIGINT), CAST(sum(cash) AS BIGINT), CAST(sum(credit) AS BIGINT), CAST(sum(coupon) AS BIGINT), CAST(sum(flexi) AS BIGINT),
        CAST(sum(stored) AS BIGINT), CAST(sum(bonus) AS BIGINT), CAST(sum(debt) AS BIGINT), CAST(sum(adjustment) AS BIGINT)
    FROM charge_fee GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11;
INSERT INTO charge_cycle (customer, cycle, frozen_at, waits) SELECT DISTINCT customer, cycle, CAST(0 AS BIGINT), CAST(1 AS BIGINT) FROM charge_fee;

-- bill: the summary of a closed cycle, one row for each product, mode, type, payer and project; only added
CREATE TABLE bill_row (
    customer      TEXT   NOT NULL,
    cycle         BIGINT NOT NULL,
    no            BIGINT NOT NULL CHECK (no > 0),
    type          BIGINT NOT NULL CHECK (type IN (1, 2, 3)),
    charge_mode   BIGINT NOT NULL,
    service       TEXT   NOT NULL,
    resource_type TEXT   NOT NULL,
    project       TEXT   NOT NULL,
    payer         TEXT   NOT NULL,
    records       BIGINT NOT NULL,
    official      BIGINT NOT NULL,
    discount      BIGINT NOT NULL,
    truncated     BIGINT NOT NULL,
    consume       BIGINT NOT NULL,
    cash          BIGINT NOT NULL,
    credit        BIGINT NOT NULL,
    coupon        BIGINT NOT NULL,
    flexi         BIGINT NOT NULL,
    stored        BIGINT NOT NULL,
    bonus         BIGINT NOT NULL,
    debt          BIGINT NOT NULL,
    adjustment    BIGINT NOT NULL,
    PRIMARY KEY (customer, cycle, no),
    UNIQUE (customer, cycle, type, charge_mode, service, resource_type, project, payer),
    CHECK (consume = official - discount - truncated),
    CHECK (consume = cash + credit + coupon + flexi + stored + bonus + debt + adjustment)
);
-- add only: bill_row
CREATE INDEX bill_row_payer ON bill_row (payer, cycle, customer) WHERE payer <> customer;
-- how the close of a cycle goes: 1 rows are being written, 2 closed, 3 parked
CREATE TABLE bill_close (
    customer  TEXT   NOT NULL,
    cycle     BIGINT NOT NULL,
    state     BIGINT NOT NULL CHECK (state IN (1, 2, 3)),
    reason    TEXT   NOT NULL,
    lines     BIGINT NOT NULL,
    closed_at BIGINT NOT NULL,
    PRIMARY KEY (customer, cycle)
) CLUSTERED;
CREATE INDEX bill_close_parked ON bill_close (cycle, customer) WHERE state = 3;

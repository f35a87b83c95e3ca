-- +goose Up
-- order: heads, lines, what refunds are made of, and how many orders a customer has in each status
CREATE TABLE order_head (
    customer       TEXT   NOT NULL,
    id             TEXT   NOT NULL,
    type           BIGINT NOT NULL CHECK (type IN (1, 2, 3, 4, 10, 11, 13, 14, 15)),
    status         BIGINT NOT NULL CHECK (status IN (1, 2, 3, 4, 5, 6, 9)),
    source         BIGINT NOT NULL,
    trade          TEXT   NOT NULL,
    service        TEXT   NOT NULL,
    cloud_project  TEXT   NOT NULL,
    project        TEXT   NOT NULL,
    official       BIGINT NOT NULL,
    amount         BIGINT NOT NULL,
    tax            BIGINT NOT NULL,
    fee            BIGINT NOT NULL CHECK (fee >= 0),
    consumed       BIGINT NOT NULL CHECK (consumed >= 0),
    discount_id    TEXT   NOT NULL,
    discount_kind  BIGINT NOT NULL,
    coupon_id      TEXT   NOT NULL,
    coupon_held    TEXT   NOT NULL,
    payer          TEXT   NOT NULL,
    cash           BIGINT NOT NULL,
    credit         BIGINT NOT NULL,
    coupon         BIGINT NOT NULL,
    debt           BIGINT NOT NULL,
    policy         BIGINT NOT NULL,
    base           TEXT   NOT NULL,
    reason         TEXT   NOT NULL,
    user_name      TEXT   NOT NULL,
    created_at     BIGINT NOT NULL,
    deadline_at    BIGINT NOT NULL,
    effective_at   BIGINT NOT NULL,
    paid_at        BIGINT NOT NULL,
    finished_at    BIGINT NOT NULL,
    PRIMARY KEY (customer, id),
    CHECK (status NOT IN (3, 5) OR amount + tax = cash + credit + coupon + debt)
);
CREATE INDEX order_head_created ON order_head (customer, created_at, id);
CREATE INDEX order_head_status ON order_head (customer, status, created_at, id);
CREATE INDEX order_head_service ON order_head (customer, service, created_at, id);
CREATE INDEX order_head_type ON order_head (customer, type, created_at, id);
CREATE INDEX order_head_paid ON order_head (customer, paid_at, created_at, id);
CREATE INDEX order_head_payer ON order_head (payer, customer, created_at, id) WHERE payer <> customer;
CREATE INDEX order_head_trade ON order_head (customer, trade) WHERE trade <> '';
CREATE INDEX order_head_deadline ON order_head (deadline_at, id) WHERE status = 6;
CREATE INDEX order_head_waiting ON order_head (created_at, customer, id) WHERE status IN (1, 9);
CREATE TABLE order_line (
    customer      TEXT   NOT NULL,
    order_id      TEXT   NOT NULL,
    no            BIGINT NOT NULL CHECK (no > 0),
    parent        BIGINT NOT NULL,
    name          TEXT   NOT NULL,
    service       TEXT   NOT NULL,
    resource_type TEXT   NOT NULL,
    product       TEXT   NOT NULL,
    spec          TEXT   NOT NULL,
    region        TEXT   NOT NULL,
    zone          TEXT   NOT NULL,
    size          TEXT   NOT NULL,
    size_unit     BIGINT NOT NULL,
    unit          BIGINT NOT NULL,
    periods       BIGINT NOT NULL,
    num           BIGINT NOT NULL CHECK (num > 0),
    official      BIGINT NOT NULL,
    amount        BIGINT NOT NULL,
    coupon        BIGINT NOT NULL,
    fee           BIGINT NOT NULL,
    consumed      BIGINT NOT NULL,
    tax_rate      TEXT   NOT NULL,
    tax_inclusive BIGINT NOT NULL,
    tax           BIGINT NOT NULL,
    effective_at  BIGINT NOT NULL,
    expires_at    BIGINT NOT NULL,
    base          TEXT   NOT NULL,
    PRIMARY KEY (customer, order_id, no),
    FOREIGN KEY (customer, order_id) REFERENCES order_head (customer, id)
);
CREATE TABLE order_refund (
    customer      TEXT   NOT NULL,
    order_id      TEXT   NOT NULL,
    no            BIGINT NOT NULL,
    amount        BIGINT NOT NULL,
    kind          TEXT   NOT NULL CHECK (kind IN ('refund', 'consumed', 'fee')),
    instance      TEXT   NOT NULL,
    resource      TEXT   NOT NULL,
    resource_type TEXT   NOT NULL,
    service       TEXT   NOT NULL,
    region        TEXT   NOT NULL,
    base          TEXT   NOT NULL,
    PRIMARY KEY (customer, order_id, no)
);
-- kept beside the heads, so that a list knows its total without counting
CREATE TABLE order_count (
    customer TEXT   NOT NULL,
    status   BIGINT NOT NULL,
    n        BIGINT NOT NULL CHECK (n >= 0),
    PRIMARY KEY (customer, status)
);

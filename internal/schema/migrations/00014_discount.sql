-- +goose Up
-- discount: promotions (200) and price adjustments of one order (609) join; a discount may be a fixed price or a
-- reduction as well as a ratio. discount_grant stays as it was, for code before this step; it is not read any more.
CREATE TABLE discount_offer (
    customer       TEXT   NOT NULL,
    id             TEXT   NOT NULL,
    name           TEXT   NOT NULL,
    kind           BIGINT NOT NULL CHECK (kind IN (200, 605, 606, 607, 609)),
    mode           BIGINT NOT NULL CHECK (mode IN (0, 1, 2)),
    value          TEXT   NOT NULL,
    order_id       TEXT   NOT NULL CHECK ((kind = 609) = (order_id <> '')),
    service        TEXT   NOT NULL,
    resource_type  TEXT   NOT NULL,
    region         TEXT   NOT NULL,
    granted_by     TEXT   NOT NULL,
    effective_at   BIGINT NOT NULL,
    expires_at     BIGINT NOT NULL CHECK (expires_at >= effective_at),
    granted_at     BIGINT NOT NULL,
    PRIMARY KEY (customer, id)
);
INSERT INTO discount_offer (customer, id, name, kind, mode, value, order_id, service, resource_type, region, granted_by, effective_at, expires_at, granted_at)
    SELECT customer, id, name, kind, 0, ratio, '', service, resource_type, region, granted_by, effective_at, expires_at, granted_at FROM discount_grant;
CREATE INDEX discount_offer_granted ON discount_offer (customer, granted_at, id);
-- an order has one price adjustment at most
CREATE UNIQUE INDEX discount_offer_order ON discount_offer (customer, order_id) WHERE kind = 609;

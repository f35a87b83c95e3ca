-- +goose Up
-- catalog: what is sold and for how much. Items are units, conversions, regions, services and resource types.
CREATE TABLE catalog_item (
    kind     TEXT   NOT NULL CHECK (kind IN ('unit', 'conversion', 'region', 'service', 'resource_type')),
    name     TEXT   NOT NULL,
    position BIGINT NOT NULL,
    body     TEXT   NOT NULL,
    PRIMARY KEY (kind, name)
);
CREATE TABLE catalog_product (
    id            TEXT   NOT NULL PRIMARY KEY,
    service       TEXT   NOT NULL,
    resource_type TEXT   NOT NULL,
    region        TEXT   NOT NULL,
    spec          TEXT   NOT NULL,
    name_en       TEXT   NOT NULL,
    name_zh       TEXT   NOT NULL,
    off_sale_at   BIGINT NOT NULL,
    UNIQUE (service, resource_type, region, spec)
);
-- what a product costs from an instant until the next row's
CREATE TABLE catalog_price (
    product TEXT   NOT NULL,
    from_at BIGINT NOT NULL,
    body    TEXT   NOT NULL,
    PRIMARY KEY (product, from_at)
);
CREATE TABLE catalog_version (
    one         BIGINT NOT NULL PRIMARY KEY CHECK (one = 1),
    n           BIGINT NOT NULL,
    imported_at BIGINT NOT NULL
);
INSERT INTO catalog_version (one, n, imported_at) VALUES (1, 0, 0);

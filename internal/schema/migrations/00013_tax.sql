-- +goose Up
-- tax: rates by country and class, each from an instant until the next one's
CREATE TABLE tax_rate (
    country   TEXT   NOT NULL,
    class     TEXT   NOT NULL,
    from_at   BIGINT NOT NULL,
    rate      TEXT   NOT NULL,
    inclusive BIGINT NOT NULL CHECK (inclusive IN (0, 1)),
    set_at    BIGINT NOT NULL,
    PRIMARY KEY (country, class, from_at)
);

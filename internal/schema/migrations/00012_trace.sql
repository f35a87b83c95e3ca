-- +goose Up
-- trace: who did what, when, how it ended; lines are only added
CREATE TABLE trace_line (
    customer      TEXT   NOT NULL,
    id            TEXT   NOT NULL,
    happened_at   BIGINT NOT NULL,
    recorded_at   BIGINT NOT NULL,
    service       TEXT   NOT NULL,
    resource_type TEXT   NOT NULL,
    name          TEXT   NOT NULL,
    resource_id   TEXT   NOT NULL,
    resource_name TEXT   NOT NULL,
    rating        TEXT   NOT NULL CHECK (rating IN ('normal', 'warning', 'incident')),
    caller        TEXT   NOT NULL,
    caller_name   TEXT   NOT NULL,
    caller_domain TEXT   NOT NULL,
    source        TEXT   NOT NULL,
    request_id    TEXT   NOT NULL,
    operation     TEXT   NOT NULL,
    code          TEXT   NOT NULL,
    message       TEXT   NOT NULL,
    request       TEXT   NOT NULL,
    PRIMARY KEY (customer, id)
);
CREATE INDEX trace_line_happened ON trace_line (customer, happened_at, id);

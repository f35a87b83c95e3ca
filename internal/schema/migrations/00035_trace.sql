-- +goose Up
-- trace: lines that a tracker has still to carry, as they will be written (in place of trace_pending); and a file's bytes until it
-- was written
CREATE TABLE trace_waiting (
    customer    TEXT   NOT NULL,
    project     TEXT   NOT NULL,
    service     TEXT   NOT NULL,
    recorded_at BIGINT NOT NULL,
    id          TEXT   NOT NULL,
    line        TEXT   NOT NULL,
    PRIMARY KEY (customer, project, service, recorded_at, id)
) CLUSTERED;
ALTER TABLE trace_file ADD COLUMN body BYTEA;

-- +goose Up
-- trace: lines that a tracker has still to carry, packed as trace/packed.go says (in place of trace_waiting, from where they are taken
-- over when their tracker's turn comes). Whole texts of a kilobyte took a page more each.
CREATE TABLE trace_outgoing (
    customer    TEXT   NOT NULL,
    project     TEXT   NOT NULL,
    service     TEXT   NOT NULL,
    recorded_at BIGINT NOT NULL,
    id          TEXT   NOT NULL,
    line        BYTEA  NOT NULL,
    PRIMARY KEY (customer, project, service, recorded_at, id)
) CLUSTERED;

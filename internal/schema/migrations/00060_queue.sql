-- +goose Up
-- queue: which nodes live, and which of them takes in the usage of which partition. Real time.
CREATE TABLE queue_node (
    node       TEXT   NOT NULL PRIMARY KEY,
    seen_until BIGINT NOT NULL
);
CREATE TABLE queue_partition (
    partition    BIGINT NOT NULL PRIMARY KEY,
    node         TEXT   NOT NULL,
    leased_until BIGINT NOT NULL
);

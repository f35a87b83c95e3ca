-- +goose Up
-- clock: test clocks; the scope is a customer, or empty for the whole house
CREATE TABLE clock_bound (
    scope  TEXT   NOT NULL PRIMARY KEY,
    at     BIGINT NOT NULL,
    set_at BIGINT NOT NULL
);
-- goes up with every change that a cache must notice
CREATE TABLE clock_version (
    one BIGINT NOT NULL PRIMARY KEY CHECK (one = 1),
    n   BIGINT NOT NULL
);
INSERT INTO clock_version (one, n) VALUES (1, 0);

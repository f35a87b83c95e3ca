-- +goose Up
-- bill: the daily export of bills to a folder or bucket, one row a day (GMT+8, real time). reached is the last customer whose files
-- are there; who holds the lease goes on behind it.
CREATE TABLE bill_push (
    day          BIGINT NOT NULL PRIMARY KEY,
    since        BIGINT NOT NULL,
    reached      TEXT   NOT NULL,
    leased_until BIGINT NOT NULL,
    files        BIGINT NOT NULL,
    failed       BIGINT NOT NULL,
    trouble      TEXT   NOT NULL,
    done_at      BIGINT NOT NULL
);

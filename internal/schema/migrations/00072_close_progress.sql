-- +goose Up
-- how far the close of a month is, is counted by month
CREATE INDEX bill_close_progress ON bill_close (cycle, state);

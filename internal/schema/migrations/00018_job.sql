-- +goose Up
-- job: long work, how far it is, how it ended
CREATE TABLE job_work (
    id          TEXT   NOT NULL PRIMARY KEY,
    kind        TEXT   NOT NULL,
    scope       TEXT   NOT NULL,
    target_at   BIGINT NOT NULL,
    state       TEXT   NOT NULL CHECK (state IN ('running', 'done', 'failed')),
    done        BIGINT NOT NULL,
    message     TEXT   NOT NULL,
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL
);
CREATE INDEX job_work_running ON job_work (kind, created_at, id) WHERE state = 'running';
CREATE INDEX job_work_created ON job_work (created_at, id);

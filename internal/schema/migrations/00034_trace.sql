-- +goose Up
-- trace: what the log service shows of a line beyond what the first ones had
ALTER TABLE trace_line ADD COLUMN project TEXT NOT NULL DEFAULT '';
ALTER TABLE trace_line ADD COLUMN kind TEXT NOT NULL DEFAULT 'ApiCall';
ALTER TABLE trace_line ADD COLUMN caller_account TEXT NOT NULL DEFAULT '';
ALTER TABLE trace_line ADD COLUMN caller_root BIGINT NOT NULL DEFAULT 0;
ALTER TABLE trace_line ADD COLUMN access_key TEXT NOT NULL DEFAULT '';
ALTER TABLE trace_line ADD COLUMN signed_in_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE trace_line ADD COLUMN console BIGINT NOT NULL DEFAULT 0;
ALTER TABLE trace_line ADD COLUMN response TEXT NOT NULL DEFAULT '';
ALTER TABLE trace_line ADD COLUMN api_version TEXT NOT NULL DEFAULT '';
ALTER TABLE trace_line ADD COLUMN endpoint TEXT NOT NULL DEFAULT '';
ALTER TABLE trace_line ADD COLUMN url TEXT NOT NULL DEFAULT '';
ALTER TABLE trace_line ADD COLUMN enterprise_project TEXT NOT NULL DEFAULT '';
ALTER TABLE trace_line ADD COLUMN read_only BIGINT NOT NULL DEFAULT 0;
ALTER TABLE trace_line ADD COLUMN resource_account TEXT NOT NULL DEFAULT '';
CREATE INDEX trace_line_caller ON trace_line (customer, caller_name, happened_at);

-- trace: trackers, one row each; a project's management tracker is named system
CREATE TABLE trace_tracker (
    customer     TEXT   NOT NULL,
    project      TEXT   NOT NULL,
    name         TEXT   NOT NULL,
    id           TEXT   NOT NULL,
    region       TEXT   NOT NULL,
    kind         TEXT   NOT NULL CHECK (kind IN ('system', 'data')),
    enabled      BIGINT NOT NULL,
    agency       TEXT   NOT NULL,
    bucket       TEXT   NOT NULL,
    prefix       TEXT   NOT NULL,
    made_bucket  BIGINT NOT NULL,
    lifecycle    BIGINT NOT NULL,
    plain        BIGINT NOT NULL,
    by_service   BIGINT NOT NULL,
    validated    BIGINT NOT NULL,
    excluded     TEXT   NOT NULL,
    data_bucket  TEXT   NOT NULL,
    data_events  TEXT   NOT NULL,
    tags         TEXT   NOT NULL,
    created_at   BIGINT NOT NULL,
    next_at      BIGINT NOT NULL,
    digest_at    BIGINT NOT NULL,
    leased_until BIGINT NOT NULL,
    trouble      TEXT   NOT NULL,
    PRIMARY KEY (customer, project, name)
);
CREATE INDEX trace_tracker_next ON trace_tracker (next_at) WHERE next_at > 0;
CREATE TABLE trace_bucket (
    customer TEXT NOT NULL,
    name     TEXT NOT NULL UNIQUE,
    PRIMARY KEY (customer, name)
);

-- trace: lines that a tracker has still to carry; file is empty until a file was planned for them
CREATE TABLE trace_pending (
    customer    TEXT   NOT NULL,
    project     TEXT   NOT NULL,
    file        TEXT   NOT NULL,
    service     TEXT   NOT NULL,
    recorded_at BIGINT NOT NULL,
    id          TEXT   NOT NULL,
    PRIMARY KEY (customer, project, file, service, recorded_at, id)
) CLUSTERED;
CREATE TABLE trace_file (
    customer   TEXT   NOT NULL,
    project    TEXT   NOT NULL,
    tracker    TEXT   NOT NULL,
    object     TEXT   NOT NULL,
    bucket     TEXT   NOT NULL,
    plain      BIGINT NOT NULL,
    state      TEXT   NOT NULL CHECK (state IN ('planned', 'written', 'removed')),
    lines      BIGINT NOT NULL,
    bytes      BIGINT NOT NULL,
    hash       TEXT   NOT NULL,
    planned_at BIGINT NOT NULL,
    written_at BIGINT NOT NULL,
    digest     BIGINT NOT NULL,
    PRIMARY KEY (customer, project, tracker, object)
);
CREATE INDEX trace_file_digest ON trace_file (customer, project, tracker, digest, object);
CREATE TABLE trace_digest (
    customer   TEXT   NOT NULL,
    project    TEXT   NOT NULL,
    tracker    TEXT   NOT NULL,
    n          BIGINT NOT NULL,
    starts_at  BIGINT NOT NULL,
    ends_at    BIGINT NOT NULL,
    kept_from  BIGINT NOT NULL,
    bucket     TEXT   NOT NULL,
    object     TEXT   NOT NULL,
    state      TEXT   NOT NULL CHECK (state IN ('planned', 'written', 'removed')),
    hash       TEXT   NOT NULL,
    signature  TEXT   NOT NULL,
    PRIMARY KEY (customer, project, tracker, n)
);

-- trace: who is told of what
CREATE TABLE trace_notice (
    customer   TEXT   NOT NULL,
    id         TEXT   NOT NULL,
    project    TEXT   NOT NULL,
    name       TEXT   NOT NULL,
    every      BIGINT NOT NULL,
    agency     TEXT   NOT NULL,
    operations TEXT   NOT NULL,
    users      TEXT   NOT NULL,
    enabled    BIGINT NOT NULL,
    topic      TEXT   NOT NULL,
    filter     TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (customer, id),
    UNIQUE (customer, project, name)
);

-- trace: raised by every change of trackers and notifications; and the key that digests are signed with
CREATE TABLE trace_version (
    one     BIGINT NOT NULL PRIMARY KEY CHECK (one = 1),
    version BIGINT NOT NULL
);
INSERT INTO trace_version (one, version) VALUES (1, 1);
CREATE TABLE trace_key (
    one        BIGINT NOT NULL PRIMARY KEY CHECK (one = 1),
    sealed     BYTEA  NOT NULL,
    public     TEXT   NOT NULL,
    created_at BIGINT NOT NULL
);

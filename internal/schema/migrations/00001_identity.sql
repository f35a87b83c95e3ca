-- +goose Up
-- identity: who is who, and what proves it
CREATE TABLE identity_domain (
    id         TEXT   NOT NULL PRIMARY KEY,
    name       TEXT   NOT NULL UNIQUE,
    kind       TEXT   NOT NULL CHECK (kind IN ('operator', 'partner', 'customer')),
    partner    TEXT   NOT NULL,
    enabled    BIGINT NOT NULL CHECK (enabled IN (0, 1)),
    created_at BIGINT NOT NULL
);
CREATE TABLE identity_project (
    domain     TEXT   NOT NULL,
    id         TEXT   NOT NULL UNIQUE,
    name       TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (domain, id),
    UNIQUE (domain, name)
);
CREATE TABLE identity_user (
    domain       TEXT   NOT NULL,
    id           TEXT   NOT NULL UNIQUE,
    name         TEXT   NOT NULL,
    password     BYTEA  NOT NULL,
    enabled      BIGINT NOT NULL CHECK (enabled IN (0, 1)),
    owner        BIGINT NOT NULL CHECK (owner IN (0, 1)),
    email        TEXT   NOT NULL,
    mobile       TEXT   NOT NULL,
    description  TEXT   NOT NULL,
    failures     BIGINT NOT NULL CHECK (failures >= 0),
    locked_until BIGINT NOT NULL,
    created_at   BIGINT NOT NULL,
    password_at  BIGINT NOT NULL,
    PRIMARY KEY (domain, id),
    UNIQUE (domain, name)
);
CREATE TABLE identity_group (
    domain TEXT NOT NULL,
    id     TEXT NOT NULL,
    name   TEXT NOT NULL,
    PRIMARY KEY (domain, id),
    UNIQUE (domain, name)
);
CREATE TABLE identity_member (
    domain   TEXT NOT NULL,
    group_id TEXT NOT NULL,
    user_id  TEXT NOT NULL,
    PRIMARY KEY (domain, user_id, group_id)
);
-- what a user or a group may do: statements as JSON, one row a policy
CREATE TABLE identity_policy (
    domain     TEXT NOT NULL,
    principal  TEXT NOT NULL,
    name       TEXT NOT NULL,
    statements TEXT NOT NULL,
    PRIMARY KEY (domain, principal, name)
);
CREATE TABLE identity_key (
    access      TEXT   NOT NULL PRIMARY KEY,
    domain      TEXT   NOT NULL,
    user_id     TEXT   NOT NULL,
    slot        BIGINT NOT NULL CHECK (slot IN (1, 2)),
    sealed      BYTEA  NOT NULL,
    active      BIGINT NOT NULL CHECK (active IN (0, 1)),
    description TEXT   NOT NULL,
    created_at  BIGINT NOT NULL,
    UNIQUE (domain, user_id, slot)
);
CREATE TABLE identity_temporary (
    access     TEXT   NOT NULL PRIMARY KEY,
    domain     TEXT   NOT NULL,
    user_id    TEXT   NOT NULL,
    sealed     BYTEA  NOT NULL,
    token      BYTEA  NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX identity_temporary_user ON identity_temporary (domain, user_id);
CREATE INDEX identity_temporary_expires ON identity_temporary (expires_at);
CREATE TABLE identity_token (
    fingerprint BYTEA  NOT NULL PRIMARY KEY,
    domain      TEXT   NOT NULL,
    user_id     TEXT   NOT NULL,
    project     TEXT   NOT NULL,
    issued_at   BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL
);
CREATE INDEX identity_token_user ON identity_token (domain, user_id);
CREATE INDEX identity_token_expires ON identity_token (expires_at);
-- goes up with every change that a cache must notice
CREATE TABLE identity_version (
    one BIGINT NOT NULL PRIMARY KEY CHECK (one = 1),
    n   BIGINT NOT NULL
);
INSERT INTO identity_version (one, n) VALUES (1, 0);

-- +goose Up
-- project: enterprise projects. The default project (0) is every account's and has no row.
CREATE TABLE project_opened (
    customer  TEXT   NOT NULL PRIMARY KEY,
    opened_at BIGINT NOT NULL
);
CREATE TABLE project_entry (
    customer    TEXT   NOT NULL,
    id          TEXT   NOT NULL CHECK (id <> '' AND id <> '0'),
    name        TEXT   NOT NULL,
    description TEXT   NOT NULL,
    kind        TEXT   NOT NULL CHECK (kind IN ('prod', 'poc')),
    enabled     BIGINT NOT NULL CHECK (enabled IN (0, 1)),
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL,
    deleted_at  BIGINT NOT NULL,
    PRIMARY KEY (customer, id)
);
-- a deleted project keeps its row, for bills, and gives its name back
CREATE UNIQUE INDEX project_entry_name ON project_entry (customer, name) WHERE deleted_at = 0;
-- what was moved between projects, only added; names as they were
CREATE TABLE project_move (
    customer      TEXT   NOT NULL,
    id            TEXT   NOT NULL,
    resource      TEXT   NOT NULL,
    resource_name TEXT   NOT NULL,
    resource_type TEXT   NOT NULL,
    region        TEXT   NOT NULL,
    cloud_project TEXT   NOT NULL,
    origin        TEXT   NOT NULL,
    origin_name   TEXT   NOT NULL,
    target        TEXT   NOT NULL,
    target_name   TEXT   NOT NULL,
    associated    BIGINT NOT NULL CHECK (associated IN (0, 1)),
    user_name     TEXT   NOT NULL,
    moved_at      BIGINT NOT NULL,
    PRIMARY KEY (customer, id)
);
CREATE INDEX project_move_at ON project_move (customer, moved_at, id);
-- a project's money: what a month (GMT+8) should not pass (budget, alerts at shares of it) and may not (quota); 0: none
CREATE TABLE project_budget (
    customer   TEXT   NOT NULL,
    project    TEXT   NOT NULL,
    budget     BIGINT NOT NULL CHECK (budget >= 0),
    quota      BIGINT NOT NULL CHECK (quota >= 0),
    shares     TEXT   NOT NULL,
    changed_at BIGINT NOT NULL,
    PRIMARY KEY (customer, project)
);
-- what a month has cost, of projects with a budget; alerted is the highest share that was told
CREATE TABLE project_spent (
    customer TEXT   NOT NULL,
    project  TEXT   NOT NULL,
    cycle    BIGINT NOT NULL,
    spent    BIGINT NOT NULL,
    alerted  BIGINT NOT NULL,
    PRIMARY KEY (customer, project, cycle)
);
-- rows of other rooms by project
CREATE INDEX order_head_project ON order_head (customer, project, created_at, id);
CREATE INDEX subscription_resource_project ON subscription_resource (customer, project, created_at, instance);
CREATE INDEX usage_resource_project ON usage_resource (customer, project, id);
CREATE INDEX charge_fee_project ON charge_fee (customer, project, cycle, traded_at, id);
-- the project that a pay-per-use resource was moved to by hand; records that name none then count there. The number goes
-- up with every move, for caches.
ALTER TABLE usage_resource ADD COLUMN placed TEXT NOT NULL DEFAULT '';
CREATE TABLE usage_version (
    one BIGINT NOT NULL PRIMARY KEY CHECK (one = 1),
    n   BIGINT NOT NULL
);
INSERT INTO usage_version (one, n) VALUES (1, 0);

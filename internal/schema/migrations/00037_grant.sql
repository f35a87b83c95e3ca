-- +goose Up
-- what a user or a group may do in one enterprise project only: statements as JSON
CREATE TABLE identity_grant (
    domain     TEXT NOT NULL,
    principal  TEXT NOT NULL,
    project    TEXT NOT NULL,
    statements TEXT NOT NULL,
    PRIMARY KEY (domain, principal, project)
);
CREATE INDEX identity_grant_project ON identity_grant (domain, project);

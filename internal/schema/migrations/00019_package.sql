-- +goose Up
-- catalog: what a product holds when it is a resource package, as JSON; empty: it is none
ALTER TABLE catalog_product ADD COLUMN package TEXT NOT NULL DEFAULT '';

-- +goose Up
-- until when what an invoice still asks for is to be paid; 0: it asks for nothing
ALTER TABLE invoice_paper ADD COLUMN due_at BIGINT NOT NULL DEFAULT 0;

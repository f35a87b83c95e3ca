-- +goose Up
-- the papers of a customer's month, by order: fee records name theirs
CREATE INDEX invoice_paper_month ON invoice_paper (about, cycle, trade);

-- +goose Up
-- invoice: what was invoiced, to whom, from whom, under which number. A paper is made with what it is made for, in one
-- transaction; its number and addresses are sealed behind the commit.
CREATE TABLE invoice_paper (
    customer    TEXT   NOT NULL,
    id          TEXT   NOT NULL,
    about       TEXT   NOT NULL,
    payer       TEXT   NOT NULL,
    method      TEXT   NOT NULL CHECK (method IN ('cycle', 'receipt', 'order')),
    trade_type  BIGINT NOT NULL CHECK (trade_type IN (3, 4, 6, 7, 8, 10)),
    class       BIGINT NOT NULL CHECK (class IN (0, 1)),
    memo        BIGINT NOT NULL CHECK (memo IN (0, 1)),
    source      TEXT   NOT NULL,
    reason      TEXT   NOT NULL,
    cycle       BIGINT NOT NULL,
    trade       TEXT   NOT NULL,
    currency    TEXT   NOT NULL,
    charged     BIGINT NOT NULL,
    coupon      BIGINT NOT NULL,
    tax         BIGINT NOT NULL,
    amount      BIGINT NOT NULL,
    applicant   TEXT   NOT NULL,
    applied_at  BIGINT NOT NULL,
    recorded_at BIGINT NOT NULL,
    PRIMARY KEY (customer, id),
    CHECK (amount = charged - coupon + tax)
);
CREATE UNIQUE INDEX invoice_paper_id ON invoice_paper (id);
CREATE INDEX invoice_paper_applied ON invoice_paper (customer, applied_at, id);
CREATE INDEX invoice_paper_all ON invoice_paper (applied_at, id);
CREATE INDEX invoice_paper_source ON invoice_paper (source) WHERE source <> '';
CREATE INDEX invoice_paper_about ON invoice_paper (about, applied_at, id);
-- add only: invoice_paper
CREATE TABLE invoice_line (
    customer      TEXT   NOT NULL,
    invoice       TEXT   NOT NULL,
    no            BIGINT NOT NULL,
    service       TEXT   NOT NULL,
    resource_type TEXT   NOT NULL,
    spec          TEXT   NOT NULL,
    region        TEXT   NOT NULL,
    mode          BIGINT NOT NULL,
    service_en    TEXT   NOT NULL,
    service_zh    TEXT   NOT NULL,
    name_en       TEXT   NOT NULL,
    name_zh       TEXT   NOT NULL,
    num           BIGINT NOT NULL,
    starts_at     BIGINT NOT NULL,
    ends_at       BIGINT NOT NULL,
    charged       BIGINT NOT NULL,
    coupon        BIGINT NOT NULL,
    tax           BIGINT NOT NULL,
    amount        BIGINT NOT NULL,
    cut           BIGINT NOT NULL,
    tax_rate      TEXT   NOT NULL,
    inclusive     BIGINT NOT NULL CHECK (inclusive IN (0, 1)),
    PRIMARY KEY (customer, invoice, no),
    CHECK (amount = charged - coupon + tax)
);
-- add only: invoice_line
CREATE TABLE invoice_tax (
    customer  TEXT   NOT NULL,
    invoice   TEXT   NOT NULL,
    no        BIGINT NOT NULL,
    class     TEXT   NOT NULL,
    sub_class TEXT   NOT NULL,
    rate      TEXT   NOT NULL,
    base      BIGINT NOT NULL,
    amount    BIGINT NOT NULL,
    PRIMARY KEY (customer, invoice, no)
);
-- add only: invoice_tax
-- what stands on an invoice, each on one: an order, what an unsubscription gives back of an order, a month, a receipt
CREATE TABLE invoice_thing (
    customer TEXT NOT NULL,
    kind     TEXT NOT NULL CHECK (kind IN ('trade', 'month', 'entry')),
    id       TEXT NOT NULL,
    holder   TEXT NOT NULL,
    invoice  TEXT NOT NULL,
    PRIMARY KEY (customer, kind, id)
);
-- add only: invoice_thing
CREATE INDEX invoice_thing_invoice ON invoice_thing (holder, invoice);
-- papers that wait for their number
CREATE TABLE invoice_queue (
    customer    TEXT   NOT NULL,
    invoice     TEXT   NOT NULL,
    waits       BIGINT NOT NULL CHECK (waits IN (0, 1)),
    recorded_at BIGINT NOT NULL,
    PRIMARY KEY (customer, invoice)
);
CREATE UNIQUE INDEX invoice_queue_invoice ON invoice_queue (invoice);
CREATE INDEX invoice_queue_turn ON invoice_queue (recorded_at, customer, invoice) WHERE waits = 0;
-- the number of a paper, and from whom and to whom it is: by issuer, since numbers are an issuer's
CREATE TABLE invoice_seal (
    issuer         TEXT   NOT NULL,
    no             BIGINT NOT NULL CHECK (no > 0),
    customer       TEXT   NOT NULL,
    invoice        TEXT   NOT NULL,
    number         TEXT   NOT NULL,
    sealed_at      BIGINT NOT NULL,
    title_type     BIGINT NOT NULL CHECK (title_type IN (0, 1)),
    title          TEXT   NOT NULL,
    tax_id         TEXT   NOT NULL,
    country        TEXT   NOT NULL,
    address        TEXT   NOT NULL,
    recipient      TEXT   NOT NULL,
    zip            TEXT   NOT NULL,
    phone          TEXT   NOT NULL,
    email          TEXT   NOT NULL,
    about_name     TEXT   NOT NULL,
    issuer_name    TEXT   NOT NULL,
    issuer_address TEXT   NOT NULL,
    issuer_tax_id  TEXT   NOT NULL,
    issuer_note    TEXT   NOT NULL,
    PRIMARY KEY (issuer, no)
);
CREATE UNIQUE INDEX invoice_seal_invoice ON invoice_seal (invoice);
CREATE UNIQUE INDEX invoice_seal_number ON invoice_seal (number);
-- add only: invoice_seal
-- papers as they were printed, when they were first asked for
CREATE TABLE invoice_file (
    customer TEXT   NOT NULL,
    invoice  TEXT   NOT NULL,
    language TEXT   NOT NULL CHECK (language IN ('en_US', 'zh_CN')),
    content  BYTEA  NOT NULL,
    made_at  BIGINT NOT NULL,
    PRIMARY KEY (customer, invoice, language)
);
-- add only: invoice_file
CREATE TABLE invoice_profile (
    customer   TEXT   NOT NULL PRIMARY KEY,
    title      TEXT   NOT NULL,
    address    TEXT   NOT NULL,
    recipient  TEXT   NOT NULL,
    zip        TEXT   NOT NULL,
    phone      TEXT   NOT NULL,
    email      TEXT   NOT NULL,
    changed_at BIGINT NOT NULL
);
CREATE TABLE invoice_issuer (
    code       TEXT   NOT NULL PRIMARY KEY,
    name       TEXT   NOT NULL,
    address    TEXT   NOT NULL,
    tax_id     TEXT   NOT NULL,
    note       TEXT   NOT NULL,
    prefix     TEXT   NOT NULL,
    countries  TEXT   NOT NULL,
    changed_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX invoice_issuer_prefix ON invoice_issuer (prefix);
-- by which method a customer was invoiced since when; without a row it is what it has always been
CREATE TABLE invoice_method (
    customer TEXT   NOT NULL,
    since_at BIGINT NOT NULL,
    method   TEXT   NOT NULL CHECK (method IN ('cycle', 'receipt', 'order')),
    PRIMARY KEY (customer, since_at)
);
-- account: the column of 00009 knows two methods only
ALTER TABLE account_customer ADD COLUMN invoice_by TEXT NOT NULL DEFAULT '' CHECK (invoice_by IN ('', 'order', 'cycle', 'receipt'));
ALTER TABLE account_customer ADD COLUMN resold BIGINT NOT NULL DEFAULT 0 CHECK (resold IN (0, 1));
-- tax: what a rate is called, and what it is made of
ALTER TABLE tax_rate ADD COLUMN kind TEXT NOT NULL DEFAULT 'VAT' CHECK (kind IN ('VAT', 'GST', 'ISS', 'WHT'));
ALTER TABLE tax_rate ADD COLUMN parts TEXT NOT NULL DEFAULT '';

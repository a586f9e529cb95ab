CREATE TABLE loans (
    document_id INTEGER NOT NULL REFERENCES documents (id),
    reader TEXT NOT NULL,
    lent_on TEXT NOT NULL,
    returned_on TEXT
);

CREATE UNIQUE INDEX loans_open ON loans (document_id) WHERE returned_on IS NULL;

CREATE VIEW lent AS
SELECT documents.id AS document_id, documents.label, loans.reader, loans.lent_on
FROM loans
JOIN documents ON documents.id = loans.document_id
WHERE loans.returned_on IS NULL;

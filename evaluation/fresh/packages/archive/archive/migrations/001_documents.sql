CREATE TABLE boxes (
    id INTEGER PRIMARY KEY,
    shelf TEXT NOT NULL UNIQUE
);

CREATE TABLE documents (
    id INTEGER PRIMARY KEY,
    box_id INTEGER NOT NULL REFERENCES boxes (id),
    label TEXT NOT NULL,
    year INTEGER NOT NULL,
    scan TEXT
);

CREATE INDEX documents_by_box ON documents (box_id, year, label);

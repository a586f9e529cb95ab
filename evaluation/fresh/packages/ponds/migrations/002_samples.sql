-- A sample is 'taken' and later 'good' or 'bad'. Nitrate is in milligrams for a litre.
CREATE TABLE samples (
    id INTEGER PRIMARY KEY,
    pond_id INTEGER NOT NULL REFERENCES ponds (id),
    day TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'taken' CHECK (state IN ('taken', 'good', 'bad')),
    nitrate REAL
);

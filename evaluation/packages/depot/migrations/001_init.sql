CREATE TABLE items (
    sku      TEXT PRIMARY KEY,
    name     TEXT NOT NULL,
    supplier TEXT NOT NULL
);

CREATE TABLE levels (
    sku       TEXT NOT NULL REFERENCES items (sku),
    warehouse TEXT NOT NULL,
    pieces    INTEGER NOT NULL CHECK (pieces >= 0),
    PRIMARY KEY (sku, warehouse)
);

CREATE TABLE reservations (
    id        BIGSERIAL PRIMARY KEY,
    sku       TEXT NOT NULL REFERENCES items (sku),
    warehouse TEXT NOT NULL,
    pieces    INTEGER NOT NULL CHECK (pieces > 0),
    made_at   TIMESTAMPTZ NOT NULL DEFAULT now()
);

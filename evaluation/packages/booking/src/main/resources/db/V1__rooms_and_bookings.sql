CREATE TABLE rooms (
    id           BIGINT PRIMARY KEY,
    name         VARCHAR(80) NOT NULL,
    beds         INTEGER NOT NULL,
    night_cents  BIGINT NOT NULL
);

CREATE TABLE bookings (
    id          BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    room_id     BIGINT NOT NULL REFERENCES rooms (id),
    guest       VARCHAR(120) NOT NULL,
    first_day   DATE NOT NULL,
    last_day    DATE NOT NULL,
    total_cents BIGINT NOT NULL
);

CREATE TABLE waiting (
    id        BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    room_id   BIGINT NOT NULL REFERENCES rooms (id),
    guest     VARCHAR(120) NOT NULL,
    first_day DATE NOT NULL,
    last_day  DATE NOT NULL
);

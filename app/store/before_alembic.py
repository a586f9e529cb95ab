"""How a file came from each version to the next before there were migrations: 1, 2, 3, 4.

Nothing here changes any more.
"""

_FIRST = """
CREATE TABLE deliveries (
    id TEXT PRIMARY KEY,
    received REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX deliveries_by_age ON deliveries (received);

CREATE TABLE jobs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    role TEXT NOT NULL,
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    payload TEXT NOT NULL,
    priority INTEGER NOT NULL,
    not_before REAL NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'claimed', 'failed')),
    attempts INTEGER NOT NULL DEFAULT 0,
    claims INTEGER NOT NULL DEFAULT 0,
    worker TEXT NOT NULL DEFAULT '',
    lease REAL NOT NULL DEFAULT 0,
    why TEXT NOT NULL DEFAULT '',
    created REAL NOT NULL
);
CREATE INDEX jobs_to_claim ON jobs (role, state, priority DESC, id);
CREATE INDEX jobs_by_key ON jobs (key) WHERE state = 'claimed';

CREATE TABLE runs (
    id TEXT PRIMARY KEY,
    installation INTEGER NOT NULL,
    repository_id INTEGER NOT NULL,
    repository TEXT NOT NULL,
    number INTEGER NOT NULL,
    origin TEXT NOT NULL,
    request TEXT NOT NULL,
    base TEXT NOT NULL,
    head TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'ended')),
    stop TEXT NOT NULL DEFAULT '',
    check_run INTEGER,
    progress TEXT NOT NULL DEFAULT '',
    report TEXT NOT NULL DEFAULT '',
    problem TEXT NOT NULL DEFAULT '',
    outcome TEXT NOT NULL DEFAULT '',
    created REAL NOT NULL,
    UNIQUE (repository_id, number, origin)
);
CREATE INDEX runs_by_head ON runs (repository_id, head);

CREATE TABLE workers (
    name TEXT PRIMARY KEY,
    problem TEXT NOT NULL,
    seen REAL NOT NULL
);
"""

_SECOND = """
ALTER TABLE runs ADD COLUMN kind TEXT NOT NULL DEFAULT 'review';
ALTER TABLE runs ADD COLUMN usd REAL;
ALTER TABLE runs ADD COLUMN calls INTEGER NOT NULL DEFAULT 0;

CREATE TABLE pauses (
    repository_id INTEGER NOT NULL,
    number INTEGER NOT NULL,
    who TEXT NOT NULL,
    since REAL NOT NULL,
    PRIMARY KEY (repository_id, number)
) WITHOUT ROWID;
"""

_THIRD = """
CREATE TABLE dismissals (
    repository_id INTEGER NOT NULL,
    finding TEXT NOT NULL,
    path TEXT NOT NULL,
    title TEXT NOT NULL,
    who TEXT NOT NULL,
    url TEXT NOT NULL,
    since REAL NOT NULL,
    forgotten INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (repository_id, finding)
) WITHOUT ROWID;
"""

_FOURTH = """
ALTER TABLE jobs ADD COLUMN installation INTEGER NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN turn INTEGER NOT NULL DEFAULT 0;
DROP INDEX jobs_to_claim;
CREATE INDEX jobs_to_claim ON jobs (role, priority DESC, turn, id);
CREATE INDEX jobs_by_installation ON jobs (role, installation, turn);

CREATE TABLE turns (
    role TEXT PRIMARY KEY,
    turn INTEGER NOT NULL
) WITHOUT ROWID;
"""

STEPS = (_FIRST, _SECOND, _THIRD, _FOURTH)
"""From each version to the next one, beginning with an empty file."""

LAST_VERSION = len(STEPS)

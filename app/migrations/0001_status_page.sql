-- Moments are milliseconds since 1970 in UTC. Names end in _ms to say so.

CREATE TABLE operators (
    id            INTEGER PRIMARY KEY,
    email         TEXT    NOT NULL UNIQUE,          -- lower case
    password_hash TEXT    NOT NULL,                 -- PHC string, argon2id
    created_ms    INTEGER NOT NULL
) STRICT;

CREATE TABLE sessions (
    token_hash   BLOB    PRIMARY KEY,               -- SHA-256 of the cookie's value
    operator_id  INTEGER NOT NULL REFERENCES operators (id) ON DELETE CASCADE,
    created_ms   INTEGER NOT NULL,
    last_seen_ms INTEGER NOT NULL,
    flash        TEXT                               -- said once, on the next page
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_by_operator ON sessions (operator_id, last_seen_ms);

CREATE TABLE components (
    id          INTEGER PRIMARY KEY,
    name        TEXT    NOT NULL,
    description TEXT    NOT NULL,
    position    INTEGER NOT NULL,
    state       TEXT    NOT NULL CHECK (state IN ('operational', 'maintenance', 'degraded', 'partial-outage', 'major-outage')),
    created_ms  INTEGER NOT NULL,
    removed_ms  INTEGER                             -- kept for the history of its incidents
) STRICT;
CREATE UNIQUE INDEX components_by_name ON components (name) WHERE removed_ms IS NULL;

-- Every state that a component entered; the first when it was added.
CREATE TABLE component_changes (
    id           INTEGER PRIMARY KEY,
    component_id INTEGER NOT NULL REFERENCES components (id),
    state        TEXT    NOT NULL,
    at_ms        INTEGER NOT NULL
) STRICT;
CREATE INDEX component_changes_by_time ON component_changes (component_id, at_ms);

CREATE TABLE incidents (
    id          INTEGER PRIMARY KEY,
    title       TEXT    NOT NULL,
    impact      TEXT    NOT NULL CHECK (impact IN ('minor', 'major', 'critical')),
    status      TEXT    NOT NULL CHECK (status IN ('investigating', 'identified', 'monitoring', 'resolved')),
    opened_ms   INTEGER NOT NULL,
    resolved_ms INTEGER,
    CHECK ((status = 'resolved') = (resolved_ms IS NOT NULL))
) STRICT;
CREATE INDEX incidents_by_time ON incidents (opened_ms);
CREATE INDEX incidents_open ON incidents (opened_ms) WHERE resolved_ms IS NULL;

CREATE TABLE incident_components (
    incident_id  INTEGER NOT NULL REFERENCES incidents (id),
    component_id INTEGER NOT NULL REFERENCES components (id),
    PRIMARY KEY (incident_id, component_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE incident_updates (
    id          INTEGER PRIMARY KEY,
    incident_id INTEGER NOT NULL REFERENCES incidents (id),
    status      TEXT    NOT NULL CHECK (status IN ('investigating', 'identified', 'monitoring', 'resolved')),
    message     TEXT    NOT NULL,
    at_ms       INTEGER NOT NULL
) STRICT;
CREATE INDEX incident_updates_by_incident ON incident_updates (incident_id, at_ms);

CREATE TABLE reports (
    id           INTEGER PRIMARY KEY,
    component_id INTEGER REFERENCES components (id),
    summary      TEXT    NOT NULL,
    details      TEXT    NOT NULL,
    email        TEXT,
    triage       TEXT    NOT NULL CHECK (triage IN ('new', 'acknowledged', 'dismissed')),
    incident_id  INTEGER REFERENCES incidents (id),
    received_ms  INTEGER NOT NULL
) STRICT;
CREATE INDEX reports_by_triage ON reports (triage, received_ms);

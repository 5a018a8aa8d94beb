"""The tables of a store of format 1, which every store begins as.

Owns their shape; what was changed since is in ``migrations``. Must not know who reads them. Times
are microseconds since 1970 in UTC. Events of a job lie side by side; the columns of ``jobs`` are
what its events add up to, kept so that lists can be filtered without reading any.
"""

from typing import Final

SCHEMA: Final = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

CREATE TABLE jobs (
  n INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  namespace TEXT NOT NULL,
  process TEXT NOT NULL,
  revision TEXT NOT NULL,
  status TEXT NOT NULL,
  created INTEGER NOT NULL,
  updated INTEGER NOT NULL,
  started INTEGER,
  finished INTEGER,
  progress INTEGER NOT NULL DEFAULT 0,
  message TEXT NOT NULL DEFAULT '',
  dismiss INTEGER NOT NULL DEFAULT 0,
  hidden INTEGER NOT NULL DEFAULT 0,
  owner TEXT,
  trigger TEXT NOT NULL,
  reason TEXT NOT NULL DEFAULT '',
  run_as TEXT NOT NULL DEFAULT '',
  environment TEXT NOT NULL DEFAULT '',
  service TEXT NOT NULL DEFAULT '',
  title TEXT NOT NULL DEFAULT '',
  tags TEXT NOT NULL DEFAULT '[]'
);
CREATE INDEX jobs_listed
  ON jobs (namespace, created, n, status, process, started, finished, hidden);
CREATE INDEX jobs_of_process
  ON jobs (namespace, process, created, n, status, started, finished, hidden);
CREATE INDEX jobs_open ON jobs (owner, n) WHERE status IN ('accepted', 'running');

CREATE TABLE events (
  job INTEGER NOT NULL REFERENCES jobs (n) ON DELETE CASCADE,
  seq INTEGER NOT NULL,
  kind TEXT NOT NULL,
  at INTEGER NOT NULL,
  data TEXT NOT NULL,
  progress INTEGER,
  message TEXT,
  PRIMARY KEY (job, seq)
) WITHOUT ROWID;

CREATE TABLE outbox (
  n INTEGER PRIMARY KEY,
  job TEXT NOT NULL,
  uri TEXT NOT NULL,
  kind TEXT NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,
  due INTEGER NOT NULL,
  said TEXT NOT NULL DEFAULT ''
);
CREATE INDEX outbox_due ON outbox (due);

CREATE TABLE tokens (
  hash TEXT PRIMARY KEY,
  namespace TEXT NOT NULL,
  name TEXT NOT NULL,
  created INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE processes (
  namespace TEXT NOT NULL,
  id TEXT NOT NULL,
  revision TEXT NOT NULL,
  current INTEGER NOT NULL,
  version TEXT NOT NULL,
  title TEXT NOT NULL,
  mutable INTEGER NOT NULL,
  deployed INTEGER NOT NULL,
  description TEXT NOT NULL,
  resolved TEXT NOT NULL,
  media_type TEXT NOT NULL,
  entry TEXT NOT NULL,
  PRIMARY KEY (namespace, id, revision)
) WITHOUT ROWID;
CREATE INDEX processes_from ON processes (namespace, entry) WHERE current = 1 AND entry <> '';

CREATE TABLE texts (
  revision TEXT NOT NULL,
  position INTEGER NOT NULL,
  name TEXT NOT NULL,
  data BLOB NOT NULL,
  PRIMARY KEY (revision, position)
) WITHOUT ROWID
"""

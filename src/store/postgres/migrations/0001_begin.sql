-- The layout that everything begins with.
--
-- Identifiers (16 bytes, later ones sort after earlier ones) and hashes (32) are bytea, times are milliseconds since
-- 1970, records are MessagePack. Each table is keyed by what it is asked for: a member, a thought, a list, a hash. By
-- the first column of its key it can be spread over servers (Citus), and ranges of it split (YugabyteDB, CockroachDB).

CREATE TABLE members (
    id bytea PRIMARY KEY,
    record bytea NOT NULL
);

-- The SHA-256 of issuer and subject, and whose it is.
CREATE TABLE identities (
    name bytea PRIMARY KEY,
    member bytea NOT NULL
);

CREATE TABLE handles (
    handle text PRIMARY KEY,
    member bytea NOT NULL
);

-- Who was deleted, until everything of theirs is forgotten.
CREATE TABLE leaving (
    member bytea PRIMARY KEY,
    handle text NOT NULL
);

CREATE TABLE thoughts (
    id bytea PRIMARY KEY,
    author bytea NOT NULL,
    deleted_at bigint,
    record bytea NOT NULL
);
CREATE INDEX thoughts_by_author ON thoughts (author, id);
CREATE INDEX thoughts_in_trash ON thoughts (deleted_at, id) WHERE deleted_at IS NOT NULL;

CREATE TABLE revisions (
    thought bytea NOT NULL,
    version bigint NOT NULL,
    record bytea NOT NULL,
    PRIMARY KEY (thought, version)
);

-- Which thoughts stand in a list; no deleted one does. A feed reads the ends of a few of these ranges.
CREATE TABLE lists (
    list bytea NOT NULL,
    thought bytea NOT NULL,
    PRIMARY KEY (list, thought)
);

CREATE TABLE once_values (
    member bytea NOT NULL,
    hash bytea NOT NULL,
    made bytea NOT NULL,
    used_at bigint NOT NULL,
    PRIMARY KEY (member, hash)
);
CREATE INDEX once_values_by_time ON once_values (used_at, member, hash);

CREATE TABLE api_tokens (
    hash bytea PRIMARY KEY,
    member bytea NOT NULL,
    id bytea NOT NULL,
    record bytea NOT NULL
);
CREATE UNIQUE INDEX api_tokens_by_member ON api_tokens (member, id);

-- `at_provider` is the SHA-256 of issuer and `sid`.
CREATE TABLE sessions (
    hash bytea PRIMARY KEY,
    member bytea NOT NULL,
    begun_at bigint NOT NULL,
    ends_at bigint NOT NULL,
    at_provider bytea,
    refreshing_until bigint,
    record bytea NOT NULL
);
CREATE INDEX sessions_by_member ON sessions (member, begun_at DESC, hash);
CREATE INDEX sessions_by_provider ON sessions (at_provider) WHERE at_provider IS NOT NULL;
CREATE INDEX sessions_by_end ON sessions (ends_at, hash);

CREATE TABLE ended_sessions (
    hash bytea PRIMARY KEY,
    ends_at bigint NOT NULL,
    record bytea NOT NULL
);
CREATE INDEX ended_sessions_by_end ON ended_sessions (ends_at, hash);

CREATE TABLE logouts (
    name bytea PRIMARY KEY,
    ends_at bigint NOT NULL
);
CREATE INDEX logouts_by_end ON logouts (ends_at, name);

CREATE TABLE unsent_texts (
    id bytea PRIMARY KEY,
    member bytea NOT NULL,
    kept_at bigint NOT NULL,
    record bytea NOT NULL
);
CREATE INDEX unsent_texts_by_time ON unsent_texts (kept_at, id);
CREATE INDEX unsent_texts_by_member ON unsent_texts (member);

-- What the store notes of itself; `unsent` holds nothing, and is locked by whoever keeps a text, for there is a bound.
CREATE TABLE notes (
    name text PRIMARY KEY,
    record bytea NOT NULL
);
INSERT INTO notes (name, record) VALUES ('unsent', '');

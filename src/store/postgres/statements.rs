//! Every statement there is, by name. Each is prepared once a connection and planned once, without a look at its values
//! (`plan_cache_mode`): so the plan in `plans.txt`, which a test compares, is the one that runs.
//!
//! To add one more: a line below, and `THOUGHTS_PLANS=write cargo test --lib plans`. Where a `LIMIT` is a value, the
//! planner takes it for a tenth of all rows; whoever joins behind one does it by `LATERAL … LIMIT 1`, which can only be a
//! look-up by key. What is in `(… OFFSET 0)` is found before it is joined: it may lie on another server than what it is
//! joined with (see `citus`).

use std::sync::LazyLock;

/// Makes a constant of each, and a list of all for the test of their plans.
macro_rules! statements {
    ($($(#[$doc:meta])* $name:ident = $sql:literal;)*) => {
        $($(#[$doc])* pub(super) const $name: &str = $sql;)*

        /// All of them, with their names.
        #[cfg(test)]
        pub(super) const ALL: &[(&str, &str)] = &[$((stringify!($name), $name)),*];
    };
}

statements! {
    IS_READ_ONLY = "SELECT current_setting('transaction_read_only') = 'on'";
    SIZE = "SELECT pg_database_size(current_database())";
    NOTE = "SELECT record FROM notes WHERE name = $1";
    NOTE_LOCKED = "SELECT record FROM notes WHERE name = $1 FOR UPDATE";
    PUT_NOTE = "INSERT INTO notes (name, record) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET record = excluded.record";
    REMOVE_NOTE = "DELETE FROM notes WHERE name = $1";

    MEMBER = "SELECT record FROM members WHERE id = $1";
    MEMBER_LOCKED = "SELECT record FROM members WHERE id = $1 FOR UPDATE";
    /// Holds off who would delete the member, and nobody else.
    MEMBER_HELD = "SELECT 1 FROM members WHERE id = $1 FOR KEY SHARE";
    MEMBER_BY_HANDLE = "SELECT members.record FROM handles JOIN members ON members.id = handles.member WHERE handles.handle = $1";
    MEMBERS_PAGE = "SELECT record FROM members WHERE id < $1 ORDER BY id DESC LIMIT $2";
    PUT_MEMBER = "INSERT INTO members (id, record) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET record = excluded.record";
    REMOVE_MEMBER = "DELETE FROM members WHERE id = $1 RETURNING record";
    WHOSE_IDENTITY = "SELECT member FROM identities WHERE name = $1";
    ADD_IDENTITY = "INSERT INTO identities (name, member) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING";
    PUT_IDENTITY = "INSERT INTO identities (name, member) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET member = excluded.member";
    REMOVE_IDENTITIES = "DELETE FROM identities WHERE name = ANY ($1::bytea[])";
    TAKEN_HANDLES = "SELECT handle FROM handles WHERE handle = ANY ($1::text[])";
    ADD_HANDLE = "INSERT INTO handles (handle, member) VALUES ($1, $2) ON CONFLICT (handle) DO NOTHING";
    PUT_HANDLE = "INSERT INTO handles (handle, member) VALUES ($1, $2) ON CONFLICT (handle) DO UPDATE SET member = excluded.member";
    REMOVE_HANDLE = "DELETE FROM handles WHERE handle = $1";
    PUT_LEAVING = "INSERT INTO leaving (member, handle) VALUES ($1, $2) ON CONFLICT (member) DO UPDATE SET handle = excluded.handle";
    NEXT_LEAVING = "SELECT member FROM leaving ORDER BY member LIMIT 1";
    LEAVING_LOCKED = "SELECT handle FROM leaving WHERE member = $1 FOR UPDATE";
    REMOVE_LEAVING = "DELETE FROM leaving WHERE member = $1";

    THOUGHT = "SELECT thought.record, member.record FROM (SELECT author, record FROM thoughts WHERE id = $1 OFFSET 0) AS thought \
        CROSS JOIN LATERAL (SELECT record FROM members WHERE members.id = thought.author LIMIT 1) AS member";
    THOUGHT_LOCKED = "SELECT record FROM thoughts WHERE id = $1 FOR UPDATE";
    ADD_THOUGHT = "INSERT INTO thoughts (id, author, deleted_at, record) VALUES ($1, $2, $3, $4) ON CONFLICT (id) DO NOTHING";
    PUT_THOUGHT = "INSERT INTO thoughts (id, author, deleted_at, record) VALUES ($1, $2, $3, $4) ON CONFLICT (id) DO UPDATE \
        SET author = excluded.author, deleted_at = excluded.deleted_at, record = excluded.record";
    /// The same two where there is full-text search: see `full_text`.
    ADD_THOUGHT_WITH_WORDS = "INSERT INTO thoughts (id, author, deleted_at, record, words) VALUES ($1, $2, $3, $4, $5::text::tsvector) \
        ON CONFLICT (id) DO NOTHING";
    PUT_THOUGHT_WITH_WORDS = "INSERT INTO thoughts (id, author, deleted_at, record, words) VALUES ($1, $2, $3, $4, $5::text::tsvector) \
        ON CONFLICT (id) DO UPDATE SET author = excluded.author, deleted_at = excluded.deleted_at, record = excluded.record, \
        words = excluded.words";
    /// An index of words is read no other way; see [`super::connect::BEGIN`]. Until the transaction ends.
    BY_BITMAPS = "SELECT set_config('enable_bitmapscan', 'on', true)";
    /// Ordered by what is no index, so that nobody thinks of reading all thoughts in the order of their ids until enough
    /// have the words.
    SEARCH = "SELECT found.id, found.record, member.record FROM ( \
            SELECT id, author, record, id || ''::bytea AS place FROM thoughts \
            WHERE words @@ $1::text::tsquery AND id < $2 ORDER BY place DESC LIMIT $3 \
        ) AS found \
        LEFT JOIN LATERAL (SELECT record FROM members WHERE members.id = found.author LIMIT 1) AS member ON true \
        ORDER BY found.place DESC";
    HOW_MANY = "SELECT count(*) FROM (SELECT FROM thoughts WHERE words @@ $1::text::tsquery LIMIT $2) AS few";
    NEWEST_BEFORE = "SELECT id FROM thoughts WHERE id < $1 ORDER BY id DESC LIMIT 1";
    NEWEST_WITHOUT_WORDS = "SELECT id FROM thoughts WHERE words IS NULL AND deleted_at IS NULL ORDER BY id DESC LIMIT 1";
    WITHOUT_WORDS = "SELECT id, record FROM thoughts WHERE words IS NULL AND deleted_at IS NULL ORDER BY id DESC LIMIT $1";
    /// Not where another instance was quicker. That is found out here, for rows are not locked as they are read: Citus does
    /// so on one server alone.
    PUT_WORDS = "UPDATE thoughts SET words = known.words::tsvector \
        FROM unnest($1::bytea[], $2::bytea[], $3::text[]) AS known (id, record, words) \
        WHERE thoughts.id = known.id AND thoughts.record = known.record AND thoughts.words IS NULL";
    THOUGHTS_OF = "SELECT id FROM thoughts WHERE author = $1 ORDER BY id LIMIT $2";
    TRASHED_BEFORE = "SELECT id FROM thoughts WHERE deleted_at IS NOT NULL AND deleted_at < $1 ORDER BY deleted_at, id LIMIT $2";
    TRASH_PAGE = "SELECT place.deleted_at, place.id, place.record, member.record FROM ( \
            SELECT deleted_at, id, author, record FROM thoughts \
            WHERE deleted_at IS NOT NULL AND (deleted_at, id) < ($1, $2) ORDER BY deleted_at DESC, id DESC LIMIT $3 \
        ) AS place \
        LEFT JOIN LATERAL (SELECT record FROM members WHERE members.id = place.author LIMIT 1) AS member ON true \
        ORDER BY place.deleted_at DESC, place.id DESC";
    /// What stands at these places: see `citus`.
    THOUGHTS_AT = "SELECT thought.id, thought.record, member.record \
        FROM (SELECT id, author, record FROM thoughts WHERE id = ANY ($1::bytea[]) OFFSET 0) AS thought \
        LEFT JOIN LATERAL (SELECT record FROM members WHERE members.id = thought.author LIMIT 1) AS member ON true";
    REMOVE_THOUGHTS = "DELETE FROM thoughts WHERE id = ANY ($1::bytea[]) RETURNING record";
    REMOVE_TRASHED = "DELETE FROM thoughts WHERE id = ANY ($1::bytea[]) AND deleted_at < $2 RETURNING id";
    REVISIONS = "SELECT record FROM revisions WHERE thought = $1 ORDER BY version DESC";
    PUT_REVISION = "INSERT INTO revisions (thought, version, record) VALUES ($1, $2, $3) ON CONFLICT (thought, version) DO UPDATE SET record = excluded.record";
    REMOVE_REVISIONS = "DELETE FROM revisions WHERE thought = ANY ($1::bytea[])";
    LIST = "INSERT INTO lists (list, thought) SELECT list, $2 FROM unnest($1::bytea[]) AS wanted (list) ON CONFLICT (list, thought) DO NOTHING";
    /// The end of one list. A feed asks for several at once: see [`feed`] and `citus`.
    LIST_END = "SELECT thought FROM lists WHERE list = $1 AND thought < $2 ORDER BY thought DESC LIMIT $3";
    UNLIST = "DELETE FROM lists USING unnest($1::bytea[], $2::bytea[]) AS gone (list, thought) \
        WHERE lists.list = gone.list AND lists.thought = gone.thought";

    ONCE = "SELECT made FROM once_values WHERE member = $1 AND hash = $2";
    ADD_ONCE = "INSERT INTO once_values (member, hash, made, used_at) VALUES ($1, $2, $3, $4) ON CONFLICT (member, hash) DO NOTHING";
    PUT_ONCE = "INSERT INTO once_values (member, hash, made, used_at) VALUES ($1, $2, $3, $4) ON CONFLICT (member, hash) DO UPDATE \
        SET made = excluded.made, used_at = excluded.used_at";
    ONCE_BEFORE = "SELECT member, hash FROM once_values WHERE used_at < $1 ORDER BY used_at, member, hash LIMIT $2 FOR UPDATE";
    ONCE_OF = "SELECT member, hash FROM once_values WHERE member = $1 ORDER BY hash LIMIT $2 FOR UPDATE";
    REMOVE_ONCE = "DELETE FROM once_values USING unnest($1::bytea[], $2::bytea[]) AS gone (member, hash) \
        WHERE once_values.member = gone.member AND once_values.hash = gone.hash";

    API_TOKEN = "SELECT record FROM api_tokens WHERE hash = $1";
    API_TOKEN_LOCKED = "SELECT record FROM api_tokens WHERE hash = $1 FOR UPDATE";
    API_TOKENS_OF = "SELECT record FROM api_tokens WHERE member = $1 ORDER BY id DESC";
    PUT_API_TOKEN = "INSERT INTO api_tokens (hash, member, id, record) VALUES ($1, $2, $3, $4) ON CONFLICT (hash) DO UPDATE SET record = excluded.record";
    REMOVE_API_TOKEN = "DELETE FROM api_tokens WHERE member = $1 AND id = $2 RETURNING record";
    REMOVE_API_TOKENS_OF = "DELETE FROM api_tokens WHERE member = $1";

    /// Those of many, for all who ask at the same time.
    SIGNED_IN = "SELECT s.hash, s.record, m.record FROM sessions s JOIN members m ON m.id = s.member WHERE s.hash = ANY ($1::bytea[])";
    /// The same, where members may lie on another server: see `citus`.
    SIGNED_IN_APART = "SELECT s.hash, s.record, m.record \
        FROM (SELECT hash, member, record FROM sessions WHERE hash = ANY ($1::bytea[]) OFFSET 0) AS s \
        CROSS JOIN LATERAL (SELECT record FROM members WHERE members.id = s.member LIMIT 1) AS m";
    SESSION = "SELECT record FROM sessions WHERE hash = $1";
    SESSION_LOCKED = "SELECT record FROM sessions WHERE hash = $1 FOR UPDATE";
    SESSIONS_OF = "SELECT record FROM sessions WHERE member = $1 ORDER BY begun_at DESC, hash";
    SESSIONS_AT_PROVIDER = "SELECT record FROM sessions WHERE at_provider = $1";
    PUT_SESSION = "INSERT INTO sessions (hash, member, begun_at, ends_at, at_provider, record) VALUES ($1, $2, $3, $4, $5, $6) \
        ON CONFLICT (hash) DO UPDATE SET member = excluded.member, begun_at = excluded.begun_at, ends_at = excluded.ends_at, \
        at_provider = excluded.at_provider, refreshing_until = NULL, record = excluded.record";
    UPDATE_SESSION = "UPDATE sessions SET record = $2 WHERE hash = $1";
    BEGIN_REFRESH = "UPDATE sessions SET refreshing_until = $3 WHERE hash = $1 AND (refreshing_until IS NULL OR refreshing_until <= $2)";
    END_REFRESH = "UPDATE sessions SET refreshing_until = NULL WHERE hash = $1";
    REMOVE_SESSIONS = "DELETE FROM sessions WHERE hash = ANY ($1::bytea[]) RETURNING ends_at, record";
    REMOVE_SESSIONS_OF = "DELETE FROM sessions WHERE member = $1 RETURNING ends_at, record";
    ENDED = "SELECT record FROM ended_sessions WHERE hash = $1";
    PUT_ENDED = "INSERT INTO ended_sessions (hash, ends_at, record) VALUES ($1, $2, $3) ON CONFLICT (hash) DO UPDATE \
        SET ends_at = excluded.ends_at, record = excluded.record";
    SESSIONS_DUE = "SELECT hash FROM sessions WHERE ends_at < $1 ORDER BY ends_at, hash LIMIT $2";
    ENDED_DUE = "SELECT hash FROM ended_sessions WHERE ends_at < $1 ORDER BY ends_at, hash LIMIT $2 FOR UPDATE";
    REMOVE_ENDED = "DELETE FROM ended_sessions WHERE hash = ANY ($1::bytea[])";
    ADD_LOGOUT = "INSERT INTO logouts (name, ends_at) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING";
    PUT_LOGOUT = "INSERT INTO logouts (name, ends_at) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET ends_at = excluded.ends_at";
    LOGOUTS_DUE = "SELECT name FROM logouts WHERE ends_at < $1 ORDER BY ends_at, name LIMIT $2 FOR UPDATE";
    REMOVE_LOGOUTS = "DELETE FROM logouts WHERE name = ANY ($1::bytea[])";

    UNSENT = "SELECT record FROM unsent_texts WHERE id = $1";
    PUT_UNSENT = "INSERT INTO unsent_texts (id, member, kept_at, record) VALUES ($1, $2, $3, $4) ON CONFLICT (id) DO UPDATE \
        SET member = excluded.member, kept_at = excluded.kept_at, record = excluded.record";
    /// Those that there is no room for beside so many.
    UNSENT_TOO_MANY = "SELECT id FROM unsent_texts ORDER BY kept_at DESC, id DESC LIMIT 100 OFFSET $1";
    UNSENT_BEFORE = "SELECT id FROM unsent_texts WHERE kept_at < $1 ORDER BY kept_at, id LIMIT $2 FOR UPDATE";
    REMOVE_UNSENT = "DELETE FROM unsent_texts WHERE id = ANY ($1::bytea[])";
    REMOVE_UNSENT_OF = "DELETE FROM unsent_texts WHERE member = $1";

    /// A name for an instance: 16 random bytes.
    NEW_TELLER = "SELECT decode(replace(gen_random_uuid()::text, '-', ''), 'hex')";
    NOW = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint";
    /// Gives where each of them stands.
    ANNOUNCE = "INSERT INTO changes (at, teller, number, record) \
        SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint, $1, told.number, told.record \
        FROM unnest($2::bigint[], $3::bytea[]) AS told (number, record) RETURNING at, number";
    /// What others have told, behind a place.
    CHANGES = "SELECT at, teller, number, record FROM changes WHERE (at, teller, number) > ($1, $2, $3) AND teller <> $4 \
        ORDER BY at, teller, number LIMIT $5";
    /// What one instance has told at these places.
    OWN_CHANGES = "SELECT told.at, told.teller, told.number, told.record FROM unnest($2::bigint[], $3::bigint[]) AS place (at, number) \
        CROSS JOIN LATERAL (SELECT at, teller, number, record FROM changes \
            WHERE changes.at = place.at AND changes.teller = $1 AND changes.number = place.number LIMIT 1) AS told";
    /// A range with both ends is taken for a few rows, which it is. From 0 on, all that was ever taken away would be passed
    /// over each time, for as long as somebody reads the database as it was then.
    REMOVE_CHANGES = "DELETE FROM changes WHERE at BETWEEN $1 AND $2";

    ALL_MEMBERS = "SELECT id, record FROM members WHERE id > $1 ORDER BY id LIMIT $2";
    ALL_LEAVING = "SELECT member, handle FROM leaving WHERE member > $1 ORDER BY member LIMIT $2";
    ALL_THOUGHTS = "SELECT id, record FROM thoughts WHERE id > $1 ORDER BY id LIMIT $2";
    ALL_REVISIONS = "SELECT thought, version, record FROM revisions WHERE (thought, version) > ($1, $2) ORDER BY thought, version LIMIT $3";
    ALL_ONCE = "SELECT used_at, member, hash, made FROM once_values WHERE (used_at, member, hash) > ($1, $2, $3) \
        ORDER BY used_at, member, hash LIMIT $4";
    ALL_API_TOKENS = "SELECT hash, record FROM api_tokens WHERE hash > $1 ORDER BY hash LIMIT $2";
    ALL_SESSIONS = "SELECT hash, record, ends_at FROM sessions WHERE hash > $1 ORDER BY hash LIMIT $2";
    ALL_ENDED = "SELECT ends_at, hash, record FROM ended_sessions WHERE (ends_at, hash) > ($1, $2) ORDER BY ends_at, hash LIMIT $3";
    ALL_LOGOUTS = "SELECT ends_at, name FROM logouts WHERE (ends_at, name) > ($1, $2) ORDER BY ends_at, name LIMIT $3";
    ALL_UNSENT = "SELECT id, record FROM unsent_texts WHERE id > $1 ORDER BY id LIMIT $2";
}

/// How many lists a feed can be read from by one statement: there is one statement for each of these.
pub(super) const FEED_LISTS: [usize; 4] = [1, 4, 16, 64];

/// See [`feed`].
pub(super) static FEEDS: LazyLock<[String; 4]> = LazyLock::new(|| FEED_LISTS.map(merged));

/// A page of a feed from the ends of so many lists: the smallest statement that has a place for each. Places that are
/// left over are `NULL`, which no list is called; the database does not look for it.
pub(super) fn feed(lists: usize) -> &'static str {
    let enough = FEED_LISTS.iter().position(|places| lists <= *places);
    &FEEDS[enough.unwrap_or(FEED_LISTS.len() - 1)]
}

/// Each end is read in its order and the database merges them, so that nothing is sorted: of a hundred lists it reads one
/// place each, and those that make up the page.
fn merged(lists: usize) -> String {
    let end = |place| {
        format!(
            "(SELECT thought FROM lists WHERE list = ($1::bytea[])[{place}] AND thought < $2 ORDER BY thought DESC LIMIT $3)"
        )
    };
    let ends = (1..=lists).map(end).collect::<Vec<_>>().join(" UNION ALL ");
    format!(
        "SELECT page.thought, thought.record, member.record FROM ( \
            SELECT DISTINCT place.thought FROM ({ends}) AS place ORDER BY place.thought DESC LIMIT $3 \
        ) AS page \
        CROSS JOIN LATERAL (SELECT author, record FROM thoughts WHERE thoughts.id = page.thought LIMIT 1) AS thought \
        LEFT JOIN LATERAL (SELECT record FROM members WHERE members.id = thought.author LIMIT 1) AS member ON true \
        ORDER BY page.thought DESC"
    )
}

//! Full-text search, which databases have in ways of their own: the one seam for it.
//!
//! PostgreSQL's `tsvector`, `tsquery` and GIN are used for what they are good at, which is finding the rows that have some of
//! a set of lexemes. Which words a text has is said by [`Words`], as in the embedded store, so both find the same; and whom
//! a thought is for is a lexeme as well, so nothing is read that is out of reach.
//!
//! An index by words knows no order, and the newest thoughts are wanted. So each word stands behind the number of the week
//! in which the thought was made, and few weeks are asked for at first, then twice as many before them, and so on: a word
//! that many use is found in the newest weeks, one that nobody uses is soon known to be in none. What a page costs grows
//! with what is found in the weeks that it comes from.
//!
//! The index goes through all that have a word before it sees which of them have another as well. So beside a word that
//! many use, older weeks are asked for the rarer one alone, and the others are looked for in what that gives.
//!
//! Where the database has none of that (`CockroachDB` knows no `tsvector` before 23.1), the tables are without it, and
//! thoughts are looked at themselves, so many at a time (`store/search.rs`). Run by the tests: PostgreSQL 15, with it and
//! without.

use std::ops::{Range, RangeInclusive};

use deadpool_postgres::Transaction as Migration;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use tokio::time::timeout;
use tokio_postgres::{Client, Error, Row};

use super::feed::authored;
use super::thoughts::WHAT;
use super::transaction::{Fault, Transaction, change, is_unknown, too_long};
use super::values::{bytes, limit, record};
use super::{PostgresStore, connect, statements as sql};
use crate::domain::id::ThoughtId;
use crate::domain::page::Page;
use crate::domain::policy::Reach;
use crate::domain::search::{Query, Term, Words};
use crate::domain::thought::{Authored, Thought};
use crate::store::lists::List;
use crate::store::search::{look_through, says};
use crate::store::{Result, Scope};

const WEEK: u64 = 7 * 24 * 60 * 60 * 1000;

/// Lexemes that are asked for at once, at most: weeks times terms.
const LEXEMES: u64 = 512;

/// A term is rare in weeks in which fewer thoughts than this have it.
const FEW: i64 = 100;

/// Thoughts whose words are written in one transaction, where they have none.
const AT_ONCE: usize = 500;

/// Bytes of their words from which on it takes no more.
const BYTES: usize = 2 * 1024 * 1024;

/// Makes what is needed for it. `false` where this database has no such thing, and nothing was made.
pub(super) async fn make(transaction: &Migration<'_>, migration: &str) -> std::result::Result<bool, Error> {
    transaction.batch_execute("SAVEPOINT full_text").await?;
    match transaction.batch_execute(migration).await {
        Err(error) if is_unknown(&error) => {
            transaction.batch_execute("ROLLBACK TO SAVEPOINT full_text").await?;
            Ok(false)
        }
        made => made.map(|()| true),
    }
}

/// Whether it was made.
pub(super) async fn is_there(client: &Client) -> Result<bool> {
    let row = client.query_one(IS_THERE, &[]).await.map_err(Fault::from)?;
    Ok(row.try_get(0).map_err(Fault::from)?)
}

const IS_THERE: &str = "SELECT EXISTS (SELECT 1 FROM pg_attribute \
    WHERE attrelid = to_regclass('thoughts') AND attname = 'words' AND NOT attisdropped)";

/// What a thought is found by, as the text of a `tsvector`; nothing where it is deleted.
pub(super) fn lexemes(thought: &Thought) -> Option<String> {
    if thought.deleted_at.is_some() {
        return None;
    }
    let week = week(thought.id);
    let words = Words::of(thought.message.as_str());
    let words = words.iter().map(|word| of_word(week, word));
    Some(quoted(words.chain(List::searched(thought).map(of_list)), " "))
}

fn quoted(lexemes: impl Iterator<Item = String>, between: &str) -> String {
    lexemes.map(|lexeme| ["'", &lexeme, "'"].concat()).collect::<Vec<_>>().join(between)
}

/// The week in which it was made, counted from 1970.
fn week(id: ThoughtId) -> u64 {
    id.millisecond() / WEEK
}

/// Letters and digits stand for themselves and all other bytes as `%` and two digits: so a lexeme is ASCII whatever the
/// database's encoding is, needs no quoting, and begins as its word does.
fn of_word(week: u64, word: &str) -> String {
    format!("{week:05x}{}", utf8_percent_encode(word, NON_ALPHANUMERIC))
}

fn of_list(list: List<'_>) -> String {
    format!("={}", percent_encoding::percent_encode(&list.name(), NON_ALPHANUMERIC))
}

/// All of these terms within reach in these weeks, as the text of a `tsquery`.
fn tsquery(terms: &[Term], reach: &Reach, weeks: &RangeInclusive<u64>) -> String {
    let lists = List::within(Scope::Everyone, reach).into_iter().map(of_list);
    let terms = terms.iter().map(|term| {
        let each =
            quoted(weeks.clone().map(|week| of_word(week, term.text())), if term.is_whole() { "|" } else { ":*|" });
        if term.is_whole() { each } else { each + ":*" }
    });
    let all = std::iter::once(quoted(lists, "|")).chain(terms);
    format!("({})", all.collect::<Vec<_>>().join(")&("))
}

/// A page of what is looked for.
pub(super) async fn search(
    store: &PostgresStore,
    query: &Query,
    reach: &Reach,
    before: Option<ThoughtId>,
    size: usize,
) -> Result<Page<Authored>> {
    let _right = store.database.right_to_search().await?;
    let (mut found, mut rest) = (Vec::new(), before);
    if store.database.full_text {
        let mut turn = store.database.turn().await?;
        let indexed = async {
            let to = turn.begin().await?;
            in_index(&to, query, reach, before, size.saturating_add(1)).await
        };
        // It is many statements, each of which may take as long.
        (found, rest) = match timeout(connect::STATEMENT, indexed).await {
            Ok(Ok((found, None))) => return Ok(Page::cut(found, size, |item| item.thought.id)),
            Ok(Ok(indexed)) => indexed,
            Ok(Err(fault)) => return Err(turn.failed(fault)),
            Err(_) => return Err(too_long("a search")),
        };
    }
    look_through(store, query, reach, rest, found, size).await
}

/// The first so many that the index has, and before which thought it has not all of them, if they do.
async fn in_index(
    to: &Transaction<'_>,
    query: &Query,
    reach: &Reach,
    before: Option<ThoughtId>,
    wanted: usize,
) -> Result<(Vec<Authored>, Option<ThoughtId>), Fault> {
    to.row(sql::BY_BITMAPS, &[]).await?;
    let unindexed = to.row(sql::NEWEST_WITHOUT_WORDS, &[]).await?.as_ref().map(id).transpose()?;
    let begin = unindexed.map_or(ThoughtId::FIRST, ThoughtId::next);
    let (mut found, mut end, mut many) = (Vec::new(), before.unwrap_or(ThoughtId::LAST), 1);
    let mut asked = query.terms();
    while found.len() < wanted && end > begin {
        // Weeks in which nobody shared anything are not asked for.
        let newest = to.row(sql::NEWEST_BEFORE, &[&&end.to_bytes()[..]]).await?.as_ref().map(id).transpose()?;
        let Some(last) = newest.filter(|newest| *newest >= begin).map(week) else { break };
        let first = last.saturating_sub(many - 1);
        in_weeks(to, query, asked, reach, (first..=last, begin..end), wanted, &mut found).await?;
        if many == 1 && found.len() < wanted {
            asked = rarest(to, query, reach, &(first..=last)).await?;
        }
        end = ThoughtId::first_of(first * WEEK);
        many = (2 * many).min(LEXEMES / query.terms().len() as u64);
    }
    let rest = unindexed.filter(|_| found.len() < wanted).map(|_| begin.min(before.unwrap_or(ThoughtId::LAST)));
    Ok((found, rest))
}

/// The term that fewest thoughts of these weeks have; all terms, where there is but one, or none of them is rare.
async fn rarest<'q>(
    to: &Transaction<'_>,
    query: &'q Query,
    reach: &Reach,
    weeks: &RangeInclusive<u64>,
) -> Result<&'q [Term], Fault> {
    let (mut rarest, mut fewest) = (query.terms(), FEW);
    if rarest.len() > 1 {
        for term in query.terms().chunks(1) {
            let tsquery = tsquery(term, reach, weeks);
            let row = to.row(sql::HOW_MANY, &[&tsquery, &fewest]).await?;
            let many = row.map_or(Ok(0), |row| row.try_get(0))?;
            if many < fewest {
                (rarest, fewest) = (term, many);
            }
        }
    }
    Ok(rarest)
}

/// Adds what is found in these weeks and ids, the newest first, until there is as much as is `wanted`. The index is `asked`
/// for some of the terms, and for all of them where too many thoughts have those.
async fn in_weeks(
    to: &Transaction<'_>,
    query: &Query,
    mut asked: &[Term],
    reach: &Reach,
    (weeks, mut ids): (RangeInclusive<u64>, Range<ThoughtId>),
    wanted: usize,
    found: &mut Vec<Authored>,
) -> Result<(), Fault> {
    loop {
        let tsquery = tsquery(asked, reach, &weeks);
        let rows = to.rows(sql::SEARCH, &[&tsquery, &&ids.end.to_bytes()[..], &limit(wanted)]).await?;
        for row in &rows {
            // It may have others of the terms alone; or an older binary has changed what it says, and not its words.
            let as_it_is = authored(row, 1, 2)?.filter(|Authored { thought, .. }| {
                let is_there = thought.deleted_at.is_none() && ids.contains(&thought.id);
                is_there && reach.admits(thought.author, &thought.visibility) && says(query, thought)
            });
            found.extend(as_it_is.filter(|_| found.len() < wanted));
        }
        match rows.last().map(id).transpose()? {
            // What lies before these ids would be thrown away, a page of it after the other.
            Some(last) if rows.len() == wanted && found.len() < wanted && last > ids.start => {
                (ids.end, asked) = (last, query.terms());
            }
            Some(_) | None => return Ok(()),
        }
    }
}

/// The newest thought whose words nobody has written.
pub(super) async fn unindexed(store: &PostgresStore) -> Result<Option<ThoughtId>> {
    if !store.database.full_text {
        return Ok(None);
    }
    store.database.row(sql::NEWEST_WITHOUT_WORDS, &[]).await?.as_ref().map(id).transpose()
}

fn id(row: &Row) -> Result<ThoughtId> {
    bytes(WHAT, row, 0).map(ThoughtId::from_bytes)
}

/// Writes the words of the newest thoughts that have none. `false` where there are no more.
pub(super) async fn index(store: &PostgresStore) -> Result<bool> {
    if unindexed(store).await?.is_none() {
        return Ok(false);
    }
    change!(store.database, to => write_some(&to))
}

/// `false` where there are no more, or others change those that there are, or write their words.
async fn write_some(to: &Transaction<'_>) -> Result<bool, Fault> {
    let rows = to.rows(sql::WITHOUT_WORDS, &[&limit(AT_ONCE)]).await?;
    let (mut ids, mut records, mut words) = (Vec::new(), Vec::new(), Vec::new());
    let mut bytes = 0;
    for row in &rows {
        if bytes > BYTES {
            break;
        }
        ids.push(id(row)?.to_bytes().to_vec());
        records.push(row.try_get::<_, &[u8]>(1)?.to_vec());
        // One that can't be read is found by nothing, and is in nobody's way.
        let lexemes = record(WHAT, row, 1).map_or_else(|_| Some(String::new()), |thought| lexemes(&thought));
        bytes += lexemes.as_ref().map_or(0, String::len);
        words.push(lexemes);
    }
    // Those that have changed meanwhile are for the next time; so is all that is left where others were quicker each time.
    let written = to.change(sql::PUT_WORDS, &[&ids, &records, &words]).await?;
    Ok(written > 0 && (ids.len() < rows.len() || rows.len() == AT_ONCE))
}

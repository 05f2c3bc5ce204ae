//! API tokens: by the hash of their secret, by member.

use async_trait::async_trait;
use jiff::Timestamp;

use super::transaction::{Fault, Transaction, change};
use super::values::{first, records};
use super::{PostgresStore, statements as sql};
use crate::domain::api_token::{ApiToken, ApiTokenHash};
use crate::domain::id::{ApiTokenId, MemberId};
use crate::domain::thought::Once;
use crate::store::codec::encode;
use crate::store::{ApiTokens, Created, Result, names};

const WHAT: &str = "an API token";

#[async_trait]
impl ApiTokens for PostgresStore {
    async fn create_api_token(&self, token: &ApiToken, once: Option<&Once>) -> Result<Created> {
        change!(self.database, to => create(&to, token, once))
    }

    async fn api_token(&self, hash: ApiTokenHash) -> Result<Option<ApiToken>> {
        first(WHAT, self.database.row(sql::API_TOKEN, &[&&hash.to_bytes()[..]]).await?.as_ref())
    }

    async fn touch_api_token(&self, hash: ApiTokenHash, at: Timestamp) -> Result<bool> {
        change!(self.database, to => touch(&to, hash, at))
    }

    async fn api_tokens_of(&self, member: MemberId) -> Result<Vec<ApiToken>> {
        records(WHAT, &self.database.rows(sql::API_TOKENS_OF, &[&&member.to_bytes()[..]]).await?)
    }

    async fn revoke_api_token(&self, member: MemberId, id: ApiTokenId) -> Result<Option<ApiToken>> {
        change!(self.database, to => async {
            let row = to.row(sql::REMOVE_API_TOKEN, &[&&member.to_bytes()[..], &&id.to_bytes()[..]]).await?;
            Ok(first(WHAT, row.as_ref())?)
        })
    }
}

async fn create(to: &Transaction<'_>, token: &ApiToken, once: Option<&Once>) -> Result<Created, Fault> {
    let (member, id) = (token.member.to_bytes(), token.id.to_bytes());
    // Whoever makes another one for the same member waits here, so that they are counted one after the other.
    if to.row(sql::MEMBER_LOCKED, &[&&member[..]]).await?.is_none() {
        return Ok(Created::NoMember);
    }
    let once = once.map(names::api_token_once);
    if let Some(hash) = &once
        && to.row(sql::ONCE, &[&&member[..], &&hash[..]]).await?.is_some()
    {
        return Ok(Created::Already);
    }
    if to.rows(sql::API_TOKENS_OF, &[&&member[..]]).await?.len() >= ApiToken::AT_MOST {
        return Ok(Created::TooMany);
    }
    if let Some(hash) = &once {
        let at = token.created_at.as_millisecond();
        to.change(sql::ADD_ONCE, &[&&member[..], &&hash[..], &&id[..], &at]).await?;
    }
    put(to, token).await?;
    Ok(Created::Now)
}

async fn touch(to: &Transaction<'_>, hash: ApiTokenHash, at: Timestamp) -> Result<bool, Fault> {
    let row = to.row(sql::API_TOKEN_LOCKED, &[&&hash.to_bytes()[..]]).await?;
    let Some(mut token) = first::<ApiToken>(WHAT, row.as_ref())? else { return Ok(false) };
    // Touches of several requests may come in any order.
    if token.last_used_at < Some(at) {
        token.last_used_at = Some(at);
        put(to, &token).await?;
    }
    Ok(true)
}

/// Puts a token in the place of what may be there of it.
pub(super) async fn put(to: &Transaction<'_>, token: &ApiToken) -> Result<(), Fault> {
    let (hash, member, id) = (token.hash.to_bytes(), token.member.to_bytes(), token.id.to_bytes());
    to.change(sql::PUT_API_TOKEN, &[&&hash[..], &&member[..], &&id[..], &encode(WHAT, token)?]).await?;
    Ok(())
}

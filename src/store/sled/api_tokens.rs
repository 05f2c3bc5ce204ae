//! API tokens: by the hash of their secret, by member.

use async_trait::async_trait;
use jiff::Timestamp;

use super::draft::Draft;
use super::records::{self, get};
use super::{SledStore, keys};
use crate::domain::api_token::{ApiToken, ApiTokenHash};
use crate::domain::id::{ApiTokenId, MemberId};
use crate::domain::thought::Once;
use crate::store::{ApiTokens, Created, Result};

#[async_trait]
impl ApiTokens for SledStore {
    async fn create_api_token(&self, token: &ApiToken, once: Option<&Once>) -> Result<Created> {
        let (token, once) = (token.clone(), once.cloned());
        self.writer.write(move |draft| create(draft, &token, once.as_ref())).await
    }

    async fn api_token(&self, hash: ApiTokenHash) -> Result<Option<ApiToken>> {
        self.read(|db| get(db, &keys::api_token(hash)))
    }

    async fn touch_api_token(&self, hash: ApiTokenHash, at: Timestamp) -> Result<bool> {
        self.writer
            .write(move |draft| {
                let Some(mut token) = draft.get(&keys::api_token(hash))? else { return Ok(false) };
                // Touches of several requests may come in any order.
                if token.last_used_at < Some(at) {
                    token.last_used_at = Some(at);
                    draft.put(&keys::api_token(hash), &token)?;
                }
                Ok(true)
            })
            .await
    }

    async fn api_tokens_of(&self, member: MemberId) -> Result<Vec<ApiToken>> {
        self.read(|db| {
            let hashes = records::values(db, &keys::api_tokens_of(member));
            // One may have been revoked since its hash was read.
            hashes.filter_map(|hash| hash.and_then(|hash| get(db, &keys::api_token(hash))).transpose()).collect()
        })
    }

    async fn revoke_api_token(&self, member: MemberId, id: ApiTokenId) -> Result<Option<ApiToken>> {
        self.writer.write(move |draft| revoke(draft, member, id)).await
    }
}

fn create(draft: &mut Draft<'_>, token: &ApiToken, once: Option<&Once>) -> Result<Created> {
    if !draft.holds(&keys::member(token.member))? {
        return Ok(Created::NoMember);
    }
    let used = once.map(|once| keys::api_token_once(token.member, once));
    if let Some(used) = &used
        && draft.holds(used)?
    {
        return Ok(Created::Already);
    }
    if draft.keys(&keys::api_tokens_of(token.member), ApiToken::AT_MOST)?.len() >= ApiToken::AT_MOST {
        return Ok(Created::TooMany);
    }
    if let (Some(used), Some(once)) = (&used, once) {
        draft.put(used, &token.id)?;
        draft.put(&keys::api_token_once_used(token.created_at, token.member, once), &())?;
    }
    put(draft, token)?;
    Ok(Created::Now)
}

/// Puts a token and its place among its member's.
pub(super) fn put(draft: &mut Draft<'_>, token: &ApiToken) -> Result<()> {
    draft.put(&keys::api_token_of(token.member, token.id), &token.hash)?;
    draft.put(&keys::api_token(token.hash), token)
}

fn revoke(draft: &mut Draft<'_>, member: MemberId, id: ApiTokenId) -> Result<Option<ApiToken>> {
    let place = keys::api_token_of(member, id);
    let Some(hash) = draft.get(&place)? else { return Ok(None) };
    let token = draft.must_get(&keys::api_token(hash))?;
    draft.remove(&keys::api_token(hash));
    draft.remove(&place);
    Ok(Some(token))
}

/// Takes away all of a member's tokens.
pub(super) fn revoke_all(draft: &mut Draft<'_>, member: MemberId) -> Result<()> {
    for place in draft.keys(&keys::api_tokens_of(member), usize::MAX)? {
        revoke(draft, member, keys::api_token_at(&place)?)?;
    }
    Ok(())
}

//! What the provider remembers while it runs: clients, sessions, codes and tokens. All of it is in memory and bounded.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use super::{answer::Parameters, bounded::Bounded, person::Person, settings::Client};

/// How many of each kind are remembered at most.
const LIMIT: usize = 10_000;
/// How long a code is good for, in seconds (RFC 6749, 4.1.2 asks for at most 10 minutes).
const CODE_LIFE: i64 = 60;

/// What somebody allowed a client to have, by signing in once. Codes and tokens are keys to it.
#[derive(Debug)]
pub(super) struct Grant {
    pub(super) client_id: String,
    pub(super) redirect_uri: String,
    pub(super) code_challenge: Option<String>,
    pub(super) nonce: Option<String>,
    /// Scope names, separated by blanks.
    pub(super) scope: String,
    /// The APIs that access tokens may be asked for (RFC 8707, 2.1).
    pub(super) resources: Vec<String>,
    pub(super) person: Person,
    /// When the person typed their name, in Unix seconds.
    pub(super) auth_time: i64,
    pub(super) sid: String,
    pub(super) revoked: AtomicBool,
}

impl Grant {
    /// Ends every code and token of this grant.
    pub(super) fn revoke(&self) {
        self.revoked.store(true, Ordering::Release);
    }

    fn is_alive(&self) -> bool {
        !self.revoked.load(Ordering::Acquire)
    }
}

/// The provider's own session with a browser.
#[derive(Debug, Clone)]
pub(super) struct Session {
    /// The name that ID tokens and logout tokens give it; not the cookie's value.
    pub(super) sid: String,
    pub(super) person: Person,
    pub(super) auth_time: i64,
    /// The clients that were signed in to through it.
    pub(super) clients: BTreeSet<String>,
}

#[derive(Debug)]
struct Key {
    grant: Arc<Grant>,
    /// The API that an access token is for, if not ours.
    resource: Option<String>,
    /// Unix seconds.
    expires: i64,
    /// Used already, for what is good for one use.
    spent: bool,
}

impl Key {
    fn opens(&self, now: i64) -> bool {
        !self.spent && now < self.expires && self.grant.is_alive()
    }
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) clients: Vec<Client>,
    /// By cookie value.
    pub(super) sessions: Bounded<Session>,
    codes: Bounded<Key>,
    access_tokens: Bounded<Key>,
    refresh_tokens: Bounded<Key>,
    /// Pushed authorization requests by `request_uri`, with when they expire, in Unix seconds.
    pushed: Bounded<(Parameters, i64)>,
    /// Client assertions that came, by client and `jti`.
    assertions: Bounded<()>,
    issued: VecDeque<String>,
    /// Codes that were issued, and the verifiers that came with them.
    codes_and_verifiers: VecDeque<String>,
    /// People who were changed since they signed in, by `sub`.
    changed: Bounded<Person>,
}

impl State {
    pub(super) fn new(clients: Vec<Client>) -> Self {
        Self {
            clients,
            sessions: Bounded::new(LIMIT),
            codes: Bounded::new(LIMIT),
            access_tokens: Bounded::new(LIMIT),
            refresh_tokens: Bounded::new(LIMIT),
            pushed: Bounded::new(LIMIT),
            assertions: Bounded::new(LIMIT),
            issued: VecDeque::new(),
            codes_and_verifiers: VecDeque::new(),
            changed: Bounded::new(LIMIT),
        }
    }

    pub(super) fn client(&self, client_id: &str) -> Option<Client> {
        self.clients.iter().find(|client| client.client_id == client_id).cloned()
    }

    /// Whether a client's assertion is new, and from now on is not.
    pub(super) fn note_assertion(&mut self, client_id: &str, jti: &str) -> bool {
        let name = format!("{client_id} {jti}");
        let new = self.assertions.get(&name).is_none();
        self.assertions.insert(name, ());
        new
    }

    pub(super) fn add_pushed(&mut self, request_uri: String, parameters: Parameters, expires: i64) {
        self.pushed.insert(request_uri, (parameters, expires));
    }

    /// Takes a pushed request out: it is good once.
    pub(super) fn take_pushed(&mut self, request_uri: &str, now: i64) -> Option<Parameters> {
        let (parameters, expires) = self.pushed.remove(request_uri)?;
        (now < expires).then_some(parameters)
    }

    pub(super) fn add_code(&mut self, code: String, grant: Arc<Grant>, now: i64) {
        note(&mut self.codes_and_verifiers, code.clone());
        self.codes.insert(code, Key { grant, resource: None, expires: now + CODE_LIFE, spent: false });
    }

    /// Spends a code. A second use ends what the first one gave (RFC 6749, 4.1.2).
    pub(super) fn take_code(&mut self, code: &str, now: i64) -> Option<Arc<Grant>> {
        take_once(&mut self.codes, code, now)
    }

    pub(super) fn add_access_token(
        &mut self,
        token: String,
        grant: Arc<Grant>,
        resource: Option<String>,
        expires: i64,
    ) {
        self.note_issued(token.clone());
        self.access_tokens.insert(token, Key { grant, resource, expires, spent: false });
    }

    /// Whose access token this is, if it is good and for the userinfo endpoint.
    pub(super) fn access_token(&self, token: &str, now: i64) -> Option<Arc<Grant>> {
        let key = self.access_tokens.get(token).filter(|key| key.opens(now) && key.resource.is_none());
        key.map(|key| key.grant.clone())
    }

    /// Whether an access token is good for the API at `resource`, or for ours.
    pub(super) fn is_good_for(&self, token: &str, resource: Option<&str>, now: i64) -> bool {
        let key = self.access_tokens.get(token);
        key.is_some_and(|key| key.opens(now) && key.resource.as_deref() == resource)
    }

    /// The person as they are called now.
    pub(super) fn person_now(&self, then: &Person) -> Person {
        self.changed.get(&then.sub).unwrap_or(then).clone()
    }

    /// From now on a person is called otherwise, whatever they typed when they signed in.
    pub(super) fn change(&mut self, person: Person) {
        self.changed.insert(person.sub.clone(), person);
    }

    pub(super) fn add_refresh_token(&mut self, token: String, grant: Arc<Grant>, expires: i64) {
        self.note_issued(token.clone());
        self.refresh_tokens.insert(token, Key { grant, resource: None, expires, spent: false });
    }

    /// Whose refresh token this is or was, so that a client cannot spend another's.
    pub(super) fn refresh_token_client(&self, token: &str) -> Option<&str> {
        self.refresh_tokens.get(token).map(|key| key.grant.client_id.as_str())
    }

    /// Spends a refresh token. A second use ends the whole grant (RFC 9700, 4.14.2).
    pub(super) fn take_refresh_token(&mut self, token: &str, now: i64) -> Option<Arc<Grant>> {
        take_once(&mut self.refresh_tokens, token, now)
    }

    /// Revokes a token of this client's: a refresh token with all that came from it, an access token alone
    /// (RFC 7009, 2.1). Unknown ones are nothing to do.
    pub(super) fn revoke(&mut self, token: &str, client_id: &str) {
        if let Some(key) = self.refresh_tokens.get(token)
            && key.grant.client_id == client_id
        {
            key.grant.revoke();
        } else if let Some(key) = self.access_tokens.get_mut(token)
            && key.grant.client_id == client_id
        {
            key.spent = true;
        }
    }

    /// Remembers that a client was signed in to through a session, and has to be told of its end.
    pub(super) fn note_client(&mut self, sid: &str, client_id: &str) {
        if let Some(session) = self.sessions.values_mut().find(|session| session.sid == sid) {
            session.clients.insert(client_id.to_owned());
        }
    }

    /// Ends the sessions for which `which` holds, and their grants but for those with `offline_access`
    /// (Back-Channel Logout 1.0, 2.7).
    pub(super) fn end_sessions(&mut self, which: impl Fn(&Session) -> bool) -> Vec<Session> {
        let ended = self.sessions.take_where(which);
        let keys = [&self.codes, &self.access_tokens, &self.refresh_tokens];
        for grant in keys.iter().flat_map(|keys| keys.values()).map(|key| &key.grant) {
            let offline = grant.scope.split(' ').any(|scope| scope == "offline_access");
            if !offline && ended.iter().any(|session| session.sid == grant.sid) {
                grant.revoke();
            }
        }
        ended
    }

    pub(super) fn note_issued(&mut self, token: String) {
        note(&mut self.issued, token);
    }

    pub(super) fn issued(&self) -> Vec<String> {
        self.issued.iter().cloned().collect()
    }

    pub(super) fn note_verifier(&mut self, verifier: String) {
        note(&mut self.codes_and_verifiers, verifier);
    }

    pub(super) fn codes_and_verifiers(&self) -> Vec<String> {
        self.codes_and_verifiers.iter().cloned().collect()
    }
}

/// Notes one more, and lets go of the oldest where there are too many.
fn note(list: &mut VecDeque<String>, text: String) {
    if list.len() >= LIMIT {
        list.pop_front();
    }
    list.push_back(text);
}

fn take_once(keys: &mut Bounded<Key>, name: &str, now: i64) -> Option<Arc<Grant>> {
    let key = keys.get_mut(name)?;
    if key.spent {
        key.grant.revoke();
        return None;
    }
    let opens = key.opens(now);
    key.spent = true;
    opens.then(|| key.grant.clone())
}

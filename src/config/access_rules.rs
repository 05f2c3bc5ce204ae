//! Whom a provider's claims let in, and whom they make an admin.

use super::{error::Wrong, parse::Parse};

/// A claim that must have a value, or hold it where the claim is a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimRule {
    /// The claim's name.
    pub claim: String,
    /// The value, letter for letter.
    pub value: String,
}

impl Parse for ClaimRule {
    fn parse(text: &str) -> Result<Self, Wrong> {
        match String::parse(text)?.split_once('=') {
            Some((claim, value)) if !claim.trim().is_empty() && !value.trim().is_empty() => {
                Ok(Self { claim: claim.trim().to_owned(), value: value.trim().to_owned() })
            }
            Some(_) | None => Err(Wrong::new("it must be `claim=value`. Use one like `groups=admins`.")),
        }
    }
}

/// One way to be let in; any of them is enough.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AllowRule {
    /// Whose e-mail is in this domain itself (not below it); in lower case.
    EmailDomain(String),
    /// Whose e-mail is this one; in lower case.
    Email(String),
    /// Who has this claim.
    Claim(ClaimRule),
}

impl Parse for AllowRule {
    const SEPARATORS: &'static [char] = &[','];

    fn parse(text: &str) -> Result<Self, Wrong> {
        if text.contains('=') {
            return ClaimRule::parse(text).map(Self::Claim);
        }
        let lower = text.to_lowercase();
        let rule = match lower.split_once('@') {
            Some((local, domain)) if !local.is_empty() && !local.contains(char::is_whitespace) => {
                is_domain(domain).then(|| Self::Email(lower.clone()))
            }
            Some(_) => None,
            None => is_domain(&lower).then(|| Self::EmailDomain(lower.clone())),
        };
        rule.ok_or_else(|| {
            Wrong::new("that is neither a domain, an e-mail nor `claim=value`. Use one like `example.org`, `ann@example.org` or `groups=staff`.")
        })
    }
}

/// Two labels or more: a single word is more likely a group that lost its claim.
fn is_domain(text: &str) -> bool {
    let label =
        |label: &str| !label.is_empty() && label.chars().all(|letter| letter.is_alphanumeric() || letter == '-');
    text.contains('.') && text.split('.').all(label)
}

#[cfg(test)]
mod tests {
    use super::{AllowRule, ClaimRule, Parse};

    #[test]
    fn a_rule_that_would_let_nobody_or_anybody_in_is_refused() {
        for text in [
            "staff",
            "*",
            "@example.org",
            "ann@",
            "a@b@example.org",
            "*.example.org",
            "example..org",
            "groups=",
            "=staff",
        ] {
            assert!(AllowRule::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_value_of_a_claim_may_hold_blanks_and_equals_signs() {
        let rule = |claim: &str, value: &str| ClaimRule { claim: claim.to_owned(), value: value.to_owned() };
        assert_eq!(ClaimRule::parse("team = Night Shift"), Ok(rule("team", "Night Shift")));
        assert_eq!(ClaimRule::parse("dn=cn=a"), Ok(rule("dn", "cn=a")));
    }
}

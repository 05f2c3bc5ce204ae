//! What a sign-in comes to, and what holds of every one that was refused, whatever for.

use std::fmt::Display;

use super::{Answer, Person, Site};

/// Words of the demo provider's: of its `error_description`, and of the page that it answers with where JSON was
/// asked for.
const OF_THE_PROVIDER: &[&str] = &["own words", "555-0100", "We will be back soon"];

impl Site {
    /// Ann, whom the site must let in. A failure names the case.
    pub async fn lets_ann_in(&self, case: impl Display) -> Person {
        let ann = self.stranger();
        let answer = ann.sign_in("Ann").await;
        assert_eq!((answer.status.as_u16(), answer.header("location")), (303, "/"), "{case}: {}", answer.text("main"));
        assert_eq!(ann.get("/api/me").await.json()["name"], "Ann", "{case}");
        ann
    }

    /// The page that tells Ann that she was not let in, which she must not be. A failure names the case.
    pub async fn refuses_ann(&self, case: impl Display) -> Answer {
        let ann = self.stranger();
        let page = ann.sign_in("Ann").await;
        ann.is_refused_by(&page, case).await;
        page
    }
}

impl Person {
    /// Holds that this page refuses to sign the person in: it says so by its status, names the reference that
    /// stands in the log, shows nothing of the provider's words, and leaves nobody signed in.
    pub async fn is_refused_by(&self, page: &Answer, case: impl Display) {
        assert!(matches!(page.status.as_u16(), 400..500 | 502 | 503), "{case}: {}", page.status);
        assert_ne!(page.header("x-request-id"), "", "{case}");
        assert_eq!(page.text(".note code"), page.header("x-request-id"), "{case}");
        for words in OF_THE_PROVIDER {
            assert!(!page.body.contains(words), "{case}: {}", page.body);
        }
        let mut cookies = page.headers.get_all("set-cookie").iter();
        assert!(cookies.all(|cookie| !cookie.as_bytes().starts_with(b"thoughts=")), "{case}");
        assert_eq!(self.cookie("thoughts"), None, "{case}");
        assert_eq!(self.get("/profile").await.status, 303, "{case}");
    }
}

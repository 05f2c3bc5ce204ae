//! What the tests are written with: a whole site that listens on a free port with a demo provider beside it, and
//! people who use it through a browser's eyes.

pub mod browser;
pub mod engine;
pub mod fleet;
pub mod generator;
pub mod listening;
pub mod npm;
pub mod oidc_provider;
pub mod outcome;
pub mod person;
pub mod postgres;
pub mod program;
pub mod proxy;
pub mod self_signed;
pub mod site;
pub mod steady;
pub mod upstream;
pub mod writers;

pub use fleet::Fleet;
pub use person::{Answer, Person};
pub use proxy::Proxy;
pub use site::{Site, site};
pub use upstream::Upstream;

//! The browser's side. In reading order: [`routes`], the table of what there is; [`access`], the guard that
//! stands before every row of it; [`pages`], a file a screen; [`hypermedia`], which makes a page or a fragment
//! of what they show; and [`refusal`], which makes the answer where there is nothing to show.

pub mod access;
mod arrival;
mod assets;
mod bearer;
mod components;
mod cookies;
mod document;
pub mod form;
mod hypermedia;
mod layout;
mod mount;
mod notice;
pub mod origin;
mod outer;
mod pages;
mod problem;
mod proxy;
mod purpose;
mod recent;
mod refusal;
mod request;
mod return_to;
pub mod routes;
mod security_headers;
mod sign_in_cookies;
mod unsent;

pub use mount::mount;
pub use refusal::Refusal;

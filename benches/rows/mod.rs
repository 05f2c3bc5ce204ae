//! What is measured, a file a subject.

pub mod pages;
pub mod postgres;
pub mod sign_in;
pub mod start;
pub mod streams;
pub mod upstream;
pub mod weight;
pub mod writes;

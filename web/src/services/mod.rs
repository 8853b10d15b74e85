//! What the page needs of its browser, each a small trait or function with nothing of the world in it.

pub mod clock;
pub mod download;
pub mod glue;
pub mod link;
pub mod outbox;
pub mod page;
pub mod store;

#![doc = include_str!("../README.md")]

mod calls;
mod ground;
mod mistake;
mod model;
mod samples;
mod suite;

pub use calls::{Call, calls, play};
pub use ground::{Ground, ModelGround};
pub use mistake::Mistake;
pub use model::{Gap, ModelStore, StoredOutgoing};
pub use suite::{Broken, check};

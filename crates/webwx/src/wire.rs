//! The objects of the protocol: data only, read leniently (section 11 of the protocol reference).

mod answers;
mod base;
mod contact;
pub(crate) mod decode;
pub(crate) mod lenient;
mod message;
mod profile;
mod sync_key;
pub mod xml;

pub use answers::{ContactPage, Deleted, Init, Sent, Synced};
pub(crate) use base::BaseRequest;
pub use contact::{Contact, Member, SPECIAL_ACCOUNTS, User, is_group, is_special};
pub use message::{AppInfo, Message, RecommendInfo, app_type, message_type};
pub use profile::{Buffer, Profile};
pub use sync_key::{SyncKey, SyncKeyEntry};

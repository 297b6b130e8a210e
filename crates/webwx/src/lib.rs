#![doc = include_str!("../README.md")]

mod call;
mod client;
mod code;
mod cookies;
mod endpoint;
mod error;
mod hosts;
mod http;
mod ids;
mod redact;
mod script;
mod session;
pub mod text;
pub mod wire;

pub use call::Call;
pub use client::{Client, Options};
pub use code::Code;
pub use endpoint::{BATCH, Confirmed, LoginState, News, Notify, OutgoingText, Tip, Wanted};
pub use error::{BuildError, CallError, Cause, DownloadError, Failure, UploadError};
pub use ids::{ClientMsgId, DesktopToken, LoginId};
pub use session::Session;

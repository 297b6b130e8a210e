#![doc = include_str!("../README.md")]

mod answer;
mod call;
mod client;
mod code;
mod cookies;
mod date;
mod endpoint;
mod error;
mod hosts;
mod http;
mod ids;
mod multipart;
mod packed;
mod percent;
mod redact;
mod script;
mod session;
pub mod text;
mod upload;
pub mod wire;

pub use call::Call;
pub use client::{Client, Options};
pub use code::Code;
pub use endpoint::{
    AvatarWanted, BATCH, Confirmed, CreatedGroup, FileWanted, GroupChange, ImageSize, LoginState,
    News, Notify, OutgoingFile, OutgoingMedia, OutgoingSticker, OutgoingText, Progress, Report,
    Sticker, Tip, Uploaded, Wanted,
};
pub use error::{BuildError, CallError, Cause, DownloadError, Failure, UploadError};
pub use ids::{ClientMsgId, DesktopToken, LoginId};
pub use session::{Position, Session};
pub use upload::{Content, MAX_FILE, MAX_PICTURE, Upload, UploadKind};

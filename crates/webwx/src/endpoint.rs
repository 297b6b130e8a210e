//! The calls of the protocol, one a file.

mod batch_get_contact;
mod get_contact;
mod init;
mod jslogin;
mod log_out;
mod login;
mod new_login_page;
mod qr_image;
mod send_msg;
mod status_notify;
mod sync;
mod sync_check;

pub use batch_get_contact::{BATCH, Wanted};
pub use login::{Confirmed, LoginState, Tip};
pub use send_msg::OutgoingText;
pub use status_notify::Notify;
pub use sync_check::News;

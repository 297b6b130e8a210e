//! Where lines of the chat appear: on standard output, or above the line that is being edited.

use std::io::{self, Write};
use std::sync::mpsc::Sender;

/// Where the chat is shown.
#[derive(Debug, Clone)]
pub(super) enum Screen {
    /// Standard output.
    Plain,
    /// Above the edited line: the editor puts its line back afterwards.
    Edited(Sender<String>),
}

impl Screen {
    /// Shows text that ends with a line end.
    pub(super) fn show(&self, text: &str) {
        match self {
            Self::Plain => print(text),
            Self::Edited(above) => {
                // The editor has ended; then the line is not on the screen any more.
                if above.send(text.to_owned()).is_err() {
                    print(text);
                }
            }
        }
    }
}

/// Prints at once, without waiting for a line end.
pub(super) fn print(text: &str) {
    let mut out = io::stdout().lock();
    // The reader of this output may have gone; the bot is still logged out in order.
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

//! The line that a person edits at the terminal: with history, with commands completed, and with the bot's messages above it.

use std::io::IsTerminal;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;

use rustyline::completion::Completer;
use rustyline::config::Configurer;
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::MemHistory;
use rustyline::validate::Validator;
use rustyline::{Config, Context, Editor, ExternalPrinter, Helper};
use tokio::sync::mpsc as async_mpsc;

use super::line::COMMANDS;
use super::screen::{Screen, print};
use crate::telemetry;

/// A prompt: plain, and with colours.
type Prompt = (String, String);

/// Reads lines on a thread of its own, one for each prompt: a read cannot be called off, so nothing may wait for this thread.
pub(super) struct LineEditor {
    prompts: Sender<Prompt>,
    lines: async_mpsc::Receiver<String>,
    screen: Screen,
    is_editing: bool,
    terminal: Terminal,
}

impl LineEditor {
    /// An editor of this terminal, before its first prompt.
    pub(super) fn open() -> Result<Self, ReadlineError> {
        let terminal = Terminal::as_it_is();
        let config = Config::builder().build();
        let history = MemHistory::with_config(&config);
        let mut editor = Editor::<Commands, _>::with_history(config, history)?;
        editor.set_auto_add_history(true);
        editor.set_helper(Some(Commands));
        let mut printer = editor.create_external_printer()?;
        let (above, texts) = mpsc::channel::<String>();
        // The printer may wait for the editor to take a text, and the chat must not wait with it.
        thread::spawn(move || texts.iter().all(|text| printer.print(text).is_ok()));
        let (prompts, prompted) = mpsc::channel();
        let (sender, lines) = async_mpsc::channel(1);
        thread::spawn(move || edit(editor, &prompted, &sender));
        if std::io::stderr().is_terminal() {
            telemetry::divert(Some(above.clone()));
        }
        let screen = Screen::Edited(above);
        Ok(Self { prompts, lines, screen, is_editing: false, terminal })
    }

    /// Where text appears above the edited line.
    pub(super) fn screen(&self) -> Screen {
        self.screen.clone()
    }

    /// Lets the person write the next line.
    pub(super) fn prompt(&mut self, plain: String, coloured: String) {
        // The thread ends only with the input, which is heard of as the end of the lines.
        self.is_editing = self.prompts.send((plain, coloured)).is_ok();
    }

    /// Waits for the line of the last prompt; `None` if the person leaves.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub(super) async fn line(&mut self) -> Option<String> {
        let line = self.lines.recv().await;
        self.is_editing = false;
        line
    }

    /// Gives the terminal back, also in the middle of a line.
    pub(super) fn close(self) {
        telemetry::divert(None);
        if self.is_editing {
            self.terminal.restore();
            print("\n");
        }
    }
}

fn edit(
    mut editor: Editor<Commands, MemHistory>,
    prompts: &Receiver<Prompt>,
    lines: &async_mpsc::Sender<String>,
) {
    for prompt in prompts {
        // Anything but a line ends it: Ctrl-C, Ctrl-D, a terminal that has gone.
        let Ok(line) = editor.readline(&prompt) else { return };
        if lines.blocking_send(line).is_err() {
            return;
        }
    }
}

/// Completes commands.
struct Commands;

impl Completer for Commands {
    type Candidate = String;

    fn complete(
        &self,
        line: &str,
        at: usize,
        _: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<String>)> {
        Ok((0, completed(&line[..at])))
    }
}

/// The commands that begin like this.
fn completed(begun: &str) -> Vec<String> {
    let Some(word) = begun.strip_prefix('/') else { return Vec::new() };
    let fitting = COMMANDS.iter().filter(|(name, _)| name.starts_with(word));
    fitting.map(|(name, takes)| format!("/{name}{}", if *takes { " " } else { "" })).collect()
}

impl Hinter for Commands {
    type Hint = String;
}

impl Highlighter for Commands {}

impl Validator for Commands {}

impl Helper for Commands {}

/// The mode of the terminal before anything was edited.
struct Terminal(#[cfg(unix)] Option<nix::sys::termios::Termios>);

#[cfg(unix)]
impl Terminal {
    fn as_it_is() -> Self {
        Self(nix::sys::termios::tcgetattr(std::io::stdin()).ok())
    }

    /// Puts it back where the editor is in the middle of a line and will not do so.
    fn restore(&self) {
        use nix::sys::termios::{SetArg, tcsetattr};
        if let Some(mode) = &self.0 {
            let _ = tcsetattr(std::io::stdin(), SetArg::TCSANOW, mode);
            // Pasted text arrives without brackets again.
            print("\x1b[?2004l");
        }
    }
}

#[cfg(not(unix))]
impl Terminal {
    fn as_it_is() -> Self {
        Self()
    }

    /// The console gives every program its own mode.
    fn restore(&self) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_completed_and_nothing_else_is() {
        assert_eq!(completed("/cl"), ["/clock "]);
        assert_eq!(completed("/wh"), ["/why"]);
        assert!(completed("cl").is_empty());
        assert!(completed("/clock +1").is_empty());
        assert_eq!(completed("/").len(), COMMANDS.len());
    }
}

//! The chat in the terminal: messages of people and replies of the bot, in the notation of `[[test]]`.

use std::collections::BTreeSet;

use mynah_core::MessageId;
use mynah_rules::Lang;
use mynah_sandbox::{Sandbox, SandboxEvent, Sent};
use tokio::sync::broadcast::{self, error::RecvError, error::TryRecvError};
use tokio::sync::mpsc;

use super::input;
use super::live::Live;
use super::remark::{self, Remark};
use super::screen::Screen;
use crate::Report;
use crate::cli::print::on_one_line;
use crate::testing::cast::Speaker;

/// Who speaks where, and how it is shown.
pub(super) struct Chat<'a> {
    pub(super) sandbox: &'a Sandbox,
    pub(super) live: &'a mut Live,
    pub(super) happenings: broadcast::Receiver<SandboxEvent>,
    pub(super) remarks: mpsc::UnboundedReceiver<Remark>,
    pub(super) speaker: Speaker,
    pub(super) lang: Lang,
    pub(super) colours: bool,
    /// Where it is shown.
    pub(super) screen: Screen,
    /// Ids of messages that were shown already.
    shown: BTreeSet<String>,
}

impl<'a> Chat<'a> {
    /// A chat with the bot, begun by `speaker`.
    pub(super) fn new(
        sandbox: &'a Sandbox,
        (live, remarks): (&'a mut Live, mpsc::UnboundedReceiver<Remark>),
        speaker: Speaker,
        (lang, colours): (Lang, bool),
    ) -> Self {
        let happenings = sandbox.events();
        Self {
            sandbox,
            live,
            happenings,
            remarks,
            speaker,
            lang,
            colours,
            screen: Screen::Plain,
            shown: BTreeSet::new(),
        }
    }

    /// Says every line of standard input and shows the answers as they come. Ends when nothing is left to answer.
    pub(super) async fn play(mut self) -> Result<(), Report> {
        let mut lines = input::lines();
        loop {
            let line = tokio::select! {
                line = lines.recv() => line,
                Some(remark) = self.remarks.recv() => {
                    self.remark(&remark);
                    continue;
                }
            };
            let Some(line) = line else { return Ok(()) };
            if line.trim().is_empty() {
                continue;
            }
            self.screen.show(&format!("{}: {}\n", self.speaker, on_one_line(&line)));
            let id = self.say(&line);
            loop {
                tokio::select! {
                    biased;
                    happening = self.happenings.recv() => self.tell(happening),
                    Some(remark) = self.remarks.recv() => self.remark(&remark),
                    settled = self.live.settled(&id) => { settled?; break }
                }
            }
            self.catch_up();
        }
    }

    /// Lets the speaker say something.
    pub(super) fn say(&mut self, text: &str) -> MessageId {
        let id = self.sandbox.say(&self.speaker.name, self.speaker.group.as_deref(), text);
        self.shown.insert(id.clone());
        MessageId::from(id)
    }

    /// Shows a happening, if it is something to show.
    pub(super) fn tell(&mut self, happening: Result<SandboxEvent, RecvError>) {
        match happening {
            Ok(SandboxEvent::Sent(sent)) => self.answered(&sent),
            Ok(SandboxEvent::Message { id, chat_name, from, kind, text, .. })
                if !from.is_empty() =>
            {
                if self.shown.insert(id) {
                    let at = if chat_name == from { from } else { format!("{chat_name}/{from}") };
                    self.screen.show(&format!("{}: {}\n", on_one_line(&at), shown(&kind, &text)));
                }
            }
            // Too much at once: the sandbox's own list has the missed messages.
            Err(RecvError::Lagged(_)) => {
                self.sandbox.sent().iter().for_each(|sent| self.answered(sent));
            }
            Ok(_) | Err(RecvError::Closed) => {}
        }
    }

    /// Shows everything up to now.
    fn catch_up(&mut self) {
        loop {
            match self.happenings.try_recv() {
                Ok(happening) => self.tell(Ok(happening)),
                Err(TryRecvError::Lagged(missed)) => self.tell(Err(RecvError::Lagged(missed))),
                Err(TryRecvError::Empty | TryRecvError::Closed) => break,
            }
        }
        while let Ok(remark) = self.remarks.try_recv() {
            self.remark(&remark);
        }
    }

    fn remark(&self, remark: &Remark) {
        if let Remark::Line { text, .. } = remark {
            self.comment(text);
        }
    }

    /// Shows words of the sandbox itself.
    pub(super) fn comment(&self, text: &str) {
        let text = remark::line(text);
        let text = text.trim_end();
        self.screen.show(&if self.colours {
            format!("\x1b[33m{text}\x1b[0m\n")
        } else {
            format!("{text}\n")
        });
    }

    /// Shows something that the bot said.
    fn answered(&mut self, sent: &Sent) {
        if !self.shown.insert(sent.id.clone()) {
            return;
        }
        let text = shown(&sent.kind, &sent.text);
        let here = self.speaker.chat().name == sent.to_name;
        let line = if here {
            format!("> {text}")
        } else {
            format!("=> {}: {text}", on_one_line(&sent.to_name))
        };
        self.screen.show(&if self.colours {
            format!("\x1b[32m{line}\x1b[0m\n")
        } else {
            format!("{line}\n")
        });
    }
}

/// A message as `[[test]]` writes it.
fn shown(kind: &str, text: &str) -> String {
    let text = on_one_line(text);
    match (kind, text.is_empty()) {
        ("text", _) => text.trim().to_owned(),
        (_, true) => format!("[{kind}]"),
        (_, false) => format!("[{kind} {text}]"),
    }
}

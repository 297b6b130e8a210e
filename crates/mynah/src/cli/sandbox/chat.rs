//! The chat in the terminal: who says what, and what the bot answers, in the notation of `[[test]]`.

use std::collections::BTreeSet;
use std::io::{self, Write};

use mynah_core::MessageId;
use mynah_rules::Lang;
use mynah_sandbox::{Happening, Sandbox, Sent};
use tokio::sync::broadcast::{self, error::RecvError, error::TryRecvError};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::input;
use super::line::{self, Typed};
use super::live::Live;
use super::remark::{self, Remark};
use crate::Report;
use crate::cli::print::on_one_line;
use crate::testing::cast::Speaker;

/// Who speaks where, and how it is shown.
pub(super) struct Chat<'a> {
    sandbox: &'a Sandbox,
    live: &'a mut Live,
    happenings: broadcast::Receiver<Happening>,
    remarks: mpsc::UnboundedReceiver<Remark>,
    speaker: Speaker,
    lang: Lang,
    colours: bool,
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
        Self { sandbox, live, happenings, remarks, speaker, lang, colours, shown: BTreeSet::new() }
    }

    /// Says every line of standard input and shows the answers as they come. Ends when nothing is left to answer.
    pub(super) async fn play(mut self) -> Result<(), Report> {
        let mut lines = input::lines();
        while let Some(line) = lines.recv().await {
            if line.trim().is_empty() {
                continue;
            }
            show(&format!("{}: {}\n", self.speaker, on_one_line(&line)));
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
        Ok(())
    }

    /// Chats with a person at a terminal until they leave.
    pub(super) async fn talk(mut self, stop: &CancellationToken) -> Result<(), Report> {
        let mut lines = input::lines();
        self.help();
        self.prompt();
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                report = self.live.ended() => return Err(report),
                happening = self.happenings.recv() => {
                    if self.is_news(&happening) {
                        show("\r\x1b[K");
                        self.tell(happening);
                        self.prompt();
                    }
                }
                Some(remark) = self.remarks.recv() => {
                    show("\r\x1b[K");
                    self.remark(&remark);
                    self.prompt();
                }
                line = lines.recv() => match line {
                    Some(line) if self.typed(&line) => self.prompt(),
                    _ => break,
                },
            }
        }
        show("\n");
        Ok(())
    }

    /// Does what a typed line asks for; whether the chat goes on.
    fn typed(&mut self, line: &str) -> bool {
        match line::read(line) {
            Typed::Say(text) => drop(self.say(text)),
            Typed::As(name) => name.clone_into(&mut self.speaker.name),
            Typed::Group(name) => self.speaker.group = Some(name.to_owned()),
            Typed::Private => self.speaker.group = None,
            Typed::Help => self.help(),
            Typed::Quit => return false,
            Typed::Nothing => {}
            Typed::Nameless(word) => show(&match self.lang {
                Lang::En => format!("/{word} needs a name\n"),
                Lang::Zh => format!("/{word} 后面要写名字\n"),
            }),
            Typed::Unknown(word) => show(&match self.lang {
                Lang::En => {
                    format!("there is no /{}; /help lists the commands\n", on_one_line(word))
                }
                Lang::Zh => format!("没有 /{} 这个命令；/help 列出所有命令\n", on_one_line(word)),
            }),
        }
        true
    }

    fn say(&mut self, text: &str) -> MessageId {
        let id = self.sandbox.say(&self.speaker.name, self.speaker.group.as_deref(), text);
        self.shown.insert(id.clone());
        MessageId::from(id)
    }

    /// Whether a happening is something to show.
    fn is_news(&self, happening: &Result<Happening, RecvError>) -> bool {
        match happening {
            Ok(Happening::Sent(sent)) => !self.shown.contains(&sent.id),
            Ok(Happening::Message { id, from, .. }) => !from.is_empty() && !self.shown.contains(id),
            Ok(_) | Err(RecvError::Closed) => false,
            Err(RecvError::Lagged(_)) => true,
        }
    }

    fn tell(&mut self, happening: Result<Happening, RecvError>) {
        match happening {
            Ok(Happening::Sent(sent)) => self.answered(&sent),
            Ok(Happening::Message { id, chat_name, from, kind, text, .. }) if !from.is_empty() => {
                if self.shown.insert(id) {
                    let at = if chat_name == from { from } else { format!("{chat_name}/{from}") };
                    show(&format!("{}: {}\n", on_one_line(&at), shown(&kind, &text)));
                }
            }
            // Too much at once: the sandbox's own list has what was missed.
            Err(RecvError::Lagged(_)) => {
                self.sandbox.sent().iter().for_each(|sent| self.answered(sent));
            }
            Ok(_) | Err(RecvError::Closed) => {}
        }
    }

    /// Shows what has happened by now.
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
            let text = remark::line(text);
            show(&if self.colours { format!("\x1b[33m{text}\x1b[0m") } else { text });
        }
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
        show(&if self.colours { format!("\x1b[32m{line}\x1b[0m\n") } else { format!("{line}\n") });
    }

    fn prompt(&self) {
        let who = on_one_line(&self.speaker.to_string());
        show(&if self.colours { format!("\x1b[2m{who}:\x1b[0m ") } else { format!("{who}: ") });
    }

    fn help(&self) {
        show(match self.lang {
            Lang::En => HELP_EN,
            Lang::Zh => HELP_ZH,
        });
    }
}

const HELP_EN: &str = "\
Type something to say it. Lines with \"> \" are the bot's.
  /as NAME      speak as somebody else
  /group NAME   speak in this group
  /private      speak to the bot in private
  /help         show this
  /quit         leave (Ctrl-D does too)
";

const HELP_ZH: &str = "\
直接输入就是说话；“> ”开头的是机器人的回复。
  /as 名字      换一个人说话
  /group 群名   到这个群里说话
  /private      私聊机器人
  /help         显示这些
  /quit         离开（Ctrl-D 也行）
";

/// A message as `[[test]]` writes it.
fn shown(kind: &str, text: &str) -> String {
    let text = on_one_line(text);
    match (kind, text.is_empty()) {
        ("text", _) => text.trim().to_owned(),
        (_, true) => format!("[{kind}]"),
        (_, false) => format!("[{kind} {text}]"),
    }
}

/// Prints at once, without waiting for a line end.
fn show(text: &str) {
    let mut out = io::stdout().lock();
    // Whoever reads this may have gone; the bot is still logged out in order.
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

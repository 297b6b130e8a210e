//! The chat with a person at a terminal: an edited line, commands, and why the bot is silent.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use mynah_core::{Clock as _, EventId, MessageId};
use mynah_page::SandboxPage as _;
use mynah_rules::Lang;
use mynah_sandbox::{SandboxAction, SandboxActionKind};
use tokio_util::sync::CancellationToken;

use super::chat::Chat;
use super::editor::LineEditor;
use super::line::{self, Typed};
use super::reason;
use super::remark::Remark;
use crate::cli::print::on_one_line;
use crate::view::sandbox::SandboxView;
use crate::{Ended, Report, rule_file};

/// The most bytes of a picture that is sent to the bot: the limit of the service.
fn largest_picture() -> u64 {
    rule_file::sandbox_service().capabilities().max_picture
}

/// A person at a terminal, with the chat in view.
pub(super) struct Talk<'a> {
    chat: Chat<'a>,
    view: Arc<SandboxView>,
    editor: LineEditor,
    /// The last message, for `/why`.
    last: Option<MessageId>,
    /// Messages whose turns are not over.
    open: BTreeSet<MessageId>,
    /// Events about which a remark says enough.
    remarked: BTreeSet<EventId>,
}

impl<'a> Talk<'a> {
    /// Takes the terminal.
    pub(super) fn at_terminal(mut chat: Chat<'a>, view: Arc<SandboxView>) -> Result<Self, Report> {
        let editor = LineEditor::open().map_err(|error| {
            Report::new(Ended::Unusable, "the terminal cannot be used").because(error)
        })?;
        chat.screen = editor.screen();
        let (last, open, remarked) = (None, BTreeSet::new(), BTreeSet::new());
        Ok(Self { chat, view, editor, last, open, remarked })
    }

    /// Chats until the person leaves.
    pub(super) async fn talk(mut self, stop: &CancellationToken) -> Result<(), Report> {
        self.help();
        let ended = self.talk_on(stop).await;
        self.editor.close();
        ended
    }

    async fn talk_on(&mut self, stop: &CancellationToken) -> Result<(), Report> {
        self.prompt();
        loop {
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                report = self.chat.live.ended() => return Err(report),
                happening = self.chat.happenings.recv() => self.chat.tell(happening),
                Some(remark) = self.chat.remarks.recv() => self.remark(&remark),
                line = self.editor.line() => match line {
                    Some(line) if self.typed(&line).await => self.prompt(),
                    _ => return Ok(()),
                },
            }
        }
    }

    fn lang(&self) -> Lang {
        self.chat.lang
    }

    /// Carries out a typed line; returns whether the chat goes on.
    async fn typed(&mut self, line: &str) -> bool {
        match line::read(line) {
            Typed::Say(text) => self.say(text),
            Typed::As(name) => name.clone_into(&mut self.chat.speaker.name),
            Typed::Group(name) => self.chat.speaker.group = Some(name.to_owned()),
            Typed::Private => self.chat.speaker.group = None,
            Typed::Why => self.why(),
            Typed::Clock(by) => self.clock(by).await,
            Typed::Join(name) => self.join(name),
            Typed::Image(file) => self.image(file),
            Typed::Help => self.help(),
            Typed::Quit => return false,
            Typed::Nothing => {}
            Typed::Nameless(word) => self.chat.comment(&match self.lang() {
                Lang::En => format!("/{word} needs a name"),
                Lang::Zh => format!("/{word} 后面要写名字"),
            }),
            Typed::Unknown(word) => self.chat.comment(&unknown(word, self.lang())),
        }
        true
    }

    fn say(&mut self, text: &str) {
        let id = self.chat.say(text);
        self.said(id);
    }

    /// The decision about this message is of interest.
    fn said(&mut self, id: MessageId) {
        self.open.insert(id.clone());
        self.last = Some(id);
    }

    /// Lets a person act in the chat of the speaker.
    fn act(&mut self, from: &str, kind: SandboxActionKind) {
        let group = self.chat.speaker.group.clone();
        match self.chat.sandbox.act(SandboxAction { from: from.to_owned(), group, kind }) {
            Ok(Some(id)) => self.said(MessageId::from(id)),
            Ok(None) => {}
            Err(error) => self.chat.comment(&error.to_string()),
        }
    }

    fn join(&mut self, name: &str) {
        if let Some(group) = self.chat.speaker.group.clone() {
            self.chat.comment(&match self.lang() {
                Lang::En => format!("{name} joined {group}"),
                Lang::Zh => format!("{name} 加入了 {group}"),
            });
            return self.act(name, SandboxActionKind::Join { by: None });
        }
        self.chat.comment(match self.lang() {
            Lang::En => "a group is joined, not a private chat: /group NAME first",
            Lang::Zh => "私聊不能加入；先用 /group 群名 进入一个群",
        });
    }

    /// Sends a picture; without a file a sample of the sandbox.
    fn image(&mut self, file: &str) {
        let speaker = self.chat.speaker.name.clone();
        if file.is_empty() {
            return self.act(&speaker, SandboxActionKind::Picture { data: None, name: None });
        }
        let read = mynah_files::open(Path::new(file));
        match read.and_then(|file| mynah_files::read(file, largest_picture())) {
            Ok(bytes) => {
                let name = Path::new(file).file_name().map(|name| name.to_string_lossy().into());
                self.act(
                    &speaker,
                    SandboxActionKind::Picture { data: Some(STANDARD.encode(bytes)), name },
                );
            }
            Err(error) => self.chat.comment(&unreadable(file, &error, self.lang())),
        }
    }

    /// Moves the clock ahead, and shows it.
    async fn clock(&self, by: &str) {
        let span = by.strip_prefix('+').unwrap_or(by);
        if !span.is_empty() {
            let Ok(span) = mynah_reader::duration(span, Duration::ZERO..=mynah_reader::LONGEST)
            else {
                return self.chat.comment(match self.lang() {
                    Lang::En => "/clock takes a time: /clock +30s, +5m, +2h, +1d",
                    Lang::Zh => "/clock 后面写时长，如 /clock +30s、+5m、+2h、+1d",
                });
            };
            if let Err(problem) = self.view.advance(span).await {
                return self.chat.comment(&problem.to_string());
            }
        }
        let now = jiff::Timestamp::from_millisecond(self.view.clock.now().as_millis());
        let zone = self.view.active_rules.load().zone().clone();
        let now = now.unwrap_or_default().to_zoned(zone).strftime("%Y-%m-%d %H:%M:%S").to_string();
        self.chat.comment(&match self.lang() {
            Lang::En => format!("it is {now}"),
            Lang::Zh => format!("现在是 {now}"),
        });
    }

    /// Shows each rule that was looked at for the last message.
    fn why(&self) {
        let why =
            self.last.as_ref().and_then(|last| self.view.recorder.why(last.as_str(), self.lang()));
        let text = why.map(|why| reason::in_full(&why, self.lang()));
        self.chat.comment(text.as_deref().unwrap_or(match self.lang() {
            Lang::En => "the bot has not looked at a message of yours yet",
            Lang::Zh => "机器人还没看过你的消息",
        }));
    }

    fn remark(&mut self, remark: &Remark) {
        match remark {
            Remark::Line { text, about } => {
                self.chat.comment(text);
                self.remarked.extend(about.clone());
            }
            Remark::Handled { message, event } => {
                let is_explained = self.remarked.remove(event);
                if self.open.remove(message) && !is_explained && !self.chat.live.answers(message) {
                    self.tell_silence(message);
                }
            }
        }
    }

    fn tell_silence(&self, message: &MessageId) {
        if let Some(why) = self.view.recorder.why(message.as_str(), self.lang()) {
            self.chat.comment(&reason::silence(&why, self.lang()));
        }
    }

    fn prompt(&mut self) {
        let who = on_one_line(&self.chat.speaker.to_string());
        let plain = format!("{who}: ");
        let coloured =
            if self.chat.colours { format!("\x1b[2m{who}:\x1b[0m ") } else { plain.clone() };
        self.editor.prompt(plain, coloured);
    }

    fn help(&self) {
        self.chat.screen.show(match self.lang() {
            Lang::En => HELP_EN,
            Lang::Zh => HELP_ZH,
        });
    }
}

fn unknown(word: &str, lang: Lang) -> String {
    let meant = mynah_reader::closest(word, line::COMMANDS.iter().map(|(name, _)| *name));
    match (lang, meant) {
        (Lang::En, Some(meant)) => format!("there is no /{word}; did you mean /{meant}?"),
        (Lang::En, None) => format!("there is no /{word}; /help lists the commands"),
        (Lang::Zh, Some(meant)) => format!("没有 /{word} 这个命令；是否想写 /{meant}？"),
        (Lang::Zh, None) => format!("没有 /{word} 这个命令；/help 列出所有命令"),
    }
}

/// Why a picture cannot be read.
fn unreadable(file: &str, error: &io::Error, lang: Lang) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    match (lang, error.kind()) {
        (Lang::En, io::ErrorKind::NotFound) if Path::new(file).is_absolute() => {
            format!("there is no file {file}")
        }
        (Lang::Zh, io::ErrorKind::NotFound) if Path::new(file).is_absolute() => {
            format!("没有 {file} 这个文件")
        }
        (Lang::En, io::ErrorKind::NotFound) => {
            format!("there is no file {file} in {}", here.display())
        }
        (Lang::Zh, io::ErrorKind::NotFound) => {
            format!("{} 里没有 {file} 这个文件", here.display())
        }
        (Lang::En, io::ErrorKind::IsADirectory) => format!("{file} is a folder"),
        (Lang::Zh, io::ErrorKind::IsADirectory) => format!("{file} 是文件夹"),
        (Lang::En, _) => format!("{file} cannot be read: {error}"),
        (Lang::Zh, _) => format!("无法读取 {file}：{error}"),
    }
}

const HELP_EN: &str = "\
Type a text to send it. Lines with \"> \" are the bot's, lines with \"# \" the sandbox's.
  /as NAME      speak as another person
  /group NAME   speak in this group
  /private      speak to the bot in private
  /why          show the outcome of each rule for the last message
  /clock +1h    move the clock ahead; without a time, show it
  /join NAME    let a person join this group
  /image FILE   send a picture; without a file, a sample
  /help         show this
  /quit         leave (Ctrl-D does too)
";

const HELP_ZH: &str = "\
直接输入就是说话；“> ”开头的是机器人的回复，“# ”开头的是沙盒的说明。
  /as 名字      换一个人说话
  /group 群名   到这个群里说话
  /private      私聊机器人
  /why          看上一条消息为什么有（或没有）回复
  /clock +1h    把时钟往前拨；不写时长则显示时间
  /join 名字    让某人加入这个群
  /image 文件   发一张图片；不写文件则发示例图片
  /help         显示这些
  /quit         离开（Ctrl-D 也行）
";

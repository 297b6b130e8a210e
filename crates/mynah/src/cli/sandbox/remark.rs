//! Remarks of the sandbox between the messages of a chat: failed actions, saved rows, handlers that this program lacks.
//!
//! Each is a line that begins with `# `, which is a comment in the notation of `[[test]]`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use mynah_core::{Action, EventId, MessageId, Outcome, Outgoing, Timestamp};
use mynah_page::view::News;
use mynah_reader::say;
use mynah_rules::Lang;
use mynah_runtime::Trouble;
use tokio::sync::{broadcast, mpsc};

use crate::cli::print::on_one_line;
use crate::observer::kicks_words;
use crate::testing::bot_action::shown;

/// A remark to show between the messages of people and the bot.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Remark {
    /// A line for people, and the event it is about, if it is about one.
    Line { text: String, about: Option<EventId> },
    /// The turn about this message is over.
    Handled { message: MessageId, event: EventId },
}

/// The channels of remarks, and the data to write them.
#[derive(Debug, Clone)]
pub(super) struct Remarks {
    chat: mpsc::UnboundedSender<Remark>,
    page: broadcast::Sender<Arc<News>>,
    lang: Lang,
    saves: PathBuf,
    build: Option<String>,
}

impl Remarks {
    /// Remarks about the bot with this main rule file, whose rows are saved in this folder; they go to the chat in the
    /// terminal and to the page.
    pub(super) fn new(
        page: broadcast::Sender<Arc<News>>,
        lang: Lang,
        saves: &Path,
        main: &Path,
    ) -> (Self, mpsc::UnboundedReceiver<Remark>) {
        let (chat, receiver) = mpsc::unbounded_channel();
        let (saves, build) = (saves.to_owned(), build_command(main));
        (Self { chat, page, lang, saves, build }, receiver)
    }

    /// A turn about a message is over.
    pub(super) fn handled(&self, message: MessageId, event: EventId) {
        // The receiver may be gone while the sandbox ends.
        let _ = self.chat.send(Remark::Handled { message, event });
    }

    /// Makes a remark in the terminal.
    pub(super) fn tell(&self, text: String) {
        let _ = self.chat.send(Remark::Line { text, about: None });
    }

    /// Makes a remark in the terminal and on the page.
    pub(super) fn say(&self, text: String, about: Option<EventId>) {
        let news = News::Remark { text: text.clone() };
        // The receiver is missing without a page, and may be gone while the sandbox ends.
        let _ = self.page.send(Arc::new(news));
        let _ = self.chat.send(Remark::Line { text, about });
    }

    /// An action was settled. A message that was delivered is seen anyway.
    pub(super) fn settled(&self, outgoing: &Outgoing, outcome: &Outcome) {
        if let Some(text) = self.of_action(&outgoing.action, outcome) {
            self.say(text, Some(outgoing.id.event.clone()));
        }
    }

    fn of_action(&self, action: &Action, outcome: &Outcome) -> Option<String> {
        let is_saving = matches!(action, Action::Save { .. });
        let what = self.what(action);
        Some(match (outcome, self.lang) {
            (Outcome::Delivered(_) | Outcome::Accepted, lang) if is_saving => match lang {
                Lang::En => format!("saved to {what}"),
                Lang::Zh => format!("已保存到 {what}"),
            },
            (Outcome::Delivered(_) | Outcome::Accepted, _)
            | (Outcome::Unknown { again_at: Some(_), .. }, _) => return None,
            // The service may take a message at the next try; a row that is not saved is shown at once.
            (Outcome::NotSent { .. }, _) if !is_saving => return None,
            (Outcome::NotSent { reason, .. }, Lang::En) => {
                format!("failed, tried again soon: {what}: {reason}")
            }
            (Outcome::NotSent { reason, .. }, Lang::Zh) => {
                format!("失败，稍后重试：{what}：{reason}")
            }
            (Outcome::Refused { reason } | Outcome::Unknown { reason, .. }, Lang::En) => {
                format!("failed: {what}: {reason}")
            }
            (Outcome::Refused { reason } | Outcome::Unknown { reason, .. }, Lang::Zh) => {
                format!("失败：{what}：{reason}")
            }
            (Outcome::Expired, Lang::En) => format!("failed: {what}: it could not leave in time"),
            (Outcome::Expired, Lang::Zh) => format!("失败：{what}：没能及时发出"),
        })
    }

    /// An action in short.
    fn what(&self, action: &Action) -> String {
        match (action, self.lang) {
            (Action::Send { content }, _) => shown(content),
            (Action::Save { file, row }, _) => {
                format!("{}: {}", self.saves.join(file).display(), row.join(","))
            }
            (Action::AcceptFriend { .. }, Lang::En) => "accept a friend request".to_owned(),
            (Action::AcceptFriend { .. }, Lang::Zh) => "通过好友请求".to_owned(),
            (Action::Kick { person }, Lang::En) => format!("remove {} from the group", person.name),
            (Action::Kick { person }, Lang::Zh) => format!("将{}移出群", person.name),
            (Action::Invite { person }, Lang::En) => {
                format!("invite {} into the group", person.name)
            }
            (Action::Invite { person }, Lang::Zh) => format!("邀请{}进群", person.name),
            (Action::Recall { .. }, Lang::En) => "recall a message".to_owned(),
            (Action::Recall { .. }, Lang::Zh) => "撤回消息".to_owned(),
        }
    }

    /// A fault that is not the fault of an action.
    pub(super) fn trouble(&self, trouble: &Trouble) {
        if let Some((text, about)) = self.of_trouble(trouble) {
            self.say(text, about.cloned());
        }
    }

    fn of_trouble<'t>(&self, trouble: &'t Trouble) -> Option<(String, Option<&'t EventId>)> {
        let lang = self.lang;
        Some(match trouble {
            Trouble::NoSuchHandler { handler, event } => (self.of_missing(handler), Some(event)),
            Trouble::HandlerFailed { handler, event, error } => (
                say!(
                    lang,
                    "the handler `{handler}` failed: {error}",
                    "处理器 `{handler}` 出错：{error}"
                ),
                Some(event),
            ),
            Trouble::TooLong { event, dropped } => (
                say!(
                    lang,
                    "the reply is too long: its last messages ({dropped}) are not sent",
                    "回复太长：最后 {dropped} 条不发送"
                ),
                Some(event),
            ),
            Trouble::TooManyKicks { event, until, .. } => (kicks_words(*until, lang), Some(event)),
            Trouble::Loop { person, until, .. } => (repeating(&person.name, *until, lang), None),
            Trouble::TooFrequent { until } => (too_frequent(*until, lang), None),
            // The data of a sandbox does not outlive it.
            Trouble::SetAside { .. } | Trouble::InDoubt { .. } => return None,
        })
    }

    /// The remark in place of a handler that the stock program does not have.
    fn of_missing(&self, handler: &str) -> String {
        let build = self.build.as_deref();
        match (self.lang, build) {
            (Lang::En, Some(build)) => {
                format!("here the handler `{handler}` would run; build it with `{build}`")
            }
            (Lang::En, None) => format!(
                "here the handler `{handler}` would run; it is Rust code of your own, see docs/handlers.md"
            ),
            (Lang::Zh, Some(build)) => {
                format!("这里会运行处理器 `{handler}`；用 `{build}` 构建并试用")
            }
            (Lang::Zh, None) => {
                format!("这里会运行处理器 `{handler}`；它是你自己的 Rust 代码，见 docs/handlers.md")
            }
        }
    }
}

fn repeating(name: &str, until: Timestamp, lang: Lang) -> String {
    say!(
        lang,
        "{name} repeats the same texts, as another bot would: no answer until {until}",
        "{name}一再重复同样的话，像是另一个机器人：{until} 之前不再回答"
    )
}

fn too_frequent(until: Timestamp, lang: Lang) -> String {
    say!(
        lang,
        "the service reports too many messages: nothing is sent until {until}",
        "服务提示发送太频繁：{until} 之前不再发送"
    )
}

/// A remark as a line of the terminal.
pub(super) fn line(text: &str) -> String {
    text.lines().map(|line| format!("# {}\n", on_one_line(line))).collect()
}

/// The command that runs a bot with its handlers, where a crate is beside its rule file.
fn build_command(main: &Path) -> Option<String> {
    let folder = main.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let manifest = folder.join("Cargo.toml");
    manifest.is_file().then(|| {
        format!("cargo run --manifest-path {} -- sandbox {}", manifest.display(), folder.display())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn remarks(lang: Lang, main: &Path) -> (Remarks, mpsc::UnboundedReceiver<Remark>) {
        Remarks::new(broadcast::channel(1).0, lang, Path::new("rows"), main)
    }

    #[test]
    fn a_missing_handler_is_named_with_the_way_to_build_it() {
        let folder = tempfile::tempdir().unwrap();
        let main = folder.path().join("bot.toml");
        let (bare, _) = remarks(Lang::En, &main);
        assert!(bare.of_missing("dice").ends_with("see docs/handlers.md"));
        std::fs::write(folder.path().join("Cargo.toml"), "").unwrap();
        let (crated, _) = remarks(Lang::Zh, &main);
        let told = crated.of_missing("dice");
        assert!(told.contains("`dice`") && told.contains("cargo run --manifest-path"), "{told}");
    }

    #[test]
    fn only_what_is_not_seen_otherwise_is_remarked() {
        let (remarks, _) = remarks(Lang::En, Path::new("bot.toml"));
        let save = Action::Save { file: "a.csv".to_owned(), row: vec!["1".into(), "甲".into()] };
        let send = Action::Send { content: mynah_core::Content::text("hi") };
        let refused = Outcome::Refused { reason: "no".to_owned() };
        assert_eq!(remarks.of_action(&send, &Outcome::Accepted), None);
        assert_eq!(remarks.of_action(&send, &refused).unwrap(), "failed: hi: no");
        let saved = remarks.of_action(&save, &Outcome::Accepted).unwrap();
        assert_eq!(saved.replace('\\', "/"), "saved to rows/a.csv: 1,甲");
    }

    #[test]
    fn troubles_are_remarked_in_words() {
        let until = Timestamp::from_secs(60);
        for (lang, too_long, frequent) in [
            (Lang::En, "the reply is too long: its last messages (3) are not sent", "too many"),
            (Lang::Zh, "回复太长：最后 3 条不发送", "太频繁"),
        ] {
            let (remarks, mut told) = remarks(lang, Path::new("bot.toml"));
            remarks.trouble(&Trouble::TooLong { event: "e".into(), dropped: 3 });
            let line = Remark::Line { text: too_long.to_owned(), about: Some("e".into()) };
            assert_eq!(told.try_recv(), Ok(line));
            remarks.trouble(&Trouble::TooFrequent { until });
            let Ok(Remark::Line { text, about: None }) = told.try_recv() else {
                panic!("a line about no event");
            };
            assert!(text.contains(frequent) && text.contains("1970-01-01"), "{text}");
        }
    }

    #[test]
    fn a_remark_of_several_lines_stays_a_comment() {
        assert_eq!(line("a\nb\u{1b}"), "# a\n# b\\u{1b}\n");
    }
}

//! The calls of the sandbox page.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use mynah_core::{Clock, Timestamp, to_map};
use mynah_page::sandbox::{FaultOrder, PageAction, Save, Say, Test, Upload};
use mynah_page::view::{
    BotRow, ChatRow, Checked, CreatedChat, FaultRow, FileText, LoginRow, MessagePage, News,
    Problem, Session, TestDraft, TestLine, TestPlayed, Why,
};
use mynah_page::{Page, SandboxPage};
use mynah_sandbox::{Fault, LoginView, SandboxActionKind, StateView};
use serde_json::Value;
use tokio::sync::broadcast;

use super::{SandboxView, gone, last_row};
use crate::qr::Qr;
use crate::rule_file;
use crate::view::draft;
use crate::view::transcript::{self, Entry};

/// Messages of one page of a conversation.
const PAGE: usize = 100;

/// Messages among which the last one of each chat is looked for.
const RECENT: usize = 1000;

/// Lines of a conversation that a test is made of at most.
const TEST: usize = 200;

#[async_trait]
impl Page for SandboxView {
    async fn session(&self) -> Result<Session, Problem> {
        let world = self.sandbox.state(None, None, 0);
        let names = self.active_rules.load();
        let name = names.names().first().cloned().unwrap_or(world.me.name);
        let chat =
            world.chats.iter().find(|chat| chat.name == self.room).map(|chat| chat.id.clone());
        Ok(Session {
            mode: "sandbox",
            bot: BotRow { name },
            file: self.main.file_name().map(|name| name.to_string_lossy().into_owned()),
            chat,
            now: self.clock.now().as_millis(),
            run: self.run.clone(),
            rejected_rules: self.rules.get().map(Into::into),
            rejected_settings: self.settings.get().map(Into::into),
        })
    }

    fn follow(&self) -> broadcast::Receiver<Arc<News>> {
        self.news.subscribe()
    }
}

#[async_trait]
impl SandboxPage for SandboxView {
    async fn chats(&self) -> Result<Vec<ChatRow>, Problem> {
        let StateView { me, chats, people, messages, .. } = self.sandbox.state(None, None, RECENT);
        // Later messages take the place of earlier ones.
        let mut last = to_map(messages.iter().map(|said| (said.chat.as_str(), said)));
        let rows = chats.iter().map(|chat| {
            let group = chat.kind == "group";
            let people: Vec<String> = if group {
                let members = chat.members.iter().filter(|member| member.id != me.id);
                members.map(|member| member.name.clone()).collect()
            } else {
                let friend = people.iter().filter(|person| person.id == chat.id);
                friend.map(|person| person.name.clone()).collect()
            };
            ChatRow {
                people,
                last: last.remove(chat.id.as_str()).map(last_row),
                id: chat.id.clone(),
                name: chat.name.clone(),
                group,
                unread: chat.unread,
            }
        });
        Ok(rows.collect())
    }

    async fn messages(&self, chat: &str, before: Option<&str>) -> Result<MessagePage, Problem> {
        let before = before.and_then(|before| before.parse().ok());
        let mut world = self.sandbox.state(Some(chat), before, PAGE + 1);
        let more = world.messages.len() > PAGE;
        if more {
            world.messages.remove(0);
        }
        Ok(MessagePage {
            messages: world.messages.into_iter().map(|said| self.known_row(said)).collect(),
            more,
        })
    }

    async fn say(&self, say: Say) -> Result<(), Problem> {
        self.send(&say.chat, say.from, SandboxActionKind::Say { text: say.text, to: None })
    }

    async fn picture(&self, picture: Upload) -> Result<(), Problem> {
        let Upload { chat, from, name, data } = picture;
        self.send(&chat, from, SandboxActionKind::Picture { data: Some(data), name: Some(name) })
    }

    async fn attachment(&self, file: Upload) -> Result<(), Problem> {
        let Upload { chat, from, name, data } = file;
        self.send(&chat, from, SandboxActionKind::File { data: Some(data), name: Some(name) })
    }

    async fn act(&self, action: PageAction) -> Result<CreatedChat, Problem> {
        self.perform(action)
    }

    async fn why(&self, message: &str, lang: &str) -> Result<Why, Problem> {
        let why = self.recorder.why(message, self.lang_of(lang));
        why.ok_or_else(|| Problem::NotFound("the bot has not looked at this message".to_owned()))
    }

    async fn advance(&self, by: Duration) -> Result<(), Problem> {
        self.clock.advance(by);
        self.sandbox.advance(by);
        self.control.release(Vec::new(), Vec::new()).await.map_err(|_| gone())?;
        let now = self.clock.now().as_millis();
        let _ = self.news.send(Arc::new(News::Clock { now }));
        Ok(())
    }

    async fn file(&self) -> Result<FileText, Problem> {
        Ok(FileText { text: self.read()? })
    }

    async fn check(&self, text: &str, lang: &str) -> Result<Checked, Problem> {
        let diagnostics = draft::diagnostics(&self.load(text), self.lang_of(lang));
        Ok(Checked { diagnostics, ..Checked::default() })
    }

    async fn save(&self, save: Save) -> Result<Checked, Problem> {
        self.write(save).await
    }

    async fn draft_test(
        &self,
        chat: &str,
        first: Option<&str>,
        last: Option<&str>,
    ) -> Result<TestDraft, Problem> {
        let said = self.sandbox.state(Some(chat), None, TEST).messages;
        let messages: Vec<String> = said.into_iter().map(|said| said.id).collect();
        let mut entries = self.recorder.conversation(&messages);
        entries.drain(..entries.len().saturating_sub(TEST));
        let at = |id: Option<&str>| entries.iter().position(|entry| Some(entry.id.as_str()) == id);
        let from = at(first).unwrap_or(0);
        let to = at(last).map_or(entries.len(), |last| last + 1).max(from);
        let text = match &entries[from..to] {
            [] => String::new(),
            wanted => {
                let (_, name, _) = self.sandbox.chat(chat).unwrap_or_default();
                transcript::to_test(&name, wanted, self.active_rules.load().zone())
            }
        };
        let line = |entry: &Entry| TestLine {
            id: entry.id.clone(),
            time: entry.time,
            label: entry.label(),
        };
        Ok(TestDraft { lines: entries.iter().map(line).collect(), text })
    }

    /// A test that fails is written only on purpose: with it in the file the bot does not load its rules again.
    async fn play_test(&self, test: Test) -> Result<TestPlayed, Problem> {
        let Test { text, anyway, lang } = test;
        draft::one_test(&text, self.lang_of(&lang)).map_err(Problem::Refused)?;
        let before = self.read()?;
        let text = format!("{before}\n{}\n", text.trim_end());
        let mistakes = rule_file::mistakes(&self.load(&text), &self.bot, self.lang_of(&lang)).await;
        let passes = mistakes.is_none();
        let report = mistakes.map(|mistakes| mistakes.report).unwrap_or_default();
        let save = Save { text, was: Some(before), anyway, lang };
        let saved = (passes || anyway) && self.write(save).await?.saved;
        Ok(TestPlayed { passes, saved, report })
    }

    async fn login(&self) -> Result<LoginRow, Problem> {
        let pace = self.control.pace().await;
        let online = self.sandbox.is_online();
        let login = self.sandbox.state(None, None, 0).login.filter(|_| !online);
        let is_open = |login: &&LoginView| matches!(login.state, "waiting" | "scanned");
        let picture =
            login.as_ref().filter(is_open).and_then(|login| Qr::of(&login.link).ok()?.png().ok());
        Ok(LoginRow {
            online,
            left: pace.is_err(),
            pause: pace.ok().and_then(|pace| pace.pause).map(Timestamp::as_millis),
            state: login.map(|login| login.state),
            qr: picture.map(|png| format!("data:image/png;base64,{}", STANDARD.encode(png))),
        })
    }

    async fn phone(&self, action: &str) -> Result<(), Problem> {
        match action {
            "scan" => self.sandbox.login_scan().await,
            "confirm" => self.sandbox.login_confirm().await,
            "cancel" => {
                self.sandbox.login_cancel();
            }
            "logout" => {
                // A person who logs out at the page wants to see the login, so the phone does not confirm by itself any
                // more.
                self.sandbox.set_auto_confirm(false);
                self.sandbox.login_logout();
            }
            other => return Err(Problem::Refused(format!("a phone cannot `{other}`"))),
        }
        Ok(())
    }

    async fn faults(&self) -> Result<Vec<FaultRow>, Problem> {
        let faults = self.sandbox.faults().into_iter();
        Ok(faults.map(|fault| FaultRow { path: fault.path, times: fault.times }).collect())
    }

    async fn inject(&self, order: FaultOrder) -> Result<(), Problem> {
        if order.clear {
            self.sandbox.clear_faults();
            return Ok(());
        }
        let fault: Fault = serde_json::from_value(Value::Object(order.fault))
            .map_err(|error| Problem::Refused(error.to_string()))?;
        self.sandbox.fault(fault);
        Ok(())
    }

    fn media(&self, message: &str) -> Option<(&'static str, Bytes)> {
        self.sandbox.media(message)
    }
}

//! From the answer of a handler to the effects of its turn.

use std::path::Path;
use std::time::Duration;

use mynah_core::{
    Action, Chat, Content, Context, Event, EventBody, MediaRef, Message, Notice, NoticeKind,
    Person, Planned, Segment, quote,
};

use crate::answer::{Answer, LONGEST_VARIABLE, Later, Media, Sent, Wanted};
use crate::{Account, Failure, Variable, media};

/// The least time between a later call of a handler and the next one that it asks for.
const REST: Duration = Duration::from_secs(1);

/// Everything that gives an answer its meaning.
pub(crate) struct Scene<'a> {
    /// The name of the handler.
    pub(crate) handler: &'a str,
    /// The id of the request.
    pub(crate) id: &'a str,
    /// The event.
    pub(crate) event: &'a Event,
    /// The folder of the handler.
    pub(crate) dir: &'a Path,
    /// The account, which knows the admins and the folder for files of answers.
    pub(crate) account: &'a dyn Account,
}

impl Scene<'_> {
    /// Puts the effects of an answer into those of the turn.
    pub(crate) async fn apply(&self, answer: Answer, ctx: &mut Context) -> Result<(), Failure> {
        for (n, action) in answer.actions.into_iter().enumerate() {
            match action {
                // As in rules, no message is made of nothing.
                Wanted::Send { what: Sent::Text(text), .. } if text.trim().is_empty() => {}
                Wanted::Send { what, to, at_sender, quote } => {
                    let content = self.content(what, n).await?;
                    let chat = self.chat(ctx, to.as_deref(), n)?;
                    let content = self.shaped(content, at_sender, quote);
                    plan(ctx, &chat, Action::Send { content }, to.is_none());
                }
                action => self.act(ctx, action, n)?,
            }
        }
        for (variable, value) in answer.set {
            self.set(ctx, &variable, value)?;
        }
        for (variable, by) in answer.add {
            let key = self.key(ctx, &variable)?;
            ctx.add(variable.scope(), key, by);
        }
        let is_later = matches!(&self.event.body, EventBody::Due(due) if due.name == self.handler);
        for Later { after, data } in answer.later {
            // A handler that calls itself for ever gets at least some rest.
            let after = if is_later { after.max(REST) } else { after };
            ctx.follow_up(after, self.handler, data.to_string());
        }
        Ok(())
    }

    /// An action that sends nothing.
    fn act(&self, ctx: &mut Context, action: Wanted, n: usize) -> Result<(), Failure> {
        let chat = self.chat(ctx, None, n)?;
        match action {
            Wanted::Send { .. } => {}
            Wanted::Accept => {
                let Some(ticket) = ticket(self.event) else {
                    return Err(wrong(n, "accept: the event is not a friend request"));
                };
                plan(ctx, &chat, Action::AcceptFriend { ticket }, true);
            }
            Wanted::Save { file, row } => plan(ctx, &chat, Action::Save { file, row }, true),
            Wanted::Kick => {
                for person in self.people() {
                    if self.account.is_admin(ctx, person) {
                        let (handler, name) = (self.handler, &person.name);
                        tracing::warn!(handler, "{name} was not removed: an admin of the bot");
                    } else {
                        ctx.kick(person);
                    }
                }
            }
            Wanted::Invite(name) => {
                let group = ctx.groups().find(|group| group.name == name).cloned();
                let none = || wrong(n, &format!("invite_to: there is no group \"{name}\""));
                let group = group.ok_or_else(none)?;
                self.people().iter().for_each(|person| ctx.invite(person, &group));
            }
            Wanted::Recall => {
                let Some(message) = self.event.message() else {
                    return Err(wrong(n, "recall: the event is not a message"));
                };
                let sender = Some(message.sender.without_names());
                let action = Action::Recall { message: message.id.clone(), sender };
                plan(ctx, &chat, action, true);
            }
        }
        Ok(())
    }

    /// The people whom an action is about: the sender, at a join those who joined.
    fn people(&self) -> &[Person] {
        match &self.event.body {
            EventBody::Notice(Notice { kind: NoticeKind::Join { people }, .. }) => people,
            _ => self.event.person().map(std::slice::from_ref).unwrap_or_default(),
        }
    }

    async fn content(&self, what: Sent, n: usize) -> Result<Segment, Failure> {
        Ok(match what {
            Sent::Text(text) => Segment::Text { text },
            Sent::Image(media) => Segment::Image(self.media(media, n).await?),
            Sent::File(media) => Segment::File(self.media(media, n).await?),
        })
    }

    async fn media(&self, media: Media, n: usize) -> Result<MediaRef, Failure> {
        match media {
            Media::Path(path) => {
                media::in_folder(self.dir, &path).map_err(|why| wrong(n, &format!("send: {why}")))
            }
            Media::Url(url) => Ok(MediaRef::url(url)),
            Media::Bytes { name, bytes } => {
                let kept = media::keep(self.account.outgoing(), (self.id, n), &name, bytes).await;
                kept.map_err(|error| wrong(n, &format!("send: the file cannot be kept: {error}")))
            }
        }
    }

    fn shaped(&self, segment: Segment, at_sender: bool, is_quote: bool) -> Content {
        let mut content = Content::default();
        if is_quote && let Some(message) = self.event.message() {
            content.0.push(quoted(message));
        }
        let is_group = self.event.chat().is_some_and(Chat::is_group);
        if at_sender
            && is_group
            && let Some(person) = self.event.person()
        {
            let (who, shown) = (Some(person.id.clone()), person.name.clone());
            content.0.push(Segment::Mention { who, shown });
        }
        content.with(segment)
    }

    /// The chat of this id or name, else that of the event.
    fn chat(&self, ctx: &Context, to: Option<&str>, n: usize) -> Result<Chat, Failure> {
        let Some(to) = to else {
            let none = || wrong(n, "the event has no chat; name one with send.to");
            return ctx.chat().cloned().ok_or_else(none);
        };
        let chats = ctx.chats();
        let found = chats.iter().find(|chat| chat.id.as_str() == to);
        let found = found.or_else(|| chats.iter().find(|chat| chat.name == to));
        found.cloned().ok_or_else(|| wrong(n, &format!("send.to: there is no chat \"{to}\"")))
    }

    fn set(
        &self,
        ctx: &mut Context,
        variable: &Variable,
        value: Option<String>,
    ) -> Result<(), Failure> {
        let key = self.key(ctx, variable)?;
        let Some(mut value) = value else {
            ctx.remove(variable.scope(), key);
            return Ok(());
        };
        // Texts of people must not fill the state.
        if let Some((end, _)) = value.char_indices().nth(LONGEST_VARIABLE) {
            value.truncate(end);
            let handler = self.handler;
            tracing::warn!(handler, %variable, "a value was cut to {LONGEST_VARIABLE} characters");
        }
        ctx.set(variable.scope(), key, value);
        Ok(())
    }

    fn key(&self, ctx: &Context, variable: &Variable) -> Result<String, Failure> {
        let needs_person = || Failure::Answer(format!("{variable}: the event has no sender"));
        variable.key(ctx.person()).ok_or_else(needs_person)
    }
}

fn plan(ctx: &mut Context, chat: &Chat, action: Action, is_reply: bool) {
    ctx.plan(Planned { chat: chat.id.clone(), action, delay: Duration::ZERO, is_reply });
}

fn quoted(message: &Message) -> Segment {
    Segment::Quote {
        message: Some(message.id.clone()),
        sender: message.sender.name.clone(),
        text: quote::excerpt(&message.text),
    }
}

fn ticket(event: &Event) -> Option<String> {
    match &event.body {
        EventBody::Notice(notice) => match &notice.kind {
            NoticeKind::FriendRequest { ticket, .. } => Some(ticket.clone()),
            _ => None,
        },
        _ => None,
    }
}

fn wrong(n: usize, why: &str) -> Failure {
    Failure::Answer(format!("actions[{n}].{why}"))
}

//! A program or service as a handler of turns.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use mynah_core::{
    Captures, Context, Event, EventBody, Flow, Handler, HandlerError, Message, Person, Scope,
    StoreReader, Timestamp, to_map,
};

use crate::answer::Answer;
use crate::effects::Scene;
use crate::media::Incoming;
use crate::model::Call;
use crate::program::Current;
use crate::request::{Around, EventFields, Request};
use crate::{Failure, Per, Program, Role, Row, Source, Spec, VERSION};

/// The account for which a handler works.
pub trait Account: Send + Sync {
    /// Its name.
    fn name(&self) -> &str;

    /// Whether this person is an admin of the bot.
    fn is_admin(&self, ctx: &Context, person: &Person) -> bool;

    /// The values that variables of this owner have in the chat of the turn until one is set: those of the rule file.
    fn presets(&self, ctx: &Context, owner: Scope) -> BTreeMap<String, String>;

    /// The folder that keeps files of answers until they are sent.
    fn outgoing(&self) -> &Path;

    /// The rows of these tables that are nearest to the message of an event, the nearest first, at most so many; only rows
    /// that the sender may have in this chat. For language models.
    fn nearest_rows(
        &self,
        ctx: &Context,
        event: &Event,
        tables: &[String],
        most: usize,
    ) -> Vec<Row>;

    /// The log of messages, for the memory of language models; `None` if there is none.
    fn log(&self) -> Option<Arc<dyn StoreReader>>;

    /// Beginning and end of the calendar unit that contains a moment.
    fn period(&self, per: Per, now: Timestamp) -> (Timestamp, Timestamp);
}

/// A program or service as a handler of one account.
pub struct ProgramHandler {
    program: Program,
    account: Arc<dyn Account>,
}

impl ProgramHandler {
    /// The handler of an account.
    #[must_use]
    pub fn new(program: Program, account: Arc<dyn Account>) -> Self {
        Self { program, account }
    }

    async fn handle(&self, ctx: &mut Context, event: &Event) -> Result<Flow, HandlerError> {
        let current = self.program.current();
        if !is_meant(&current.spec, event) {
            return Ok(Flow::Continue);
        }
        if let (Source::Model(model), Some(client)) = (&current.spec.source, current.model()) {
            let (spec, account) = (&current.spec, &*self.account);
            let call = Call { current: &current, spec, model, client, account };
            return Ok(call.answer(ctx, event).await);
        }
        let answered = self.ask(&current, ctx, event).await;
        match answered {
            Ok(flow) => {
                current.tally().answered();
                Ok(flow)
            }
            Err(failure) => {
                current.count(&failure);
                Err(failure.into())
            }
        }
    }

    async fn ask(
        &self,
        current: &Current,
        ctx: &mut Context,
        event: &Event,
    ) -> Result<Flow, Failure> {
        let spec = &current.spec;
        let id = format!("{}/{}#{}", self.account.name(), event.id, ctx.number_call());
        let incoming = incoming(spec, ctx, event).await;
        let line = self.line(spec, (ctx, event), &id, &incoming.files);
        let apart = ctx.wait_apart();
        let answer = current.ask(id.clone(), line).await;
        drop((apart, incoming));
        let answer = Answer::read(answer?)?;
        let flow = flow(spec, event, answer.flow);
        let dir = match &spec.source {
            Source::Command(command) => &command.dir,
            Source::Service(service) => &service.dir,
            Source::Model(_) => self.account.outgoing(),
        };
        let account = &*self.account;
        Scene { handler: &spec.name, id: &id, event, dir, account }.apply(answer, ctx).await?;
        Ok(flow)
    }

    /// The line of the request.
    fn line(
        &self,
        spec: &Spec,
        (ctx, event): (&mut Context, &Event),
        id: &str,
        files: &BTreeMap<usize, PathBuf>,
    ) -> Vec<u8> {
        let is_admin = event.person().is_some_and(|person| self.account.is_admin(ctx, person));
        let of_rule = ctx.decided().captures.clone();
        let (captures, args) = sorted(ctx.captures(), of_rule);
        let around = Around { handler: &spec.name, is_admin, files };
        let request = Request {
            v: VERSION,
            id,
            handler: &spec.name,
            account: self.account.name(),
            event: EventFields::of(event, &around),
            captures: &captures,
            args: &args,
            vars: to_map(spec.reads.iter().flat_map(|reads| reads.values(ctx, &*self.account))),
            // JavaScript holds whole numbers exactly up to this size.
            seed: ctx.random().below(1 << 53),
            settings: &spec.settings,
        };
        // Texts and numbers under fixed names: there is nothing in it that cannot be written.
        let mut line = serde_json::to_vec(&request).unwrap_or_default();
        line.push(b'\n');
        line
    }
}

/// Whether the handler is called for this event.
fn is_meant(spec: &Spec, event: &Event) -> bool {
    let (Role::Before(who) | Role::Fallback(who)) = &spec.role else { return true };
    match (&event.body, event.chat()) {
        (EventBody::Due(due), _) => due.name == spec.name,
        (EventBody::Started, _) | (_, None) => false,
        // A model answers messages only.
        (EventBody::Notice(_), _) if matches!(spec.source, Source::Model(_)) => false,
        (EventBody::Message(_) | EventBody::Notice(_), Some(chat)) => {
            who.includes(chat, event.message())
        }
    }
}

/// The files of the message, if the handler wants them.
async fn incoming(spec: &Spec, ctx: &Context, event: &Event) -> Incoming {
    let (Some(limit), Some(message)) = (spec.media, event.message()) else {
        return Incoming::default();
    };
    Incoming::fetch(ctx, &message.content, limit).await.unwrap_or_else(|error| {
        let handler = spec.name.as_str();
        tracing::warn!(%error, handler, "no folder for the files of a message");
        Incoming::default()
    })
}

fn flow(spec: &Spec, event: &Event, wanted: Option<Flow>) -> Flow {
    match (&spec.role, &event.body) {
        // Its own later call concerns no other handler.
        (Role::Run, _) | (_, EventBody::Due(_)) => Flow::Stop,
        (Role::Before(_), _) => wanted.unwrap_or(Flow::Continue),
        (Role::Fallback(_), _) => wanted.unwrap_or(Flow::Stop),
    }
}

/// The captures of the rule, and the arguments that it adds to them.
fn sorted(given: &Captures, of_rule: Captures) -> (Captures, Captures) {
    let is_captured = |(name, text): &(&String, &String)| of_rule.get(*name) == Some(*text);
    let own = |pair: (&String, &String)| (pair.0.clone(), pair.1.clone());
    let args = to_map(given.iter().filter(|pair| !is_captured(pair)).map(own));
    let captures = if given.is_empty() { Captures::new() } else { of_rule };
    (captures, args)
}

#[async_trait]
impl Handler for ProgramHandler {
    async fn on_message(&self, ctx: &mut Context, message: &Message) -> Result<Flow, HandlerError> {
        let body = EventBody::Message(message.clone());
        let event = Event { id: ctx.event_id().clone(), time: ctx.now(), body };
        self.handle(ctx, &event).await
    }

    async fn on_event(&self, ctx: &mut Context, event: &Event) -> Result<Flow, HandlerError> {
        self.handle(ctx, event).await
    }
}

impl fmt::Debug for ProgramHandler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ProgramHandler").field(&self.program.spec().name).finish()
    }
}

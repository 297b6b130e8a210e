//! The rule book as a handler: a decision becomes effects of the turn.

use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwap;
use async_trait::async_trait;
use mynah_core::{
    Binding, Context, Event, EventBody, Flow, Handler, HandlerError, Message, Scope, StateView,
    Words,
};
use mynah_rules::{Builtin, Decision, Moment, RuleBook, mute};

use crate::fetcher::Fetcher;
use crate::lacking_inputs::{decided, moment};

/// The rules that turns begin with. Shared by the handler and the parts that replace the book.
pub(crate) type ActiveRules = ArcSwap<RuleBook>;

/// Runs the rules. The book can be replaced at any time; a turn keeps the one it began with.
pub(crate) struct RuleHandler {
    active_rules: Arc<ActiveRules>,
    operator: Arc<dyn Operator>,
    fetcher: Fetcher,
    /// Whether warnings of decisions go to the log.
    logs: bool,
}

/// The requests of an admin to the runner from within a chat.
#[async_trait]
pub(crate) trait Operator: Send + Sync {
    /// Reads the rules again and returns the result in words.
    async fn reload(&self) -> String;

    /// How the bot is.
    async fn status(&self) -> String;
}

/// The operator in places without a runner to ask.
struct NoOperator;

#[async_trait]
impl Operator for NoOperator {
    async fn reload(&self) -> String {
        "reloaded".to_owned()
    }

    async fn status(&self) -> String {
        "all is well".to_owned()
    }
}

impl RuleHandler {
    /// A handler with the book on this shelf.
    pub(crate) fn new(
        active_rules: Arc<ActiveRules>,
        operator: Arc<dyn Operator>,
        fetcher: Fetcher,
    ) -> Self {
        Self { active_rules, operator, fetcher, logs: true }
    }

    /// A handler whose book stays, without an operator: for tests of a rule file, and for replay. These show warnings themselves,
    /// and a failure that a test describes is none.
    pub(crate) fn alone(book: Arc<RuleBook>, fetcher: Fetcher) -> Self {
        Self { logs: false, ..Self::on(Arc::new(ActiveRules::new(book)), fetcher) }
    }

    /// A handler with the book on this shelf, without anybody to ask.
    pub(crate) fn on(active_rules: Arc<ActiveRules>, fetcher: Fetcher) -> Self {
        Self::new(active_rules, Arc::new(NoOperator), fetcher)
    }

    async fn decide(&self, ctx: &mut Context, event: &Event) -> Result<Flow, HandlerError> {
        let mut at = moment(ctx);
        // Keep this guard short: the last holder of an old rule book pays for dropping it.
        let book = self.active_rules.load_full();
        let decide = |ctx: &Context, at: &Moment| book.decide(event, ctx, at);
        let decision = decided(ctx, &self.fetcher, &mut at, decide).await?;
        let is_quiet = is_quiet(&book, ctx, event);
        drop(book);
        for warning in decision.warnings.iter().filter(|_| self.logs) {
            tracing::warn!(event = %event.id, "{warning}");
        }
        let builtin = decision.builtin;
        let flow = apply(decision, ctx);
        if flow == Flow::Continue && is_muted(ctx, event) {
            ctx.decided().passed_over = Some("muted chat".to_owned());
            return Ok(Flow::Stop);
        }
        if flow == Flow::Continue && is_quiet {
            ctx.decided().passed_over = Some("quiet hours".to_owned());
            return Ok(Flow::Stop);
        }
        match builtin {
            Some(Builtin::Reload) => ctx.reply(self.operator.reload().await),
            Some(Builtin::Status) => ctx.reply(self.operator.status().await),
            None => {}
        }
        Ok(flow)
    }
}

/// Whether an event is in a chat that is muted: fallbacks keep quiet there like the rules.
fn is_muted(ctx: &Context, event: &Event) -> bool {
    let has_happened = matches!(event.body, EventBody::Message(_) | EventBody::Notice(_));
    has_happened
        && ctx
            .get(Scope::Chat, mute::KEY)
            .is_some_and(|until| mute::still_until(&until, ctx.now()).is_some())
}

/// Whether something happened in the quiet hours of its chat.
fn is_quiet(book: &RuleBook, ctx: &Context, event: &Event) -> bool {
    let has_happened = matches!(event.body, EventBody::Message(_) | EventBody::Notice(_));
    let chat = event.chat().filter(|_| has_happened);
    chat.is_some_and(|chat| book.quiet_until(chat, ctx.now()).is_some())
}

/// Puts all effects of a decision into those of the turn, and the decision into its record.
///
/// Messages that no rule answered go on to the fallbacks, except those that the rule file excludes.
fn apply(decision: Decision, ctx: &mut Context) -> Flow {
    let ends = decision.acted || decision.quiet.is_some() || decision.passed_over.is_some();
    let decided = ctx.decided();
    decided.fetches.extend_from_slice(decision.fetch_notes());
    if let Some(rule) = decision.rule {
        decided.rule = Some(rule.id.to_string());
        decided.file = Some(rule.file.to_string());
        decided.line = Some(rule.line);
    }
    decided.captures = decision.captures;
    decided.quiet = decision.quiet;
    decided.passed_over = decision.passed_over.map(str::to_owned);
    let warnings = decision.warnings.into_iter();
    decided.warnings.extend(warnings.map(|warning| Words::new(warning.en, warning.zh)));
    decided.bound.extend(decision.writes.iter().filter_map(Binding::made_by));
    decision.writes.into_iter().for_each(|write| ctx.write(write));
    decision.steps.into_iter().for_each(|step| ctx.step(step));
    decision.timers.into_iter().for_each(|timer| ctx.timer(timer));
    if ends { Flow::Stop } else { Flow::Continue }
}

#[async_trait]
impl Handler for RuleHandler {
    async fn on_message(&self, ctx: &mut Context, message: &Message) -> Result<Flow, HandlerError> {
        let body = EventBody::Message(message.clone());
        let event = Event { id: ctx.event_id().clone(), time: ctx.now(), body };
        self.decide(ctx, &event).await
    }

    async fn on_event(&self, ctx: &mut Context, event: &Event) -> Result<Flow, HandlerError> {
        self.decide(ctx, event).await
    }

    async fn handle(&self, ctx: &mut Context, event: &Event) -> Result<Flow, HandlerError> {
        self.decide(ctx, event).await
    }
}

impl fmt::Debug for RuleHandler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RuleHandler").finish_non_exhaustive()
    }
}

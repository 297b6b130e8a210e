//! A language model as a handler: what it is asked, and what becomes of its answer.

mod answer;
mod client;
mod limit;
mod memory;
mod names;
mod prompt;
mod reply;

use mynah_core::{Context, Event, Flow, Message, StoreReader, TurnMemory, Words};

use self::limit::Count;
use self::memory::Line;
use self::names::Names;
use crate::program::Current;
use crate::{Account, Failure, Model, Role, Spec};

pub(crate) use self::client::ModelClient;
pub(crate) use self::limit::SentRequests;

/// The most rows of tables in a prompt.
const MOST_ROWS: usize = 5;

/// The record of an event that the model did not get, as the limit of its handler is used up.
const USED_UP: &str = "limit of a handler";

/// The answers of a model in a turn: an attempt that sends the same request uses them.
type Answers = Result<String, Failure>;

/// Everything that a call of a model is about.
pub(crate) struct Call<'a> {
    pub(crate) current: &'a Current,
    pub(crate) spec: &'a Spec,
    pub(crate) model: &'a Model,
    pub(crate) client: &'a ModelClient,
    pub(crate) account: &'a dyn Account,
}

impl Call<'_> {
    /// Asks the model about an event and replies with its answer. Never fails: a turn without an answer keeps its other
    /// effects, and counts the request.
    pub(crate) async fn answer(&self, ctx: &mut Context, event: &Event) -> Flow {
        let Some(message) = event.message().filter(|message| !words(message).is_empty()) else {
            return self.passed_on();
        };
        let body = self.request(ctx, event, message).await;
        let key = format!("model {} {body}", self.spec.name);
        let known: Option<Answers> = ctx.memory().get(&key).cloned();
        let count = Count::of(self.spec, self.model, self.account, ctx.now());
        let answered = match known {
            Some(answered) => answered,
            None if !count.take(ctx, self.account.name(), self.current.tally().sent()) => {
                self.current.tally().limited();
                ctx.decided().passed_over = Some(USED_UP.to_owned());
                return self.passed_on();
            }
            None => {
                let apart = ctx.wait_apart();
                let answered = self.ask(ctx.memory(), key, body).await;
                drop(apart);
                answered
            }
        };
        count.add(ctx);
        self.say(ctx, answered);
        Flow::Stop
    }

    async fn ask(&self, memory: &mut TurnMemory, key: String, body: String) -> Answers {
        let asked = self.current.timed(self.client.ask(body)).await;
        let answered = asked
            .and_then(|text| reply::cleaned(&text, self.model.max_reply).ok_or(Failure::Empty));
        match &answered {
            Ok(_) => self.current.tally().answered(),
            Err(failure) => {
                let handler = self.spec.name.as_str();
                tracing::warn!(handler, %failure, "the language model gave no answer");
                self.current.count(failure);
            }
        }
        memory.put(key, answered.clone());
        answered
    }

    fn say(&self, ctx: &mut Context, answered: Answers) {
        match answered {
            Ok(text) => ctx.reply(text),
            Err(failure) => {
                let handler = &self.spec.name;
                let Words { en, zh } = failure.words();
                ctx.decided().warnings.push(Words::new(
                    format!("the language model of {handler} gave no answer: {en}"),
                    format!("{handler} 的语言模型没有回答：{zh}"),
                ));
                if let Some(sorry) = &self.model.sorry {
                    ctx.reply(sorry);
                }
            }
        }
    }

    /// The flow if the model was not asked: another fallback may answer.
    fn passed_on(&self) -> Flow {
        if self.spec.role == Role::Run { Flow::Stop } else { Flow::Continue }
    }

    /// The request, as JSON.
    async fn request(&self, ctx: &mut Context, event: &Event, message: &Message) -> String {
        let names = Names::of(ctx, message);
        let rows = match self.model.ground.as_slice() {
            [] => Vec::new(),
            tables => self.account.nearest_rows(ctx, event, tables, MOST_ROWS),
        };
        let mut lines = match self.account.log() {
            Some(log) if self.model.memory > 0 => {
                self.remembered(&*log, ctx, message, &names).await
            }
            _ => Vec::new(),
        };
        lines.push(Line::of_person(names.out_of_mentions(words(message))));
        prompt::body(self.model, &rows, lines)
    }

    async fn remembered(
        &self,
        log: &dyn StoreReader,
        ctx: &Context,
        message: &Message,
        names: &Names,
    ) -> Vec<Line> {
        let most = self.model.memory;
        memory::lines(log, (ctx.event_id(), message), most, names).await.unwrap_or_else(|error| {
            let handler = self.spec.name.as_str();
            tracing::warn!(handler, %error, "the model is asked without the earlier messages");
            Vec::new()
        })
    }
}

/// The words of a message, without the name of the bot at their beginning.
fn words(message: &Message) -> &str {
    let behind = message.behind_name.and_then(|from| message.text.get(from..));
    let behind = behind.map(str::trim).filter(|text| !text.is_empty());
    behind.unwrap_or_else(|| message.text.trim())
}

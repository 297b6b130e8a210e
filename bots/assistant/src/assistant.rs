//! Lets the model answer the messages that no rule answered.

use std::error::Error;
use std::sync::Arc;

use mynah::prelude::*;

use crate::model::{Model, Role};
use crate::talk::Talk;

/// The instruction for the model before each question.
const ABOUT: &str =
    "你是微信群里的客服小八。用一两句话回答，不用任何标记；不知道就说不知道，不要编造价格和承诺。";

/// The reply if the model gives no answer.
const SORRY: &str = "我现在答不上来，请稍后再问，或者找群里的同事。";

/// A fallback handler: it gets the messages that the rule file reads and no rule answered.
pub(crate) struct Assistant(pub(crate) Arc<Model>);

/// Forgets the conversation with the sender.
pub(crate) struct Restart;

#[async_trait]
impl Handler for Assistant {
    async fn on_message(&self, ctx: &mut Context, message: &Message) -> Result<Flow, HandlerError> {
        // In a group, people talk to each other: the bot answers only if it is called.
        if !message.called || message.kind() != MessageKind::Text || message.text.is_empty() {
            return Ok(Flow::Continue);
        }
        let mut talk = Talk::of(ctx);
        talk.add(Role::User, &message.text);
        match self.0.answer(&talk.question(ABOUT)).await {
            Ok(answer) => {
                talk.add(Role::Assistant, &answer);
                talk.keep(ctx)?;
                ctx.reply_at(answer);
            }
            // The question is not stored, so that the next attempt is a new conversation line.
            Err(error) => {
                tracing::warn!(error = &error as &dyn Error, "the model gave no answer");
                ctx.reply_at(SORRY);
            }
        }
        Ok(Flow::Stop)
    }
}

#[async_trait]
impl Handler for Restart {
    async fn on_message(&self, ctx: &mut Context, _: &Message) -> Result<Flow, HandlerError> {
        Talk::forget(ctx);
        ctx.reply_at("好，我们从头说起。");
        Ok(Flow::Stop)
    }
}

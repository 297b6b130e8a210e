//! The earlier messages of a person in a chat, with the answers of the bot: out of the log of messages.

use mynah_core::{
    Action, EventId, LogKind, LogQuery, Logged, LoggedAction, Message, Origin, Segment, StoreError,
    StoreReader,
};

use super::names::Names;
use super::words;

/// Messages that wait behind the present one are in the log already; so many of them do not shorten the memory.
const WAITING: u32 = 20;

/// A line of the conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    /// Whether the bot said it.
    pub(crate) is_answer: bool,
    pub(crate) text: String,
}

impl Line {
    /// Words of the person.
    pub(crate) fn of_person(text: String) -> Self {
        Self { is_answer: false, text }
    }
}

/// The last messages of the sender in the chat before this one, at most so many, with the answers to them; the oldest
/// first. A log that keeps no text has none. They are looked for among the last ten thousand events of the account.
pub(crate) async fn lines(
    log: &dyn StoreReader,
    (event, message): (&EventId, &Message),
    most: usize,
    names: &Names,
) -> Result<Vec<Line>, StoreError> {
    let query = LogQuery {
        chat: Some(message.chat.id.clone()),
        person: Some(message.sender.id.clone()),
        kind: Some(LogKind::Message),
        limit: u32::try_from(most).unwrap_or(u32::MAX).saturating_add(WAITING),
        ..LogQuery::default()
    };
    let page = log.log(&query).await?;
    let earlier: Vec<&Logged> = page
        .entries
        .iter()
        .filter(|entry| entry.handled.is_some() && entry.event.id != *event)
        .filter(|entry| said(entry).is_some())
        .collect();
    let last = &earlier[earlier.len().saturating_sub(most)..];
    Ok(last.iter().flat_map(|entry| exchange(entry, names)).collect())
}

fn said(entry: &Logged) -> Option<&Message> {
    let message = entry.event.message()?;
    (message.origin == Origin::Person && !words(message).is_empty()).then_some(message)
}

/// A message and the answers to it.
fn exchange(entry: &Logged, names: &Names) -> Vec<Line> {
    let Some(message) = said(entry) else { return Vec::new() };
    let person = Line::of_person(names.out_of_mentions(words(message)));
    let answers = entry.actions.iter().filter_map(|action| answer(action, message));
    let answers = answers.map(|text| Line { is_answer: true, text: names.out_of_answer(&text) });
    std::iter::once(person).chain(answers).collect()
}

/// The words of an answer that was sent, or still waits, to the chat of its message. Mentions and quotes are not among them.
fn answer(action: &LoggedAction, message: &Message) -> Option<String> {
    let is_lost = matches!(action.outcome.as_deref(), Some("refused" | "expired"));
    let Some(Action::Send { content }) = &action.action else { return None };
    if is_lost || action.chat != message.chat.id {
        return None;
    }
    let texts = content.0.iter().filter_map(|segment| match segment {
        Segment::Text { text } => Some(text.as_str()),
        _ => None,
    });
    let text = texts.collect::<String>().trim().to_owned();
    (!text.is_empty()).then_some(text)
}

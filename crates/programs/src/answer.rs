//! The answer of a handler: JSON, read strictly. A mistake names its place.

use std::time::Duration;

use mynah_core::Flow;
use serde_json::{Map, Value};

use crate::{Failure, MOST_ACTIONS, MOST_LATER, Variable};

/// The most characters of a text that is sent or stored: longer ones are cut by rules, too.
pub(crate) const LONGEST_VARIABLE: usize = 4000;

/// The most bytes of the data of a later call.
const LONGEST_DATA: usize = 64 << 10;

/// The names of actions, as in rules.
const ACTIONS: [&str; 6] = ["send", "accept", "kick", "invite_to", "recall", "save_to"];

/// The longest wait of a later call: ten years, as for durations of rules.
const LATEST: Duration = Duration::from_secs(3650 * 24 * 3600);

/// The effects that an answer asks for.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Answer {
    pub(crate) actions: Vec<Wanted>,
    pub(crate) set: Vec<(Variable, Option<String>)>,
    pub(crate) add: Vec<(Variable, i64)>,
    pub(crate) later: Vec<Later>,
    pub(crate) flow: Option<Flow>,
}

/// An action that an answer asks for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Wanted {
    Send { what: Sent, to: Option<String>, at_sender: bool, quote: bool },
    Accept,
    Kick,
    Invite(String),
    Recall,
    Save { file: String, row: Vec<String> },
}

/// The content of a message to send.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Sent {
    Text(String),
    Image(Media),
    File(Media),
}

/// The place of a picture or file.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Media {
    /// A file in the folder of the handler.
    Path(String),
    /// An address of the web, from which it is fetched when the message is sent.
    Url(String),
    /// The bytes themselves.
    Bytes { name: String, bytes: Vec<u8> },
}

/// A later call of the same handler.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Later {
    pub(crate) after: Duration,
    pub(crate) data: Value,
}

/// A result, with the place of the mistake.
type Read<T> = Result<T, String>;

impl Answer {
    /// Reads an answer; `id` was compared before.
    pub(crate) fn read(answer: Map<String, Value>) -> Result<Self, Failure> {
        match Self::fields(answer) {
            Ok(read) => read,
            Err(mistake) => Err(Failure::Answer(mistake)),
        }
    }

    fn fields(mut answer: Map<String, Value>) -> Read<Result<Self, Failure>> {
        answer.remove("id");
        if let Some(error) = answer.remove("error") {
            let error = text(error, "error")?;
            return match answer.keys().next() {
                Some(other) => Err(format!("{other}: not beside error")),
                None => Ok(Err(Failure::Error(error))),
            };
        }
        let mut read = Self::default();
        if let Some(reply) = answer.remove("reply") {
            let what = Sent::Text(text(reply, "reply")?);
            read.actions.push(Wanted::Send { what, to: None, at_sender: false, quote: false });
        }
        for (name, value) in answer {
            match name.as_str() {
                "actions" => {
                    let given = list(value, "actions", MOST_ACTIONS)?;
                    for (n, action) in given.into_iter().enumerate() {
                        read.actions.push(self::action(action, &format!("actions[{n}]"))?);
                    }
                }
                "set" => read.set = set(value)?,
                "add" => read.add = add(value)?,
                "later" => read.later = later(value)?,
                "flow" => read.flow = Some(flow(value)?),
                _ => {
                    let known = ["reply", "actions", "set", "add", "later", "flow", "error"];
                    return Err(unknown(&name, &known));
                }
            }
        }
        Ok(Ok(read))
    }
}

fn action(value: Value, at: &str) -> Read<Wanted> {
    let mut action = object(value, at)?.into_iter();
    let (Some((name, value)), None) = (action.next(), action.next()) else {
        return Err(format!("{at}: expected one of {}", ACTIONS.join(", ")));
    };
    let place = format!("{at}.{name}");
    match name.as_str() {
        "send" => send(value, &place),
        "accept" => only_true(&value, &place).map(|()| Wanted::Accept),
        "kick" => only_true(&value, &place).map(|()| Wanted::Kick),
        "recall" => only_true(&value, &place).map(|()| Wanted::Recall),
        "invite_to" => text(value, &place).map(Wanted::Invite),
        "save_to" => save(value, &place),
        _ => Err(unknown(&place, &ACTIONS)),
    }
}

fn only_true(value: &Value, at: &str) -> Read<()> {
    if *value == Value::Bool(true) { Ok(()) } else { Err(format!("{at}: expected true")) }
}

fn send(value: Value, at: &str) -> Read<Wanted> {
    let (mut what, mut to, mut at_sender, mut quote) = (None, None, false, false);
    for (name, value) in object(value, at)? {
        let place = format!("{at}.{name}");
        let sent = match name.as_str() {
            "text" => Sent::Text(text(value, &place)?),
            "image" => Sent::Image(media(value, &place)?),
            "file" => Sent::File(media(value, &place)?),
            "to" => {
                to = Some(text(value, &place)?);
                continue;
            }
            "at_sender" => {
                at_sender = flag(&value, &place)?;
                continue;
            }
            "quote" => {
                quote = flag(&value, &place)?;
                continue;
            }
            _ => {
                let known = ["text", "image", "file", "to", "at_sender", "quote"];
                return Err(unknown(&place, &known));
            }
        };
        if what.replace(sent).is_some() {
            return Err(format!("{at}: only one of text, image, file"));
        }
    }
    let what = what.ok_or_else(|| format!("{at}: expected one of text, image, file"))?;
    if (at_sender || quote) && (to.is_some() || !matches!(what, Sent::Text(_))) {
        return Err(format!("{at}: at_sender and quote need a text in the chat of the event"));
    }
    Ok(Wanted::Send { what, to, at_sender, quote })
}

fn media(value: Value, at: &str) -> Read<Media> {
    let mut fields = match value {
        Value::String(url) if is_address(&url) => return Ok(Media::Url(url)),
        Value::String(path) if path.contains("://") => {
            return Err(format!("{at}: an address begins with http:// or https://"));
        }
        Value::String(path) if path.trim().is_empty() => {
            return Err(format!("{at}: expected a path"));
        }
        Value::String(path) => return Ok(Media::Path(path)),
        Value::Object(fields) => fields,
        _ => {
            return Err(format!("{at}: expected a path, an address or {{\"base64\", \"name\"}}"));
        }
    };
    let (base64, name) = (fields.remove("base64"), fields.remove("name"));
    if let Some(other) = fields.keys().next() {
        return Err(unknown(&format!("{at}.{other}"), &["base64", "name"]));
    }
    let name = text(name.unwrap_or(Value::Null), &format!("{at}.name"))?;
    if !is_file_name(&name) {
        return Err(format!("{at}.name: expected a file name without a folder"));
    }
    let base64 = text(base64.unwrap_or(Value::Null), &format!("{at}.base64"))?;
    let bytes = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, base64);
    let bytes = bytes.map_err(|_| format!("{at}.base64: not valid base64"))?;
    Ok(Media::Bytes { name, bytes })
}

fn save(value: Value, at: &str) -> Read<Wanted> {
    let mut fields = object(value, at)?;
    let (file, row) = (fields.remove("file"), fields.remove("row"));
    if let Some(other) = fields.keys().next() {
        return Err(unknown(&format!("{at}.{other}"), &["file", "row"]));
    }
    let file = text(file.unwrap_or(Value::Null), &format!("{at}.file"))?;
    if !is_file_name(&file) || !file.ends_with(".csv") {
        return Err(format!("{at}.file: expected a file name that ends in .csv"));
    }
    let place = format!("{at}.row");
    let row = list(row.unwrap_or(Value::Null), &place, 100)?;
    let row = row.into_iter().enumerate();
    let row = row.map(|(n, cell)| scalar(cell, &format!("{place}[{n}]"))).collect::<Read<_>>()?;
    Ok(Wanted::Save { file, row })
}

/// Whether a text is an address of the web, and no path. Whether media may be fetched from there shows when it is sent.
fn is_address(text: &str) -> bool {
    let begins = |scheme: &str| {
        text.get(..scheme.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(scheme))
    };
    (begins("http://") || begins("https://")) && text.len() <= 2_000
}

/// Whether a text is a file name on every system, without a folder.
fn is_file_name(name: &str) -> bool {
    let is_plain = |c: char| !c.is_control() && !"/\\:*?\"<>|".contains(c);
    !name.is_empty() && name.len() <= 200 && !name.starts_with('.') && name.chars().all(is_plain)
}

fn set(value: Value) -> Read<Vec<(Variable, Option<String>)>> {
    let assign = |(name, value): (String, Value)| {
        let (place, variable) = variable(&name, "set")?;
        let value = match value {
            Value::Null => None,
            value => Some(scalar(value, &place)?),
        };
        Ok((variable, value))
    };
    object(value, "set")?.into_iter().map(assign).collect()
}

fn add(value: Value) -> Read<Vec<(Variable, i64)>> {
    let assign = |(name, value): (String, Value)| {
        let (place, variable) = variable(&name, "add")?;
        let by = value.as_i64().ok_or_else(|| format!("{place}: expected a whole number"))?;
        Ok((variable, by))
    };
    object(value, "add")?.into_iter().map(assign).collect()
}

/// The place of an assignment and its variable.
fn variable(name: &str, of: &str) -> Read<(String, Variable)> {
    let place = format!("{of}.{name}");
    match name.parse() {
        Ok(variable) => Ok((place, variable)),
        Err(()) => Err(format!(
            "{place}: not a variable (expected user.NAME, person.NAME, chat.NAME or bot.NAME)"
        )),
    }
}

fn later(value: Value) -> Read<Vec<Later>> {
    let one = |(n, value): (usize, Value)| {
        let at = format!("later[{n}]");
        let mut fields = object(value, &at)?;
        let (after, data) = (fields.remove("after"), fields.remove("data"));
        if let Some(other) = fields.keys().next() {
            return Err(unknown(&format!("{at}.{other}"), &["after", "data"]));
        }
        let place = format!("{at}.after");
        let after = text(after.unwrap_or(Value::Null), &place)?;
        let after = duration(&after)
            .ok_or_else(|| format!("{place}: not a valid duration (expected 30s, 5m, 2h, 1d)"))?;
        let data = data.unwrap_or(Value::Null);
        match data.to_string().len() {
            ..=LONGEST_DATA => Ok(Later { after, data }),
            size => Err(format!("{at}.data: {size} bytes, at most {LONGEST_DATA} are possible")),
        }
    };
    list(value, "later", MOST_LATER)?.into_iter().enumerate().map(one).collect()
}

/// A whole number with a unit.
fn duration(text: &str) -> Option<Duration> {
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit())?);
    let unit = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    let duration = Duration::from_millis(number.parse::<u64>().ok()?.checked_mul(unit)?);
    (duration <= LATEST).then_some(duration)
}

fn flow(value: Value) -> Read<Flow> {
    match text(value, "flow")?.as_str() {
        "stop" => Ok(Flow::Stop),
        "continue" => Ok(Flow::Continue),
        other => Err(format!("flow: \"{}\" is neither \"stop\" nor \"continue\"", short(other))),
    }
}

fn object(value: Value, at: &str) -> Read<Map<String, Value>> {
    match value {
        Value::Object(fields) => Ok(fields),
        other => Err(format!("{at}: expected an object, found {}", kind(&other))),
    }
}

fn list(value: Value, at: &str, most: usize) -> Read<Vec<Value>> {
    match value {
        Value::Array(items) if items.len() > most => {
            Err(format!("{at}: {} items, at most {most} are possible", items.len()))
        }
        Value::Array(items) => Ok(items),
        other => Err(format!("{at}: expected a list, found {}", kind(&other))),
    }
}

fn text(value: Value, at: &str) -> Read<String> {
    match value {
        Value::String(text) => Ok(text),
        other => Err(format!("{at}: expected a text, found {}", kind(&other))),
    }
}

fn flag(value: &Value, at: &str) -> Read<bool> {
    value.as_bool().ok_or_else(|| format!("{at}: expected true or false, found {}", kind(value)))
}

/// A text, or a number or flag as text: variables hold texts.
fn scalar(value: Value, at: &str) -> Read<String> {
    match value {
        Value::String(text) => Ok(text),
        Value::Number(number) => Ok(number.to_string()),
        Value::Bool(flag) => Ok(flag.to_string()),
        other => Err(format!("{at}: expected a text or a number, found {}", kind(&other))),
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

fn unknown(place: &str, known: &[&str]) -> String {
    format!("{}: unknown field (known: {})", short(place), known.join(", "))
}

/// A text of the handler in a message, not longer than people read.
fn short(text: &str) -> String {
    let text: String = text.chars().filter(|c| !mynah_core::is_unprintable(*c)).take(80).collect();
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(value: Value) -> Result<Answer, Failure> {
        let Value::Object(fields) = value else { panic!("an object") };
        Answer::read(fields)
    }

    #[test]
    fn all_fields_are_read() {
        let answer = read(json!({
            "id": "a#0", "reply": "hi",
            "actions": [
                {"send": {"text": "x", "at_sender": true, "quote": true}},
                {"send": {"text": "x", "to": "Shop"}},
                {"send": {"image": "cat.png"}},
                {"send": {"file": {"base64": "aGk=", "name": "a.txt"}}},
                {"accept": true},
                {"save_to": {"file": "a.csv", "row": ["x", 1, true]}},
            ],
            "set": {"user.a": "x", "chat.b": 2, "bot.c": null},
            "add": {"person.points": -1},
            "later": [{"after": "10m", "data": {"n": 1}}, {"after": "500ms"}],
            "flow": "continue",
        }))
        .expect("a good answer");
        assert_eq!(answer.actions.len(), 7);
        let file = Media::Bytes { name: "a.txt".to_owned(), bytes: b"hi".to_vec() };
        assert!(answer.actions.contains(&Wanted::Send {
            what: Sent::File(file),
            to: None,
            at_sender: false,
            quote: false
        }));
        let address = json!({"actions": [{"send": {"image": "HTTPS://a.test/cat.png"}}]});
        let url = Media::Url("HTTPS://a.test/cat.png".to_owned());
        let sent = read(address).expect("a good answer").actions.remove(0);
        assert!(matches!(sent, Wanted::Send { what: Sent::Image(media), .. } if media == url));
        assert_eq!((answer.set.len(), answer.add.len()), (3, 1));
        assert_eq!(answer.later[0].after, Duration::from_secs(600));
        assert_eq!(answer.flow, Some(Flow::Continue));
        assert_eq!(read(json!({})).expect("nothing to do"), Answer::default());
        let error = read(json!({"id": "a", "error": "no"})).expect_err("an error");
        assert_eq!(error, Failure::Error("no".to_owned()));
    }

    #[test]
    fn every_mistake_names_its_place() {
        let many = vec![json!({"send": {"text": "x"}}); MOST_ACTIONS + 1];
        let much = "x".repeat(LONGEST_DATA);
        for (answer, place) in [
            (json!({"replay": "x"}), "replay: unknown field"),
            (json!({"reply": 5}), "reply: expected a text, found a number"),
            (json!({"error": "x", "reply": "y"}), "reply: not beside error"),
            (json!({"actions": many}), "actions: 21 items"),
            (json!({"actions": {}}), "actions: expected a list"),
            (json!({"actions": [{"sned": {}}]}), "actions[0].sned: unknown field"),
            (json!({"actions": [{}]}), "actions[0]: expected one of"),
            (json!({"actions": [{"send": {}}]}), "actions[0].send: expected one of"),
            (json!({"actions": [{"send": {"text": "a", "file": "b"}}]}), "only one of"),
            (json!({"actions": [{"send": {"txt": "a"}}]}), "actions[0].send.txt: unknown"),
            (json!({"actions": [{"send": {"text": "a", "quote": 1}}]}), "send.quote: expected"),
            (json!({"actions": [{"send": {"image": "a", "quote": true}}]}), "need a text"),
            (
                json!({"actions": [{"send": {"image": "ftp://x/y"}}]}),
                "send.image: an address begins",
            ),
            (
                json!({"actions": [{"send": {"file": "file:///etc/passwd"}}]}),
                "send.file: an address",
            ),
            (json!({"actions": [{"send": {"image": {"base64": "!", "name": "a"}}}]}), "base64"),
            (json!({"actions": [{"send": {"file": {"base64": "", "name": "../a"}}}]}), ".name"),
            (json!({"actions": [{"kick": "Ann"}]}), "actions[0].kick: expected true"),
            (json!({"actions": [{"accept": 1}]}), "actions[0].accept: expected true"),
            (json!({"actions": [{"save_to": {"file": "x/y.csv", "row": []}}]}), "save_to.file"),
            (json!({"actions": [{"save_to": {"file": "y.csv", "row": [[]]}}]}), "row[0]"),
            (json!({"set": {"points": 1}}), "set.points: not a variable"),
            (json!({"set": {"user.a": []}}), "set.user.a: expected a text or a number"),
            (json!({"add": {"user.a": 1.5}}), "add.user.a: expected a whole number"),
            (json!({"later": [{"after": "soon"}]}), "later[0].after: not a valid duration"),
            (json!({"later": [{"after": "99999d"}]}), "later[0].after: not a valid duration"),
            (json!({"later": [{"aftr": "1s"}]}), "later[0].aftr: unknown field"),
            (json!({"later": [{"after": "1s", "data": much}]}), "later[0].data"),
            (json!({"flow": "go"}), "flow: \"go\" is neither"),
        ] {
            let told = read(answer.clone()).expect_err("a mistake").to_string();
            assert!(told.contains(place), "{answer}: {told}");
        }
    }
}

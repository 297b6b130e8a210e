//! The JSON Schemas of requests and answers.

use serde_json::{Value, json};

use crate::{MOST_ACTIONS, MOST_LATER, VERSION};

const DRAFT: &str = "https://json-schema.org/draft/2020-12/schema";

/// The names of variables.
const VARIABLE: &str = r"^(user|person|chat|bot)\..+$";

/// The JSON Schema of a request.
#[must_use]
pub fn request_schema() -> Value {
    let text = json!({"type": "string"});
    let texts = json!({"type": "object", "additionalProperties": {"type": "string"}});
    json!({
        "$schema": DRAFT,
        "title": "A request to a handler of Mynah",
        "type": "object",
        "properties": {
            "v": {"const": VERSION},
            "id": {"type": "string", "description": "The same on every try: the key to recognise a repetition."},
            "handler": text,
            "account": text,
            "event": event(),
            "captures": texts,
            "args": texts,
            "vars": texts,
            "seed": {"type": "integer", "description": "For random numbers; the same on every try."},
            "settings": texts,
        },
        "required": ["v", "id", "handler", "account", "event", "captures", "args", "vars", "seed", "settings"],
        "additionalProperties": false,
    })
}

/// The schema of the event of a request.
fn event() -> Value {
    let text = json!({"type": "string"});
    let person = json!({
        "type": "object",
        "properties": {"id": text, "name": text, "is_admin": {"type": "boolean"}},
        "required": ["id", "name"],
        "additionalProperties": false,
    });
    let chat = json!({
        "type": "object",
        "properties": {"id": text, "name": text, "group": {"type": "boolean"}},
        "required": ["id", "name", "group"],
        "additionalProperties": false,
    });
    let kinds = [
        "message",
        "due",
        "schedule",
        "started",
        "join",
        "leave",
        "rename",
        "friend_request",
        "pat",
        "red_packet",
        "recall",
        "raw",
    ];
    let segment = json!({
        "type": "object",
        "description": "A piece of the message, tagged by `is`; files have `path` for the time of the call if the handler sets `media`.",
        "properties": {"is": text},
        "required": ["is"],
    });
    json!({
        "type": "object",
        "properties": {
            "id": text,
            "kind": {"enum": kinds},
            "time": {"type": "string", "description": "In UTC, like 2026-11-29T12:42:38.425Z."},
            "chat": chat,
            "sender": person,
            "text": {"type": "string", "description": "Without mentions of the bot; empty for files."},
            "segments": {"type": "array", "items": segment},
            "called": {"type": "boolean", "description": "Whether the message calls the bot."},
            "people": {"type": "array", "items": person, "description": "Those who joined or left."},
            "data": {"description": "Of kind due: the data of the later call."},
        },
        "required": ["id", "kind", "time", "text", "called"],
        "additionalProperties": false,
    })
}

/// The JSON Schema of an answer.
#[must_use]
pub fn answer_schema() -> Value {
    let text = json!({"type": "string"});
    let value = json!({"type": ["string", "number", "boolean", "null"]});
    let later = json!({
        "type": "object",
        "properties": {"after": {"type": "string", "pattern": "^[0-9]+(ms|s|m|h|d)$"}, "data": {}},
        "required": ["after"],
        "additionalProperties": false,
    });
    json!({
        "$schema": DRAFT,
        "title": "An answer of a handler to Mynah",
        "oneOf": [
            {
                "type": "object",
                "properties": {"id": text, "error": text},
                "required": ["error"],
                "additionalProperties": false,
            },
            {
                "type": "object",
                "properties": {
                    "id": {"type": "string", "description": "That of the request; a service may leave it out."},
                    "reply": {"type": "string", "description": "Short for a first action {\"send\": {\"text\": …}}."},
                    "actions": {"type": "array", "maxItems": MOST_ACTIONS, "items": action()},
                    "set": {"type": "object", "patternProperties": {VARIABLE: value}, "additionalProperties": false},
                    "add": {"type": "object", "patternProperties": {VARIABLE: {"type": "integer"}}, "additionalProperties": false},
                    "later": {"type": "array", "maxItems": MOST_LATER, "items": later},
                    "flow": {"enum": ["stop", "continue"]},
                },
                "additionalProperties": false,
            },
        ],
    })
}

/// The schema of one action.
fn action() -> Value {
    let text = json!({"type": "string"});
    let media = json!({"oneOf": [
        {"type": "string", "description": "A path in the folder of the handler, or an http or https address at a public host, fetched when it is sent."},
        {
            "type": "object",
            "properties": {"base64": text, "name": text},
            "required": ["base64", "name"],
            "additionalProperties": false,
        },
    ]});
    let send = json!({
        "type": "object",
        "properties": {
            "text": text, "image": media, "file": media,
            "to": {"type": "string", "description": "The name or id of a chat; without it, the chat of the event."},
            "at_sender": {"type": "boolean"},
            "quote": {"type": "boolean"},
        },
        "oneOf": [{"required": ["text"]}, {"required": ["image"]}, {"required": ["file"]}],
        "additionalProperties": false,
    });
    let cell = json!({"type": ["string", "number", "boolean"]});
    let save = json!({
        "type": "object",
        "properties": {"file": {"type": "string", "pattern": "\\.csv$"}, "row": {"type": "array", "maxItems": 100, "items": cell}},
        "required": ["file", "row"],
        "additionalProperties": false,
    });
    json!({
        "type": "object",
        "properties": {
            "send": send,
            "accept": {"const": true, "description": "Accepts the friend request of the event."},
            "kick": {"const": true, "description": "Removes the sender, at a join those who joined; admins stay."},
            "invite_to": {"type": "string", "description": "Invites the same people into the group of this name."},
            "recall": {"const": true, "description": "Recalls the message of the event."},
            "save_to": save,
        },
        "minProperties": 1,
        "maxProperties": 1,
        "additionalProperties": false,
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// Whether a value fits a schema, as far as the keywords of these two go.
    fn fits(schema: &Value, value: &Value) -> bool {
        let Some(schema) = schema.as_object() else { return true };
        schema.iter().all(|(keyword, wanted)| match keyword.as_str() {
            "type" => types(wanted).any(|name| is_type(name, value)),
            "const" => value == wanted,
            "enum" => wanted.as_array().is_some_and(|all| all.contains(value)),
            "oneOf" => {
                let all = wanted.as_array().expect("a list");
                all.iter().filter(|one| fits(one, value)).count() == 1
            }
            "required" => {
                let mut names = wanted.as_array().expect("a list").iter();
                names.all(|name| value.get(name.as_str().expect("a name")).is_some())
            }
            "properties" => value.as_object().is_none_or(|fields| {
                fields.iter().all(|(name, field)| wanted.get(name).is_none_or(|of| fits(of, field)))
            }),
            "patternProperties" => value.as_object().is_none_or(|fields| {
                let (_, of) = wanted.as_object().and_then(|all| all.iter().next()).expect("one");
                fields.iter().all(|(name, field)| !is_variable(name) || fits(of, field))
            }),
            "additionalProperties" => value.as_object().is_none_or(|fields| {
                let known = |name: &str| {
                    let named = schema.get("properties").is_some_and(|all| all.get(name).is_some());
                    named || schema.contains_key("patternProperties") && is_variable(name)
                };
                let mut other = fields.iter().filter(|(name, _)| !known(name));
                other.all(|(_, field)| wanted.is_object() && fits(wanted, field))
            }),
            "items" => value.as_array().is_none_or(|all| all.iter().all(|one| fits(wanted, one))),
            "maxItems" => value
                .as_array()
                .is_none_or(|all| all.len() as u64 <= wanted.as_u64().expect("a number")),
            "minProperties" => value
                .as_object()
                .is_none_or(|all| all.len() as u64 >= wanted.as_u64().expect("a number")),
            "maxProperties" => value
                .as_object()
                .is_none_or(|all| all.len() as u64 <= wanted.as_u64().expect("a number")),
            "pattern" => value.as_str().is_none_or(|text| is_pattern(wanted, text)),
            "$schema" | "title" | "description" => true,
            other => panic!("{other} is not understood here"),
        })
    }

    fn types(wanted: &Value) -> Box<dyn Iterator<Item = &str> + '_> {
        match wanted {
            Value::Array(all) => Box::new(all.iter().filter_map(Value::as_str)),
            one => Box::new(one.as_str().into_iter()),
        }
    }

    fn is_type(name: &str, value: &Value) -> bool {
        match name {
            "string" => value.is_string(),
            "number" => value.is_number(),
            "integer" => value.is_i64() || value.is_u64(),
            "boolean" => value.is_boolean(),
            "null" => value.is_null(),
            "array" => value.is_array(),
            "object" => value.is_object(),
            other => panic!("{other} is no type"),
        }
    }

    fn is_variable(name: &str) -> bool {
        ["user.", "person.", "chat.", "bot."].iter().any(|owner| name.starts_with(owner))
    }

    fn is_pattern(pattern: &Value, text: &str) -> bool {
        match pattern.as_str() {
            Some("\\.csv$") => text.ends_with(".csv"),
            Some(_) => {
                text.starts_with(|c: char| c.is_ascii_digit())
                    && !text.contains(' ')
                    && text.ends_with(|c| "smhd".contains(c))
            }
            None => false,
        }
    }

    /// To renew them: `MYNAH_UPDATE_DOCS=1 cargo test -p mynah-programs --lib schema`.
    #[test]
    fn the_committed_schemas_are_those_of_the_program() {
        let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config");
        for (file, schema) in [
            ("handler-request.schema.json", request_schema()),
            ("handler-answer.schema.json", answer_schema()),
        ] {
            let text = serde_json::to_string_pretty(&schema).expect("JSON") + "\n";
            let path = config.join(file);
            if std::env::var_os("MYNAH_UPDATE_DOCS").is_some() {
                std::fs::write(&path, &text).expect("it is written");
            }
            let committed = std::fs::read_to_string(path).unwrap_or_default();
            assert!(committed == text, "config/{file} is out of date");
        }
    }

    /// The schema and the reader agree about each answer.
    #[test]
    fn an_answer_that_fits_the_schema_is_read_and_no_other() {
        let schema = answer_schema();
        let text = json!({"send": {"text": "x"}});
        for (answer, is_good) in [
            (json!({"id": "a", "reply": "x"}), true),
            (json!({}), true),
            (json!({"error": "x"}), true),
            (json!({"error": "x", "reply": "x"}), false),
            (json!({"error": 5}), false),
            (json!({"replay": "x"}), false),
            (json!({"reply": ["x"]}), false),
            (json!({"actions": [text.clone()]}), true),
            (json!({"actions": vec![text.clone(); MOST_ACTIONS]}), true),
            (json!({"actions": vec![text.clone(); MOST_ACTIONS + 1]}), false),
            (json!({"actions": [{}]}), false),
            (json!({"actions": [{"send": {"text": "x"}, "accept": true}]}), false),
            (json!({"actions": [{"send": {}}]}), false),
            (json!({"actions": [{"send": {"text": "x", "image": "y"}}]}), false),
            (json!({"actions": [{"send": {"text": "x", "to": "y", "at": true}}]}), false),
            (json!({"actions": [{"send": {"image": "a.png", "to": "y"}}]}), true),
            (json!({"actions": [{"send": {"image": "https://a.test/cat.png"}}]}), true),
            (json!({"actions": [{"send": {"file": {"base64": "aGk=", "name": "a"}}}]}), true),
            (json!({"actions": [{"send": {"file": {"base64": "aGk="}}}]}), false),
            (json!({"actions": [{"accept": true}]}), true),
            (json!({"actions": [{"accept": false}]}), false),
            (json!({"actions": [{"kick": {}}]}), false),
            (json!({"actions": [{"kick": true}, {"recall": true}, {"invite_to": "Shop"}]}), true),
            (json!({"actions": [{"invite_to": true}]}), false),
            (json!({"actions": [{"mute": true}]}), false),
            (json!({"actions": [{"save_to": {"file": "a.csv", "row": ["x", 1]}}]}), true),
            (json!({"actions": [{"save_to": {"file": "a.txt", "row": []}}]}), false),
            (json!({"set": {"user.a": 1, "chat.b": null}}), true),
            (json!({"set": {"a": 1}}), false),
            (json!({"set": {"user.a": {}}}), false),
            (json!({"add": {"user.a": 1}}), true),
            (json!({"add": {"user.a": "1"}}), false),
            (json!({"later": [{"after": "10m", "data": [1]}]}), true),
            (json!({"later": [{"after": "10 minutes"}]}), false),
            (json!({"later": [{"data": 1}]}), false),
            (json!({"flow": "continue"}), true),
            (json!({"flow": "go on"}), false),
        ] {
            assert_eq!(fits(&schema, &answer), is_good, "schema: {answer}");
            let Value::Object(fields) = answer.clone() else { panic!("an object") };
            let read = crate::answer::Answer::read(fields);
            let is_read = !matches!(read, Err(crate::Failure::Answer(_)));
            assert_eq!(is_read, is_good, "reader: {answer}: {read:?}");
        }
    }

    #[test]
    fn every_request_fits_the_schema() {
        use mynah_core::{
            Chat, Content, Due, Event, EventBody, EventId, MediaRef, Message, Notice, NoticeKind,
            Origin, Person, Segment, Timestamp,
        };

        let ann = Person::stranger("ann", "Ann");
        let chat = Chat::group("g", "Shop");
        let message = Message {
            id: "1".into(),
            chat: chat.clone(),
            sender: ann.clone(),
            origin: Origin::Person,
            content: Content::text("hi").with(Segment::Image(MediaRef::file("/tmp/cat.png"))),
            text: "hi".to_owned(),
            called: true,
            behind_name: None,
        };
        let due = |name: &str| {
            EventBody::Due(Due {
                key: "k".to_owned(),
                at: Timestamp::from_millis(0),
                chat: Some(chat.clone()),
                person: None,
                name: name.to_owned(),
                data: "{\"n\": 1}".to_owned(),
            })
        };
        let notice = |kind| EventBody::Notice(Notice { chat: chat.clone(), person: None, kind });
        let schema = request_schema();
        for (body, kind) in [
            (EventBody::Message(message), "message"),
            (due("weather"), "due"),
            (due("other"), "schedule"),
            (EventBody::Started, "started"),
            (notice(NoticeKind::Join { people: vec![ann.clone()] }), "join"),
            (notice(NoticeKind::Leave { people: vec![ann] }), "leave"),
            (notice(NoticeKind::Rename { name: "x".to_owned() }), "rename"),
            (notice(NoticeKind::Raw { kind: "x".to_owned(), text: "y".to_owned() }), "raw"),
            (notice(NoticeKind::RedPacket), "red_packet"),
        ] {
            let event = Event { id: EventId::new("e"), time: Timestamp::from_millis(0), body };
            let request = told(&event);
            assert!(fits(&schema, &request), "{request}");
            assert_eq!(request["event"]["kind"], kind);
            assert_eq!(request["event"]["data"].is_object(), kind == "due");
        }
        assert!(!fits(&schema, &json!({"v": 1})));
    }

    /// The request about an event.
    fn told(event: &mynah_core::Event) -> Value {
        use std::collections::BTreeMap;

        use crate::request::{Around, EventFields, Request};

        let files = [(1, "/tmp/x/1-cat.png".into())].into();
        let around = Around { handler: "weather", is_admin: false, files: &files };
        let request = Request {
            v: VERSION,
            id: "a/e#0",
            handler: "weather",
            account: "a",
            event: EventFields::of(event, &around),
            captures: &BTreeMap::new(),
            args: &BTreeMap::new(),
            vars: BTreeMap::new(),
            seed: 1,
            settings: &BTreeMap::new(),
        };
        serde_json::to_value(request).expect("JSON")
    }
}

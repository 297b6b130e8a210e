//! `fetch`: a request of a rule, as checked. At run time it becomes a [`FetchRequest`] by the values of its names.
//!
//! Texts of people never decide where a request goes: scheme, host and port are fixed at load, and a name is written in the
//! rest of the address percent-encoded, in JSON as a value, in a header without control characters.

mod render;
pub(crate) mod take;
mod text;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use mynah_matching::template::Template;

pub(crate) use render::Unsent;
pub(crate) use take::Take;
pub(crate) use text::{NamedText, bare_percent, blanked, canonical_url, secret_in_braces};

/// So many requests belong to one message at most.
pub(crate) const MOST_FETCHES: usize = 3;

/// The most characters of an address.
pub(crate) const LONGEST_URL: usize = 8_000;

/// A request as written and checked.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Fetching {
    /// The method, in upper case.
    pub(crate) method: String,
    /// The address, whose names and secrets stand behind the host.
    pub(crate) url: NamedText,
    /// Headers by their names.
    pub(crate) headers: Vec<(String, NamedText)>,
    /// The body.
    pub(crate) body: Option<Body>,
    /// What is taken of the answer, by the names of captures.
    pub(crate) take: Vec<(String, Take)>,
    /// The longest time until the whole answer is here.
    pub(crate) timeout: Duration,
    /// How long the answer counts for equal requests.
    pub(crate) cache: Option<Duration>,
    /// The statuses of a good answer, as ranges; empty means 200 to 299.
    pub(crate) status: Vec<(u16, u16)>,
    /// Said if there is no good answer.
    pub(crate) reply: Option<Template>,
}

/// A body.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Body {
    /// A text.
    Text(NamedText),
    /// A text in which names are percent-encoded.
    Form(NamedText),
    /// JSON.
    Json(Json),
}

/// A value of JSON whose texts have names.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Json {
    /// A text.
    Text(NamedText),
    /// A number or a flag.
    Fixed(serde_json::Value),
    /// A list.
    List(Vec<Json>),
    /// A table.
    Table(Vec<(String, Json)>),
}

impl Fetching {
    /// The names of the captures that it takes out of the answer.
    pub(crate) fn taken(&self) -> impl Iterator<Item = &str> {
        self.take.iter().map(|(name, _)| name.as_str())
    }

    /// Scheme, host and port: they hold no names.
    pub(crate) fn origin(&self) -> &str {
        let fixed = self.url.begin();
        let host = fixed.find("://").map_or(0, |at| at + 3);
        let end = fixed[host..].find(['/', '?']).map_or(fixed.len(), |at| host + at);
        &fixed[..end]
    }

    /// Method and address up to the first name or secret, as they are sent.
    pub(crate) fn fixed_line(&self) -> String {
        format!("{} {}", self.method, render::canonical(self.url.begin()))
    }

    /// Host and port.
    pub(crate) fn host(&self) -> &str {
        self.origin().split_once("://").map_or("", |(_, host)| host)
    }
}

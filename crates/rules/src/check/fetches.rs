//! `fetch`: the request of a rule, a dialog or a schedule.

use std::borrow::Cow;
use std::time::Duration;

use mynah_core::{FetchFailure, FetchRequest, FetchText, RESERVED_HEADERS};
use mynah_matching::template::{Template, Values, is_name};
use mynah_reader::{Entry, Node, Value};

use super::names::Names;
use super::variables::{assignments, plain_text};
use super::{Checker, Fields, Text};
use crate::fetching::{
    Body, Fetching, Json, LONGEST_URL, NamedText, Take, Unsent, bare_percent, blanked,
    secret_in_braces,
};
use crate::keys::Table;
use crate::model::{WebAddress, WebMedia};
use crate::problem::{BadFetch, BadValue, Capture, Conflict, Problem, Wanted};
use crate::sources::Spot;

/// How long an answer is waited for, unless the request says so.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The longest time that a request may wait: its chat waits as long.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(30);

/// Every name has a value: to judge a request before there are any.
struct Sample;

impl Values for Sample {
    fn value(&self, _: &str) -> Option<Cow<'_, str>> {
        Some("x".into())
    }
}

impl Checker<'_> {
    /// The request of a table, and the names that its actions know.
    pub(super) fn fetch(
        &mut self,
        fields: &Fields<'_>,
        names: &Names,
    ) -> (Option<Box<Fetching>>, Names) {
        if fields.has("fetch_reply") && !fields.may_have("fetch") {
            let without = Conflict::ReplyWithout { reply: "fetch_reply", brake: "fetch" };
            self.conflict(fields, "fetch_reply", without);
        }
        let reply = self.template_of(fields, "fetch_reply", names);
        let Some((node, spot)) = fields.table("fetch") else {
            let is_known = !fields.is_unreadable("fetch");
            return (None, if is_known { names.clone() } else { names.clone().partial() });
        };
        let request = Fields::read(Table::Fetch, node, spot, self.report);
        self.needs(&request, &["url"]);
        let url = self.fetch_url(&request, names);
        let headers = self.fetch_headers(&request, names);
        let body = self.fetch_body(&request, &headers, names);
        let take = self.fetch_take(&request, names);
        let mut known = names.clone();
        take.iter().for_each(|(name, _)| known.add_taken(name));
        let has_all = url.is_some()
            && body.is_some() == request.has("body")
            && headers.len() == assignments(&request, "headers").len();
        if !has_all && self.report.is_clean() {
            // A request without one of its parts must never be sent, whatever the reason.
            self.say(Problem::Fetch(BadFetch::NotRead), request.spot.clone());
        }
        if request.is_partly_unknown() {
            known = known.partial();
        }
        let fetching = Fetching {
            method: self.fetch_method(&request),
            headers,
            body,
            take,
            timeout: self.fetch_timeout(&request),
            cache: self.duration_of(&request, "cache"),
            status: self.fetch_status(&request),
            reply,
            url: match url {
                Some(url) => url,
                None => return (None, known),
            },
        };
        if let Some(text) = request.text("url") {
            self.is_opened(&fetching, &text.spot);
        }
        (Some(Box::new(fetching)), known)
    }

    fn fetch_method(&mut self, request: &Fields<'_>) -> String {
        let default = if request.has("body") { "POST" } else { "GET" };
        let method = self.word(request, "method").unwrap_or(default);
        if method == "GET" && request.has("body") {
            self.conflict(request, "body", Conflict::BodyOfGet);
        }
        method.to_owned()
    }

    fn fetch_timeout(&mut self, request: &Fields<'_>) -> Duration {
        let timeout = self.duration_of(request, "timeout").unwrap_or(TIMEOUT);
        if timeout > LONGEST_TIMEOUT
            && let Some(text) = request.text("timeout")
        {
            let most = LONGEST_TIMEOUT.as_secs();
            self.say(Problem::Fetch(BadFetch::Timeout { most }), text.spot);
        }
        timeout.min(LONGEST_TIMEOUT)
    }

    fn fetch_url(&mut self, request: &Fields<'_>, names: &Names) -> Option<NamedText> {
        let text = request.text("url")?;
        if self.is_blank("url", &text) {
            return None;
        }
        let text = Text { text: text.text.trim(), ..text };
        let url = self.named_text(&text, names)?;
        if let Err(bad) = is_address(text.text, url.begin()) {
            self.say(Problem::Fetch(bad), text.spot);
            return None;
        }
        self.has_whole_percents(&text).then_some(url)
    }

    /// Says if a `%` is bare in a text that is percent-encoded.
    fn has_whole_percents(&mut self, text: &Text<'_>) -> bool {
        let Some(at) = bare_percent(text.text) else { return true };
        let spot = self.inside(text, &(at..at + 1));
        self.say(Problem::Fetch(BadFetch::Percent), spot);
        false
    }

    /// A text with names and secrets.
    fn named_text(&mut self, text: &Text<'_>, names: &Names) -> Option<NamedText> {
        if let Some(place) = secret_in_braces(text.text) {
            let bad = BadFetch::SecretInBraces { secret: text.text[place.clone()].to_owned() };
            let spot = self.inside(text, &place);
            self.say(Problem::Fetch(bad), spot);
            return None;
        }
        let plain = blanked(text.text);
        let spot = text.spot.clone();
        self.template_or_nothing(&Text { text: &plain, spot }, names)?;
        let named = match NamedText::parse(text.text) {
            Ok(named) => named,
            Err(error) => {
                self.say(Problem::Template(error.kind), text.spot.clone());
                return None;
            }
        };
        if let Some(name) = named.secrets().find(|name| names.is_captured(name)) {
            let bad = BadFetch::SecretIsCapture { name: name.to_owned() };
            self.say(Problem::Fetch(bad), text.spot.clone());
            return None;
        }
        Some(named)
    }

    fn fetch_headers(&mut self, request: &Fields<'_>, names: &Names) -> Vec<(String, NamedText)> {
        let mut headers = Vec::new();
        for one in assignments(request, "headers") {
            let name = one.name.clone();
            let spot = request.at(one.place.clone());
            let is_token = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
            if name.is_empty() || !name.chars().all(is_token) {
                self.say(Problem::Fetch(BadFetch::Header { name }), spot);
                continue;
            }
            let lower = name.to_ascii_lowercase();
            if RESERVED_HEADERS.contains(&lower.as_str()) || lower.starts_with("proxy-") {
                self.say(Problem::Fetch(BadFetch::OwnHeader { name }), spot);
                continue;
            }
            let Some(text) = self.text_of(request, one.node, &name) else { continue };
            let spot = request.at(one.node.span.clone());
            if text.chars().any(char::is_control) {
                self.say(Problem::Fetch(BadFetch::HeaderBreak { name }), spot);
                continue;
            }
            let text = self.named_text(&Text { text: &text, spot }, names);
            headers.extend(text.map(|text| (name, text)));
        }
        headers
    }

    /// A text, number or flag as text.
    fn text_of(&mut self, request: &Fields<'_>, node: &Node, name: &str) -> Option<String> {
        let plain = plain_text(&node.value);
        if plain.is_none() && !matches!(node.value, Value::Unreadable) {
            self.wrong_value(name, Wanted::Text, &node.value, request.at(node.span.clone()));
        }
        plain
    }

    fn fetch_body(
        &mut self,
        request: &Fields<'_>,
        headers: &[(String, NamedText)],
        names: &Names,
    ) -> Option<Body> {
        let Entry { node, .. } = request.entry("body")?;
        let Some(text) = request.text("body") else {
            return self.json(request, node, names).map(Body::Json);
        };
        let content = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        let content = content.map(|(_, text)| text.begin().trim().to_ascii_lowercase());
        let is_json = content.as_deref().is_some_and(|content| content.contains("json"));
        if is_json_with_names(text.text, is_json) {
            self.say(Problem::Fetch(BadFetch::JsonText), text.spot);
            return None;
        }
        let named = self.named_text(&text, names)?;
        let is_form =
            content.is_some_and(|content| content.starts_with("application/x-www-form-urlencoded"));
        if is_form {
            return self.has_whole_percents(&text).then_some(Body::Form(named));
        }
        Some(Body::Text(named))
    }

    /// A value that becomes JSON.
    fn json(&mut self, request: &Fields<'_>, node: &Node, names: &Names) -> Option<Json> {
        let spot = request.at(node.span.clone());
        Some(match &node.value {
            Value::Text(text) => Json::Text(self.named_text(&Text { text, spot }, names)?),
            Value::Integer(number) => Json::Fixed((*number).into()),
            Value::Float(number) => Json::Fixed((*number).into()),
            Value::Flag(flag) => Json::Fixed((*flag).into()),
            Value::List(items) => {
                let items: Vec<_> =
                    items.iter().map(|item| self.json(request, item, names)).collect();
                Json::List(items.into_iter().collect::<Option<_>>()?)
            }
            Value::Table(table) => {
                let entry = |entry: &Entry, checker: &mut Self| {
                    let value = checker.json(request, &entry.node, names)?;
                    Some((entry.key.clone(), value))
                };
                let entries: Vec<_> = table.entries.iter().map(|one| entry(one, self)).collect();
                Json::Table(entries.into_iter().collect::<Option<_>>()?)
            }
            value @ Value::Date => {
                self.wrong_value("body", Wanted::Text, value, spot);
                return None;
            }
            Value::Unreadable => return None,
        })
    }

    fn fetch_take(&mut self, request: &Fields<'_>, names: &Names) -> Vec<(String, Take)> {
        let mut taken = Vec::new();
        for one in assignments(request, "take") {
            let name = one.name.clone();
            let spot = request.at(one.place.clone());
            if super::names::is_built_in(&name) {
                self.say(Problem::Capture(Capture::BuiltIn { name }), spot);
                continue;
            }
            if !is_name(&name) || name.contains('.') {
                self.say(Problem::Value(BadValue::Name(name)), spot);
                continue;
            }
            if names.is_captured(&name) {
                self.say(Problem::Fetch(BadFetch::TakenTwice { name }), spot);
                continue;
            }
            let Some(written) = self.text_of(request, one.node, &name) else { continue };
            match Take::parse(written.trim()) {
                Some(take) => taken.push((name, take)),
                None => {
                    let bad = BadFetch::Pointer { found: written };
                    self.say(Problem::Fetch(bad), request.at(one.node.span.clone()));
                    // The name is known all the same.
                    taken.push((name, Take::Text));
                }
            }
        }
        taken
    }

    fn fetch_status(&mut self, request: &Fields<'_>) -> Vec<(u16, u16)> {
        let Some(entry) = request.entry("status") else { return Vec::new() };
        let written = plain_text(&entry.node.value).unwrap_or_default();
        statuses(&written).unwrap_or_else(|| {
            let bad = BadFetch::Status { found: written };
            self.say(Problem::Fetch(bad), request.at(entry.node.span.clone()));
            Vec::new()
        })
    }

    /// A picture or file at an address of the web: fixed, or exactly one value that is taken out of an answer. `None` if the
    /// text means a file beside the rule file.
    pub(super) fn web_media(
        &mut self,
        text: &Text<'_>,
        is_image: bool,
        names: &Names,
    ) -> Option<Result<WebMedia, ()>> {
        let written = text.text.trim();
        let template = Template::parse(written).ok();
        let name = template.as_ref().and_then(|template| template.only_name());
        let has_scheme = written.contains("://");
        if name.is_none() && !has_scheme {
            return None;
        }
        let bad = match name {
            Some(name) if names.is_taken(name) => {
                let address = WebAddress::Taken(name.to_owned());
                return Some(Ok(WebMedia { is_image, address }));
            }
            None if !written.contains(['{', '}', '$']) => match is_address(written, written) {
                Ok(()) => self.refused_media(written),
                Err(bad) => Some(bad),
            },
            _ => Some(BadFetch::NamedMedia { found: written.to_owned() }),
        };
        if let Some(bad) = bad {
            self.say(Problem::Fetch(bad), text.spot.clone());
            return Some(Err(()));
        }
        let address = WebAddress::Fixed(written.to_owned());
        Some(Ok(WebMedia { is_image, address }))
    }

    /// The reason why the client does not fetch media from a fixed address, where its settings are known. Public hosts need
    /// not be opened for that.
    fn refused_media(&self, address: &str) -> Option<BadFetch> {
        let request = FetchRequest {
            method: "GET".to_owned(),
            url: FetchText::plain(address),
            headers: Vec::new(),
            body: None,
            timeout: TIMEOUT,
            cache: None,
            status: Vec::new(),
            idempotency_key: None,
        };
        match self.around.options.fetch?.check(&request).err()? {
            FetchFailure::PrivateNotAllowed(host) => Some(BadFetch::PrivateMedia { host }),
            FetchFailure::HostNotAllowed(_) => None,
            other => Some(BadFetch::refused(&other)),
        }
    }

    /// Says if the operator did not open the host, or did not give it the secrets, where that is known.
    fn is_opened(&mut self, fetching: &Fetching, spot: &Spot) {
        if let Err(unsent) = fetching.fits(&Sample) {
            let bad = match unsent {
                Unsent::TooLong => BadFetch::TooLong { most: LONGEST_URL },
                Unsent::Dots => BadFetch::Dots,
            };
            return self.say(Problem::Fetch(bad), spot.clone());
        }
        let request = match fetching.request(&Sample) {
            Ok(request) => request,
            Err(failure) => {
                return self.say(Problem::Fetch(BadFetch::refused(&failure)), spot.clone());
            }
        };
        let Some(client) = self.around.options.fetch else { return };
        let Err(failure) = client.check(&request) else { return };
        let bad = match failure {
            FetchFailure::HostNotAllowed(host) => BadFetch::NotOpened { host, list: "hosts" },
            FetchFailure::PrivateNotAllowed(host) => BadFetch::NotOpened { host, list: "private" },
            FetchFailure::SecretRefused { name, host } => BadFetch::NotGiven { name, host },
            other => BadFetch::refused(&other),
        };
        self.say(Problem::Fetch(bad), spot.clone());
    }
}

impl BadFetch {
    /// The client does not send it.
    fn refused(failure: &FetchFailure) -> Self {
        let words = failure.words();
        Self::Refused { en: words.en.into_owned(), zh: words.zh.into_owned() }
    }
}

/// Whether a text is an address of the web whose host is fixed; `fixed` is its part before the first name or secret.
fn is_address(text: &str, fixed: &str) -> Result<(), BadFetch> {
    let bad = || BadFetch::Address { found: text.to_owned() };
    let (scheme, rest) = fixed.split_once("://").ok_or_else(bad)?;
    if !matches!(scheme.to_ascii_lowercase().as_str(), "http" | "https") {
        return Err(bad());
    }
    let is_whole = fixed == text;
    let host = match rest.find(['/', '?', '#']) {
        Some(end) => &rest[..end],
        None if is_whole => rest,
        None => return Err(BadFetch::NamedHost { found: text.to_owned() }),
    };
    if host.contains('@') {
        return Err(BadFetch::UserInfo);
    }
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if !port.ends_with(']') => (name, Some(port)),
        _ => (host, None),
    };
    let is_port = |port: &str| port.parse::<u16>().is_ok_and(|port| port > 0);
    let is_strange = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '\\' | '%' | '{');
    let shown = |part: &str| part.escape_debug().to_string();
    if name.is_empty() || name.contains(is_strange) {
        return Err(BadFetch::Host { found: shown(name) });
    }
    if let Some(port) = port.filter(|port| !is_port(port)) {
        return Err(BadFetch::Port { found: shown(port) });
    }
    if text.contains('#') { Err(BadFetch::Fragment) } else { Ok(()) }
}

/// Whether a text is JSON in which names stand, or in which its own braces would be names. `{text}` alone is a name.
fn is_json_with_names(text: &str, is_json: bool) -> bool {
    let template = Template::parse(&blanked(text));
    let begins_json = text.trim_start().starts_with(['{', '[', '"']);
    match template {
        Err(_) => begins_json,
        Ok(template) => {
            let is_one_name = !is_json
                && text.trim_start().starts_with('{')
                && template.begin().trim().is_empty();
            template.names().next().is_some() && (is_json || begins_json) && !is_one_name
        }
    }
}

/// Statuses and ranges of them: `200-299, 404`.
fn statuses(written: &str) -> Option<Vec<(u16, u16)>> {
    let number =
        |text: &str| text.trim().parse::<u16>().ok().filter(|status| (100..=599).contains(status));
    let one = |part: &str| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (number(first)?, number(last)?);
        (first <= last).then_some((first, last))
    };
    super::values::plain(written).split(',').map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_of_an_address_is_fixed() {
        let judge = |text: &str| {
            let named = NamedText::parse(text).expect("a text");
            is_address(text, named.begin())
        };
        for good in [
            "https://api.example.com/w?q={city}",
            "HTTP://127.0.0.1:8000/{x}",
            "https://api.example.com",
            "https://[2001:db8::1]:8443/?k=${KEY}",
            "https://例子.测试/{x}",
        ] {
            assert_eq!(judge(good), Ok(()), "{good}");
        }
        for named in [
            "https://{host}/x",
            "https://api.example.com{x}",
            "https://a.example:{port}/",
            "https://${KEY}.example/",
        ] {
            assert_eq!(judge(named), Err(BadFetch::NamedHost { found: named.to_owned() }));
        }
        for bad in ["{url}", "ftp://a.example/", "a.example/x"] {
            assert_eq!(judge(bad), Err(BadFetch::Address { found: bad.to_owned() }));
        }
        for (bad, host) in [
            ("https:///x", ""),
            ("https://a b/", "a b"),
            ("https://a%2eb/", "a%2eb"),
            ("https://a\\b/", "a\\\\b"),
            ("https://a\tb/{k}", "a\\tb"),
        ] {
            assert_eq!(judge(bad), Err(BadFetch::Host { found: host.to_owned() }));
        }
        for port in ["0", "99999", "x", ""] {
            let bad = format!("https://api.example.com:{port}/{{k}}");
            assert_eq!(judge(&bad), Err(BadFetch::Port { found: port.to_owned() }));
        }
        assert_eq!(judge("https://me:pw@a.example/"), Err(BadFetch::UserInfo));
        assert_eq!(judge("https://a.example/#{x}"), Err(BadFetch::Fragment));
    }

    #[test]
    fn statuses_are_numbers_and_ranges() {
        assert_eq!(statuses("404"), Some(vec![(404, 404)]));
        assert_eq!(statuses("200-299， 404"), Some(vec![(200, 299), (404, 404)]));
        for bad in ["", "2xx", "99", "299-200", "700"] {
            assert_eq!(statuses(bad), None, "{bad}");
        }
    }
}

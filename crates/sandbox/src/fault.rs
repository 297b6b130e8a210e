//! Faults on request, to test how a client handles them.

mod corrupt;
mod inject;
mod skeleton;

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

pub(crate) use inject::inject;

/// One fault: its kind, the calls that it affects, and how often.
///
/// ```
/// # use mynah_sandbox::Fault;
/// let fault: Fault = serde_json::from_str(r#"{"path": "webwxsync", "fault": "status", "value": 502, "times": 3}"#)?;
/// assert_eq!(fault.times, Some(3));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// The endpoint: a segment of its path (`webwxsync`, `login`, `jslogin`, `qrcode`), a whole path, or `*` for all.
    pub path: String,
    /// The kind of the fault.
    pub fault: FaultKind,
    /// A parameter; its meaning depends on the kind.
    #[serde(default)]
    pub value: Value,
    /// The number of calls that it affects: once if absent, until it is cleared if `None` (in JSON `null` or 0).
    #[serde(default = "once", deserialize_with = "times")]
    pub times: Option<u64>,
    /// The number of calls that pass before the first affected one.
    #[serde(default)]
    pub after: u64,
}

/// The kind of a fault. JSON and TOML use the names in `snake_case`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FaultKind {
    /// The call takes effect, but the answer is late: `value` in seconds, or as `"1.5s"` or `"200ms"`. Numbers from
    /// 100 on are milliseconds.
    Delay,
    /// The sandbox never answers.
    Hang,
    /// The HTTP status `value` (502 if absent) with an HTML page; the call has no effect.
    Status,
    /// The connection is reset: before the call takes effect, or (`value` = `"body"`) in the middle of the answer.
    Reset,
    /// The call takes effect, then the connection is reset without an answer.
    #[serde(alias = "lost_answer")]
    Lost,
    /// The call takes effect, then the connection is closed in the middle of the answer.
    Cut,
    /// The answer comes in small pieces, with a pause of `value` (as for `delay`) between them.
    Slow,
    /// The answer is random bytes; the call has no effect.
    Garbage,
    /// The answer is an HTML page with status 200; the call has no effect.
    Html,
    /// The answer is empty, with status 200; the call has no effect.
    Empty,
    /// The answer is the text `value` with status 200; the call has no effect.
    Body,
    /// The answer has the code `value` (-1 if absent) and its other fields are empty or zero; the call has no effect.
    Retcode,
    /// `synccheck` answers with this selector at once.
    Selector,
    /// Numbers become strings and strings numbers: in the fields named by `value` (one or a list), else in all
    /// fields.
    #[serde(alias = "wrong_types")]
    Types,
    /// The fields named by `value` are missing, else all but `BaseResponse`.
    #[serde(alias = "missing_fields")]
    Missing,
    /// The fields named by `value` are null, else all but `BaseResponse`.
    Null,
    /// Texts contain bytes that are not valid UTF-8.
    Utf8,
    /// `webwxsync` delivers every message twice; any other call is carried out twice.
    #[serde(alias = "duplicates")]
    Duplicate,
    /// `webwxsync` delivers earlier entries again: `value` entries, else all entries of the session.
    #[serde(alias = "redelivery")]
    Redeliver,
    /// The answer of `webwxsync` carries the key of the request, so the next call gets the same entries again.
    StaleKey,
    /// The poll reports the login code as expired.
    Expired,
    /// A send is acknowledged but dropped, and the "too often" line arrives in its place.
    Throttled,
}

fn once() -> Option<u64> {
    Some(1)
}

fn times<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    Ok(Option::<u64>::deserialize(deserializer)?.filter(|times| *times > 0))
}

impl Fault {
    /// A fault that affects one call.
    pub fn new(path: &str, fault: FaultKind) -> Self {
        Self { path: path.to_owned(), fault, value: Value::Null, times: Some(1), after: 0 }
    }

    /// Sets the parameter.
    #[must_use]
    pub fn value(mut self, value: impl Into<Value>) -> Self {
        self.value = value.into();
        self
    }

    /// Sets the number of affected calls.
    #[must_use]
    pub fn times(mut self, times: u64) -> Self {
        self.times = Some(times);
        self
    }

    /// Affects every call until it is cleared.
    #[must_use]
    pub fn always(mut self) -> Self {
        self.times = None;
        self
    }

    /// Sets the number of calls that pass first.
    #[must_use]
    pub fn after(mut self, calls: u64) -> Self {
        self.after = calls;
        self
    }

    /// Reads a fault file: TOML with one `[[fault]]` table per fault.
    ///
    /// # Errors
    ///
    /// Fails if the text is not valid TOML or names an unknown fault.
    pub fn from_toml(text: &str) -> Result<Vec<Self>, FaultFileError> {
        let file: FaultFile = toml::from_str(text)?;
        Ok(file.fault)
    }

    /// Returns an error message if `value` is not valid for this kind of fault.
    pub(crate) fn value_error(&self) -> Option<String> {
        let number = crate::request::number_of(&self.value);
        let expected = match self.fault {
            _ if self.value.is_null() => return None,
            FaultKind::Status if !number.is_some_and(|it| (200..=599).contains(&it)) => {
                "an HTTP status, 200 to 599"
            }
            FaultKind::Body if !self.value.is_string() => "a text",
            FaultKind::Retcode | FaultKind::Selector if number.is_none() => "a number",
            FaultKind::Delay | FaultKind::Slow if self.given_time().is_none() => {
                "a time: seconds, \"1.5s\" or \"200ms\""
            }
            _ => return None,
        };
        Some(format!("\"value\" {} is not {expected}", self.value))
    }

    fn hits(&self, path: &str) -> bool {
        self.path == "*"
            || self.path == path
            || path.split('/').any(|part| !part.is_empty() && part == self.path)
    }

    /// The duration in `value`.
    fn time(&self, default: Duration) -> Duration {
        self.given_time().unwrap_or(default)
    }

    fn given_time(&self) -> Option<Duration> {
        let seconds = |text: &str| -> Option<f64> {
            match text.strip_suffix("ms") {
                Some(number) => number.trim().parse::<f64>().ok().map(|number| number / 1000.0),
                None => text.trim_end_matches('s').trim().parse().ok(),
            }
        };
        let seconds = match &self.value {
            Value::Number(number) => {
                number.as_f64().map(|it| if it >= 100.0 { it / 1000.0 } else { it })
            }
            Value::String(text) => seconds(text),
            _ => None,
        };
        seconds.and_then(|it| Duration::try_from_secs_f64(it).ok())
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FaultFile {
    #[serde(default)]
    fault: Vec<Fault>,
}

/// A fault file that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("read the fault file")]
pub struct FaultFileError(#[from] toml::de::Error);

/// The pending faults, the oldest first.
#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<Fault>);

impl Faults {
    pub(crate) fn new(faults: Vec<Fault>) -> Self {
        Self(faults)
    }

    pub(crate) fn add(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    pub(crate) fn list(&self) -> &[Fault] {
        &self.0
    }

    /// Counts the call and returns the fault that affects it, if any.
    fn next_for(&mut self, path: &str) -> Option<Fault> {
        let at = self.0.iter_mut().position(|fault| {
            let hit = fault.hits(path);
            let passes = hit && fault.after > 0;
            fault.after -= u64::from(passes);
            hit && !passes
        })?;
        let fault = self.0[at].clone();
        match &mut self.0[at].times {
            Some(1) => _ = self.0.remove(at),
            Some(times) => *times -= 1,
            None => {}
        }
        Some(fault)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn faults_affect_the_given_number_of_calls() {
        let mut faults = Faults::new(vec![
            Fault::new("webwxsync", FaultKind::Status).times(2).after(1),
            Fault::new("webwxsync", FaultKind::Html).always(),
        ]);
        let hit = |faults: &mut Faults, path: &str| faults.next_for(path).map(|fault| fault.fault);
        let sync = "/cgi-bin/mmwebwx-bin/webwxsync";
        assert_eq!(hit(&mut faults, "/jslogin"), None);
        let expected = [
            FaultKind::Html,
            FaultKind::Status,
            FaultKind::Status,
            FaultKind::Html,
            FaultKind::Html,
        ];
        for kind in expected {
            assert_eq!(hit(&mut faults, sync), Some(kind));
        }
    }

    #[test]
    fn paths() {
        for (path, call, hits) in [
            ("login", "/cgi-bin/mmwebwx-bin/login", true),
            ("login", "/jslogin", false),
            ("*", "/jslogin", true),
            ("/", "/", true),
            ("/", "/jslogin", false),
            ("qrcode", "/qrcode/abc==", true),
            ("/cgi-bin/mmwebwx-bin/synccheck", "/cgi-bin/mmwebwx-bin/synccheck", true),
            ("", "/jslogin", false),
        ] {
            assert_eq!(Fault::new(path, FaultKind::Html).hits(call), hits, "{path} {call}");
        }
    }

    #[test]
    fn times_in_values() {
        for (value, milliseconds) in [
            (json!(2), 2000),
            (json!(0.25), 250),
            (json!(1500), 1500),
            (json!("1.5s"), 1500),
            (json!("200ms"), 200),
            (json!(null), 7),
            (json!("soon"), 7),
            (json!(-1), 7),
        ] {
            let fault = Fault::new("*", FaultKind::Delay).value(value.clone());
            assert_eq!(fault.time(Duration::from_millis(7)).as_millis(), milliseconds, "{value}");
        }
    }

    #[test]
    fn files_and_json() {
        let text = "[[fault]]\npath = 'webwxsync'\nfault = 'retcode'\nvalue = 1101\n\n[[fault]]\npath='*'\nfault='hang'\ntimes=0";
        let faults = Fault::from_toml(text).unwrap();
        assert_eq!((faults[0].times, faults[1].times), (Some(1), None));
        assert!(Fault::from_toml("[[fault]]\npath='a'\nfault='strange'").is_err());
        let fault: Fault =
            serde_json::from_value(json!({"path": "a", "fault": "lost", "times": null})).unwrap();
        assert_eq!((fault.fault, fault.times), (FaultKind::Lost, None));
    }
}

//! Faults that the sandbox commits on request.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One fault: what goes wrong, on which calls, how often.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// The endpoint, as the last part of its path (`webwxsync`, `login`, `jslogin`), a whole path, or `*` for all.
    pub path: String,
    /// What goes wrong.
    pub fault: FaultKind,
    /// More about it; what it means depends on the kind.
    #[serde(default)]
    pub value: Value,
    /// How many calls it hits; `None` (in JSON `null` or 0): until it is cleared. Once if absent.
    #[serde(default = "once")]
    pub times: Option<u64>,
}

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FaultKind {
    /// An HTTP status (`value`, 502 if absent) with an HTML page; the call has no effect.
    Status,
}

#[expect(clippy::unnecessary_wraps, reason = "serde wants the field's own type")]
fn once() -> Option<u64> {
    Some(1)
}

/// A fault file that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("read the fault file")]
pub struct FaultFileError(#[source] toml::de::Error);

//! The JSON of an answer.

use serde::Serialize;

use crate::view::Problem;

/// The JSON of an answer, or the reason for its absence.
pub(crate) type Answered = Result<String, Problem>;

/// Writes an answer as JSON. All answers have text keys and plain values, so this only fails with the call itself.
pub(crate) fn answered(answer: Result<impl Serialize, Problem>) -> Answered {
    let json = serde_json::to_string(&answer?);
    json.map_err(|error| Problem::Refused(error.to_string()))
}

//! Why a rule answered, and why every earlier one did not.

use std::time::Duration;

use mynah_core::{FetchNote, Quiet};

use crate::decision::RuleRef;
use crate::dialog::OpenDialog;

/// Receives a report on each rule that was looked at, in order. A decision without a trace does none of this work.
pub trait Trace {
    /// That rule was looked at.
    fn looked_at(&mut self, rule: &RuleRef, verdict: Verdict);

    /// The rule that is reported next fails, but nearly matched: the text has something that it asks for.
    fn nearly(&mut self, rule: &RuleRef) {
        let _ = rule;
    }
}

/// The same trace, if there is one, for a part of the search.
pub(crate) fn for_a_part<'s>(trace: &'s mut Option<&mut dyn Trace>) -> Option<&'s mut dyn Trace> {
    match trace {
        Some(trace) => Some(&mut **trace),
        None => None,
    }
}

/// The outcome of a rule that was looked at.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// It is switched off.
    Off,
    /// A condition failed: the first that did.
    Failed(Failed),
    /// It matched, and a brake holds.
    Quiet {
        /// Which brake.
        brake: Quiet,
        /// How long it still holds, where that is known.
        left: Option<Duration>,
        /// Whether the search went on all the same.
        goes_on: bool,
    },
    /// It matched and acted.
    Acted {
        /// Whether the search went on.
        goes_on: bool,
    },
    /// It matched, and its `answer_as` is searched: the rules that are reported next are asked about this sentence. If
    /// none of them answers, the rule is reported again, as failed.
    Redirected {
        /// The sentence.
        sentence: String,
    },
    /// It matched, and sent this request; it is reported again.
    Fetched(FetchNote),
    /// It is a dialog, and it took the message.
    InDialog {
        /// How far it is now; `None` if it ended.
        open: Option<Box<OpenDialog>>,
    },
}

/// A condition that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failed {
    /// The key of the condition, as in `bot.toml`.
    pub key: &'static str,
    /// The expected value of the condition.
    pub expected: String,
    /// The actual value; for conditions on the text the folded text.
    pub actual: String,
}

/// Collects the reports, for tests and for printing afterwards.
impl Trace for Vec<(RuleRef, Verdict)> {
    fn looked_at(&mut self, rule: &RuleRef, verdict: Verdict) {
        self.push((rule.clone(), verdict));
    }
}

//! Why an account could not start.

use std::error::Error;
use std::path::PathBuf;

use mynah_core::{StoreError, Timestamp};
use tokio::task::JoinError;

use crate::account::Plan;
use crate::alert::{Alert, AlertKind};
use crate::rule_file::Mistakes;
use crate::{Ended, Report};

/// Why an account could not start.
pub(crate) struct NotStarted {
    /// The reason, the remedy, and the status of a process that ends because of it.
    pub(crate) report: Box<Report>,
    /// The reason in one line, without texts of the rule file.
    pub(crate) reason: String,
    /// The files of the rules, as far as they were read.
    pub(super) files: Vec<PathBuf>,
    /// Whether the diagnostics of the rules, which were printed, say it all.
    pub(crate) is_printed: bool,
}

impl NotStarted {
    /// The account cannot start because of this, with these rules.
    pub(super) fn new(report: Report, files: &[PathBuf]) -> Self {
        Self { files: files.to_owned(), ..Self::of(report) }
    }

    /// The rules have mistakes.
    pub(super) fn rules(mistakes: Mistakes, files: &[PathBuf]) -> Self {
        let Mistakes { file, line, count, report } = mistakes;
        let s = if count == 1 { "" } else { "s" };
        let reason = format!("the rules cannot be used: {file}:{line}: {count} mistake{s}");
        let report = Report::new(Ended::No, format!("the rules cannot be used:\n{report}"));
        Self { reason, is_printed: true, ..Self::new(report, files) }
    }

    /// There is no bot.
    pub(super) fn missing(plan: &Plan) -> Self {
        let what = format!("the bot {} does not exist", plan.main.display());
        let hint = "put it there, or name another; paths begin where mynah is started";
        Self::of(Report::new(Ended::No, what).hint(hint))
    }

    /// The rules could not be read because of a mistake of the program.
    pub(super) fn unreadable(plan: &Plan, error: JoinError) -> Self {
        let what = format!("failed to read the rules in {}", plan.main.display());
        Self::of(Report::new(Ended::Unusable, what).because(error))
    }

    /// Two accounts have one name.
    pub(super) fn twice(name: &str) -> Self {
        Self::of(Report::new(Ended::Usage, format!("an account {name} runs already")))
    }

    /// The process or the account was stopped meanwhile.
    pub(super) fn stopped() -> Self {
        Self::of(Report::new(Ended::Fine, "the account was stopped before it had started"))
    }

    /// Its start was cut off by a mistake of the program.
    pub(super) fn failed(name: &str) -> Self {
        let what = format!("{name} could not start because of a mistake of the program");
        Self::of(Report::new(Ended::Unusable, what))
    }

    fn of(report: Report) -> Self {
        let reason = in_one_line(&report);
        Self { report: Box::new(report), reason, files: Vec::new(), is_printed: false }
    }

    /// Whether another try can succeed though no file was saved.
    pub(super) fn is_storage(&self) -> bool {
        self.report.ended() == Ended::Storage
    }

    /// Whether it was only stopped meanwhile, which is not a failure.
    pub(crate) fn is_stop(&self) -> bool {
        self.report.ended() == Ended::Fine
    }

    /// Whether nothing is wrong with the account: it was stopped, or the database or the lease is the cause.
    pub(crate) fn is_passing(&self) -> bool {
        let cause = self.report.source().and_then(|source| source.downcast_ref::<StoreError>());
        self.is_stop() || cause.is_some_and(StoreError::is_passing)
    }

    /// The alert about it.
    pub(super) fn alert(&self, account: &str, now: Timestamp) -> Alert {
        let kind = if self.is_storage() { AlertKind::Storage } else { AlertKind::NotStarted };
        Alert::new(kind, account, &self.reason, now)
    }

    /// Logs it.
    pub(crate) fn log(&self, account: &str) {
        if self.is_stop() {
            tracing::info!(account, "stopped before it had started");
            return;
        }
        if self.is_printed {
            tracing::error!(account, "not started: {}", self.reason);
            return;
        }
        for line in self.report.to_string().lines().filter(|line| !line.trim().is_empty()) {
            tracing::error!(account, "{line}");
        }
        tracing::error!(account, "not started");
    }
}

fn in_one_line(report: &Report) -> String {
    report.to_string().replace("\n  hint: ", "; ").replace('\n', " ")
}

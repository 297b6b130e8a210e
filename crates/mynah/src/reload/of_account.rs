//! How changed settings reach the accounts of `mynah run`.

use std::sync::Arc;

use async_trait::async_trait;
use mynah_page::RejectedFile;
use mynah_programs::Difference;
use mynah_reader::say;
use mynah_rules::RuleBook;

use super::Reloader;
use super::settings::{Change, SettingsUser, SettingsUsers};
use crate::Bot;
use crate::account::Shared;
use crate::alert::{Alert, AlertKind};
use crate::handlers::AccountHandlers;
use crate::rule_file::Mistakes;
use crate::supervisor::Supervisor;

/// An account of `mynah run` that changed settings reach.
struct RunningAccount {
    reloader: Arc<Reloader>,
    handlers: AccountHandlers,
}

#[async_trait]
impl SettingsUser for RunningAccount {
    fn take_handlers(&self) {
        self.reloader.control.replace_handlers(self.handlers.all());
    }

    async fn reload_rules(&self) {
        self.reloader.reload().await;
    }

    fn name(&self) -> &str {
        &self.reloader.account
    }

    async fn judge(&self, bot: Bot) -> Result<Option<Arc<RuleBook>>, Mistakes> {
        self.reloader.would_take(bot).await.map(Some)
    }

    fn rejected_rules(&self) -> Option<Mistakes> {
        let rejected = self.reloader.pages.health.rejected_rules(&self.reloader.account)?;
        let RejectedFile { file, line, mistakes: count, report, .. } = rejected;
        Some(Mistakes { file, line, count, report })
    }
}

/// The accounts of `mynah run`.
pub(crate) struct RunningAccounts {
    pub(crate) supervisor: Supervisor,
    pub(crate) shared: Shared,
}

impl SettingsUsers for RunningAccounts {
    fn users(&self) -> Vec<Arc<dyn SettingsUser>> {
        let user = |(reloader, handlers)| {
            Arc::new(RunningAccount { reloader, handlers }) as Arc<dyn SettingsUser>
        };
        self.supervisor.reloads().into_iter().map(user).collect()
    }

    fn retry(&self) {
        self.supervisor.retry();
    }

    /// In `/health`, at the console, in `mynah status` and among the metrics.
    fn mark(&self, refused: Option<&Mistakes>) {
        let now = self.shared.bot.running_clock().now();
        let refused = refused.map(|mistakes| mistakes.clone().rejected(now));
        self.shared.pages.health.set_rejected_settings(refused);
        self.shared.feed.accounts_changed();
    }

    fn changed(&self, change: &Change) {
        if change.has_other_hosts {
            tracing::info!("[fetch] of the settings was reloaded");
        }
        if change.handlers.is_none() {
            return;
        }
        let Difference { added, replaced, removed } = &change.handlers;
        let listed = |names: &[String]| names.join(", ");
        tracing::info!(
            added = listed(added),
            started_anew = listed(replaced),
            removed = listed(removed),
            "the handlers of the settings were reloaded"
        );
    }

    fn refused(&self, mistakes: &Mistakes) {
        for line in mistakes.report.lines() {
            tracing::error!("{line}");
        }
        tracing::error!("the new settings cannot be used; the old ones stay");
        let names = self.supervisor.names();
        let Some(first) = names.first() else { return };
        let why = mistakes.report.trim_end();
        let words = say!(
            self.shared.lang,
            "the old settings stay, the new ones cannot be used:\n{why}",
            "新的设置无法使用，仍使用旧的设置：\n{why}"
        );
        let now = self.shared.bot.running_clock().now();
        self.shared.alerts.send(Alert::new(AlertKind::Reload, first, words, now), now);
    }
}

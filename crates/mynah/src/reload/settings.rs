//! The tables of `mynah.toml` that apply while the bot runs: read again on save and on SIGHUP.
//!
//! All of a change applies or nothing: with a mistake in the file, or with rules that run a handler which the file no longer
//! has, everything stays as it is, and the reason goes to log and alert.

use std::path::PathBuf;
use std::sync::Arc;

use mynah_core::Clock;
use mynah_fetch::FetchSettings;
use mynah_programs::{Difference, Spec, Unchanged, Waits};
use mynah_reader::say;
use mynah_rules::Lang;
use tokio::sync::{Mutex, Notify};

use super::SaveWatch;
use crate::Bot;
use crate::account::Shared;
use crate::alert::{Alert, AlertKind, Alerts};
use crate::cli::FetchArgs;
use crate::config::{BotSettings, Config, Outside};
use crate::supervisor::Supervisor;

/// Reads the settings again, for all accounts of a process.
pub(crate) struct SettingsReloader {
    config: Option<PathBuf>,
    /// The hosts that the command line opens beside those of the file.
    opened: FetchArgs,
    bot: Bot,
    lang: Lang,
    alerts: Alerts,
    clock: Arc<dyn Clock>,
    supervisor: Supervisor,
    /// Notified when an account has taken new rules.
    swapped: Arc<Notify>,
    /// Whether the last settings were refused: new rules may make them possible. Locked for the length of a reload, so that
    /// there is one at a time.
    is_refused: Mutex<bool>,
}

impl SettingsReloader {
    /// Reads this file again; without one, that at the usual place.
    pub(crate) fn new(
        config: Option<PathBuf>,
        opened: FetchArgs,
        shared: &Shared,
        supervisor: Supervisor,
    ) -> Self {
        Self {
            config,
            opened,
            bot: shared.bot.clone(),
            lang: shared.lang,
            alerts: shared.alerts.clone(),
            clock: shared.bot.running_clock(),
            supervisor,
            swapped: Arc::clone(&shared.swapped),
            is_refused: Mutex::default(),
        }
    }

    /// Reloads whenever the file is saved, and when new rules may allow settings that were refused. Never returns.
    pub(crate) async fn follow(self: Arc<Self>) {
        tokio::join!(self.follow_saves(), self.follow_rules());
    }

    async fn follow_saves(&self) {
        let watched = SaveWatch::of_file(Config::file(self.config.as_deref()));
        if let Err(error) = &watched
            && self.config.is_some()
        {
            tracing::warn!(%error, "changes of the settings go unseen; SIGHUP reloads them");
        }
        let Ok(mut saves) = watched else { return std::future::pending().await };
        loop {
            saves.next().await;
            if self.reload(Unchanged::Keep).await {
                self.reload_rules().await;
            }
        }
    }

    async fn follow_rules(&self) {
        loop {
            self.swapped.notified().await;
            if self.retry().await {
                self.reload_rules().await;
            }
        }
    }

    /// Tries refused settings with new rules. Returns true if rules can run other handlers or ask other hosts than before.
    async fn retry(&self) -> bool {
        let mut is_refused = self.is_refused.lock().await;
        if !*is_refused {
            return false;
        }
        // The reason was reported when the settings were saved.
        let Ok(has_more) = self.try_reload(Unchanged::Keep).await else { return false };
        *is_refused = false;
        has_more
    }

    /// Reads settings and rules again, and starts all handlers anew, as their code may have changed.
    pub(crate) async fn reload_all(&self) {
        self.reload(Unchanged::StartAnew).await;
        self.reload_rules().await;
    }

    async fn reload_rules(&self) {
        self.supervisor.retry();
        for (reloader, _) in self.supervisor.reloads() {
            reloader.reload().await;
        }
    }

    /// Reads the settings again. Returns true if rules can run other handlers or ask other hosts than before.
    async fn reload(&self, unchanged: Unchanged) -> bool {
        let mut is_refused = self.is_refused.lock().await;
        let changed = self.try_reload(unchanged).await;
        *is_refused = changed.is_err();
        changed.unwrap_or_else(|why| {
            self.report(&why);
            false
        })
    }

    /// Applies the settings whole, or returns the mistakes for people.
    async fn try_reload(&self, unchanged: Unchanged) -> Result<bool, String> {
        let BotSettings { handlers: handler, fetch } = self.read()?;
        let fetch = self.opened.over(&fetch);
        let has_other_hosts = fetch != *self.bot.fetch_client().settings();
        let before = self.bot.declared_names();
        self.check(&handler, &before, has_other_hosts.then_some(&fetch)).await?;
        let is_gone = |spec: &Spec| handler.iter().all(|new| new.name != spec.name);
        let running = self.bot.programs().iter().map(|program| program.spec());
        let leaving: Vec<Spec> = running.filter(is_gone).collect();
        let with_leaving = [handler.clone(), leaving.clone()].concat();
        let mut difference = self.change(with_leaving, unchanged)?;
        self.bot.redeclare(handler.clone());
        if has_other_hosts {
            // Before rules are loaded by them.
            self.bot.fetch_client().reopen(fetch);
            tracing::info!("[fetch] of the settings was reloaded");
        }
        if !leaving.is_empty() {
            // The old rules may run them, so the new rules come first.
            self.reload_rules().await;
            difference.removed = self.change(handler, Unchanged::Keep)?.removed;
        }
        log(&difference);
        Ok(has_other_hosts || self.bot.declared_names() != before)
    }

    /// Changes the handlers, and lets the next turns of all accounts begin with them.
    fn change(&self, specs: Vec<Spec>, unchanged: Unchanged) -> Result<Difference, String> {
        let changed = self.bot.programs().change(specs, Waits::default(), unchanged);
        let difference = changed.map_err(|(name, failure)| format!("{name}: {failure}"))?;
        if !difference.is_none() {
            for (reloader, handlers) in self.supervisor.reloads() {
                reloader.control.replace_handlers(handlers.all());
            }
        }
        Ok(difference)
    }

    fn read(&self) -> Result<BotSettings, String> {
        if self.was_emptied() {
            return Err(self.emptied());
        }
        let outside = Outside::new(self.bot.services(), None);
        let read = Config::load_bot(self.config.as_deref(), &outside);
        read.map_err(|problems| problems.render(self.lang, false))
    }

    /// Whether the file is gone or has no text, while there are handlers or open hosts. Editors empty a file before they
    /// write it.
    fn was_emptied(&self) -> bool {
        let found = Config::file(self.config.as_deref()).metadata();
        let has_handlers = self.bot.programs().iter().next().is_some();
        let has_hosts =
            *self.bot.fetch_client().settings() != self.opened.over(&FetchSettings::default());
        (has_handlers || has_hosts) && found.map_or(true, |found| found.len() == 0)
    }

    fn emptied(&self) -> String {
        let file = Config::file(self.config.as_deref()).display();
        say!(
            self.lang,
            "{file}: the file is empty; to remove all settings, leave a comment in it",
            "{file}: 文件是空的；要移除全部设置，请在里面留一行注释"
        )
    }

    /// Refuses settings without a handler that the rules of an account run, or without a host that they ask.
    async fn check(
        &self,
        specs: &[Spec],
        before: &[String],
        fetch: Option<&FetchSettings>,
    ) -> Result<(), String> {
        let mut bot = self.bot.clone().declare(specs.to_vec()).map_err(|why| why.to_string())?;
        let names = bot.declared_names();
        let has_all_names = before.iter().all(|name| names.contains(name));
        if fetch.is_none() && has_all_names {
            return Ok(());
        }
        if let Some(fetch) = fetch {
            bot = bot.fetching(fetch.clone());
        }
        for (reloader, _) in self.supervisor.reloads() {
            // The rules that answer now are not those of the file then, and may run what the file does not.
            let rejected = reloader.pages.health.rejected_rules(&reloader.account);
            if let Some(rejected) = rejected.filter(|_| !has_all_names) {
                return Err(rejected.report);
            }
            if let Some(why) = reloader.refuses(bot.clone()).await {
                return Err(why);
            }
        }
        Ok(())
    }

    fn report(&self, why: &str) {
        for line in why.lines() {
            tracing::error!("{line}");
        }
        tracing::error!("the new settings cannot be used; the old ones stay");
        let names = self.supervisor.names();
        let Some(first) = names.first() else { return };
        let why = why.trim_end();
        let words = say!(
            self.lang,
            "the old settings stay, the new ones cannot be used:\n{why}",
            "新的设置无法使用，仍使用旧的设置：\n{why}"
        );
        let now = self.clock.now();
        self.alerts.send(Alert::new(AlertKind::Reload, first, words, now), now);
    }
}

fn log(difference: &Difference) {
    if difference.is_none() {
        return;
    }
    let Difference { added, replaced, removed } = difference;
    let listed = |names: &[String]| names.join(", ");
    tracing::info!(
        added = listed(added),
        started_anew = listed(replaced),
        removed = listed(removed),
        "the handlers of the settings were reloaded"
    );
}

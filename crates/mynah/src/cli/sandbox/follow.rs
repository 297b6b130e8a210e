//! The rules and settings of the sandbox follow their files: read again at each save, and the result is shown.

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use mynah_core::Clock as _;
use mynah_page::RejectedFile;
use mynah_page::view::News;
use mynah_programs::Difference;
use mynah_reader::say;
use mynah_rules::{Disk, Lang, RuleBook};

use super::remark::Remarks;
use crate::handlers::AccountHandlers;
use crate::reload::{Change, FileWatcher, SaveWatch, SettingsUser, SettingsUsers};
use crate::rule_file::Mistakes;
use crate::view::sandbox::SandboxView;
use crate::{Bot, rule_file};

/// Sees from now on whether one of these files, which were read, or another one of the bot is saved.
pub(super) fn watch(view: &SandboxView, read: &[PathBuf], remarks: &Remarks) -> Option<SaveWatch> {
    let watcher = FileWatcher::default();
    // Without a watch of the main file there will be none of the others.
    if let Err(error) = watcher.of_file(&view.main) {
        remarks.tell(unseen(&error, view.lang));
        return None;
    }
    let mut saves = watcher.of_rules();
    saves.look_at(&view.main, read);
    Some(saves)
}

/// Loads the rules again at each save, and shows the result.
pub(super) async fn follow(mut saves: SaveWatch, view: Arc<SandboxView>, remarks: Remarks) {
    loop {
        saves.next().await;
        let files = reload(&view, &remarks).await;
        saves.look_at(&view.main, &files);
    }
}

/// Loads the rules again, shows the result, and returns the files that were read.
async fn reload(view: &SandboxView, remarks: &Remarks) -> Vec<PathBuf> {
    let reloaded = view.reload().await;
    remarks.tell(match reloaded.made {
        Ok(rules) => swapped(rules, &reloaded.report, view.lang),
        Err(why) => kept(&why, view.lang),
    });
    reloaded.files
}

/// The bot in the sandbox, which changed settings reach.
#[derive(Clone)]
pub(super) struct SandboxBot {
    pub(super) view: Arc<SandboxView>,
    pub(super) handlers: AccountHandlers,
    pub(super) remarks: Remarks,
}

#[async_trait]
impl SettingsUser for SandboxBot {
    fn take_handlers(&self) {
        self.view.control.replace_handlers(self.handlers.all());
    }

    async fn reload_rules(&self) {
        reload(&self.view, &self.remarks).await;
    }

    /// Hosts that are not open refuse nothing here: the sandbox shows the request.
    async fn judge(&self, bot: Bot) -> Result<Option<Arc<RuleBook>>, Mistakes> {
        let SandboxView { main, judged_for, lang, .. } = &*self.view;
        let loaded = rule_file::load_to_try(main, &Disk, &bot, *judged_for);
        rule_file::mistakes(&loaded, &bot, *lang).await.map_or(Ok(None), Err)
    }

    fn name(&self) -> &str {
        ""
    }

    fn rejected_rules(&self) -> Option<Mistakes> {
        let RejectedFile { file, line, mistakes, report, .. } = self.view.rules.get()?;
        Some(Mistakes { file, line, count: mistakes, report })
    }
}

impl SettingsUsers for SandboxBot {
    fn users(&self) -> Vec<Arc<dyn SettingsUser>> {
        vec![Arc::new(self.clone())]
    }

    /// On the page.
    fn mark(&self, refused: Option<&Mistakes>) {
        self.view.settings.rejected(refused.cloned(), self.view.clock.now());
        // Fails if no page is open, which is fine.
        let _ = self.view.news.send(Arc::new(News::Reloaded));
    }

    fn changed(&self, change: &Change) {
        if let Some(words) = changed(change, self.view.lang) {
            self.remarks.tell(words);
        }
    }

    fn refused(&self, mistakes: &Mistakes) {
        let why = mistakes.report.trim_end();
        self.remarks.tell(say!(
            self.view.lang,
            "{why}\nthe old settings stay, the new ones cannot be used",
            "{why}\n新的设置无法使用，仍使用旧的设置"
        ));
    }
}

/// The change of settings in one line; `None` if nothing has changed.
fn changed(change: &Change, lang: Lang) -> Option<String> {
    let Difference { added, replaced, removed } = &change.handlers;
    let handlers = [
        (added, say!(lang, "new", "新增")),
        (replaced, say!(lang, "started anew", "重新启动")),
        (removed, say!(lang, "removed", "移除")),
    ];
    let named = handlers.into_iter().filter(|(names, _)| !names.is_empty()).map(|(names, word)| {
        let names = names.join(", ");
        say!(lang, "handlers {word}: {names}", "{word}处理器：{names}")
    });
    let hosts = change.has_other_hosts.then(|| say!(lang, "[fetch] changed", "[fetch] 有变化"));
    let parts: Vec<String> = named.chain(hosts).collect();
    let parts = (!parts.is_empty()).then(|| parts.join(say!(lang, "; ", "；").as_str()))?;
    Some(say!(lang, "settings reloaded: {parts}", "已重新加载设置：{parts}"))
}

fn unseen(error: &notify::Error, lang: Lang) -> String {
    match lang {
        Lang::En => format!("changes of the rule file go unseen: {error}"),
        Lang::Zh => format!("看不到规则文件的改动：{error}"),
    }
}

/// The new rules answer; further messages of the check come first.
fn swapped(rules: usize, report: &str, lang: Lang) -> String {
    match lang {
        Lang::En => format!("{report}reloaded: {rules} rule{}", if rules == 1 { "" } else { "s" }),
        Lang::Zh => format!("{report}已重新加载：{rules} 条规则"),
    }
}

fn kept(why: &str, lang: Lang) -> String {
    let why = why.trim_end();
    match lang {
        Lang::En => format!("{why}\nthe old rules stay, the file is wrong"),
        Lang::Zh => format!("{why}\n文件有误，仍使用旧规则"),
    }
}

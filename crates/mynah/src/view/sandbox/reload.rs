//! The rules of the sandbox, read again after a save of their file.

use std::path::PathBuf;
use std::sync::Arc;

use mynah_core::Clock as _;
use mynah_page::view::News;
use mynah_rules::Disk;

use super::SandboxView;
use crate::rule_file::{self, Mistakes};

/// The result of reading the rules again.
pub(crate) struct Reloaded {
    /// The files that were read.
    pub(crate) files: Vec<PathBuf>,
    /// How many rules answer now, or why the old ones stay, for people.
    pub(crate) made: Result<usize, String>,
    /// The messages of the check about a file that can be used, for people.
    pub(crate) report: String,
}

impl SandboxView {
    /// Reads the rules again, checks them and plays their tests; the bot works by them if all is well.
    pub(crate) async fn reload(&self) -> Reloaded {
        let loaded = rule_file::load_to_try(&self.main, &Disk, &self.bot, self.judged_for);
        let files = loaded.sources.files().map(|(_, path)| path.to_owned()).collect();
        let report = rule_file::render(&loaded, self.lang, false, false);
        let emptied = Mistakes::of_emptied(&loaded, &self.active_rules.load(), self.lang);
        let mistakes = match emptied {
            Some(emptied) => Some(emptied),
            None => rule_file::mistakes(&loaded, &self.bot, self.lang).await,
        };
        let words = mistakes.as_ref().map(|mistakes| mistakes.report.clone());
        self.rules.rejected(mistakes, self.clock.now());
        let made = match (loaded.book, words) {
            (None, words) => Err(words.unwrap_or_else(|| report.clone())),
            (Some(_), Some(words)) => Err(words),
            (Some(book), None) => {
                let rules = book.rules().count();
                let taken = self.take_over(book).await;
                taken.map(|()| rules).map_err(|problem| problem.to_string())
            }
        };
        // Fails if no page is open, which is fine.
        let _ = self.news.send(Arc::new(News::Reloaded));
        Reloaded { files, made, report }
    }
}

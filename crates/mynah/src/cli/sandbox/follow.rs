//! The rules of the sandbox follow their file: read again at each save, and said so.

use std::path::PathBuf;
use std::sync::Arc;

use mynah_rules::Lang;

use super::remark::Remarks;
use crate::reload::SaveWatch;
use crate::view::sandbox::SandboxView;

/// Sees from now on whether one of these files, which were read, or another one of the bot is saved.
pub(super) fn watch(view: &SandboxView, read: &[PathBuf], remarks: &Remarks) -> Option<SaveWatch> {
    match SaveWatch::new() {
        Ok(mut saves) => {
            saves.look_at(&view.main, read);
            Some(saves)
        }
        Err(error) => {
            remarks.tell(unseen(&error, view.lang));
            None
        }
    }
}

/// Loads the rules again at each save, and shows the result.
pub(super) async fn follow(mut saves: SaveWatch, view: Arc<SandboxView>, remarks: Remarks) {
    loop {
        saves.next().await;
        let reloaded = view.reload().await;
        saves.look_at(&view.main, &reloaded.files);
        remarks.tell(match reloaded.made {
            Ok(rules) => swapped(rules, &reloaded.report, view.lang),
            Err(why) => kept(&why, view.lang),
        });
    }
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

//! The folders that accounts name, as they are on the disk.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use mynah_reader::{Lang, Reading, Values as Table, Words, say};

use super::AccountConfig;
use super::read::both;
use crate::rule_file::main_file;

/// Reports bots that are not there, and accounts that keep their data in the same folder, also by different paths. With
/// `starts_each`, an account without its bot fails by itself, as long as another one can start. `root` has the data of accounts that name no folder.
pub(super) fn check(
    tables: &[&Table],
    accounts: &[AccountConfig],
    (root, starts_each): (&Path, bool),
    reading: &mut Reading<'_>,
) {
    let is_checked = !(starts_each && accounts.iter().any(|account| has_bot(&account.bot)));
    let mut taken: BTreeMap<PathBuf, &str> = BTreeMap::new();
    for (table, account) in tables.iter().zip(accounts) {
        if is_checked && !account.bot.as_os_str().is_empty() {
            check_bot(table, &account.bot, reading);
        }
        let data = account.data.clone().unwrap_or_else(|| root.join(&account.name));
        let Some(other) = taken.insert(resolve(&data), &account.name) else { continue };
        if *other == account.name {
            // Accounts of one name are reported already.
            continue;
        }
        let data = data.display();
        let message = both(|lang| {
            let other = match (other.is_empty(), lang) {
                (false, _) => other,
                (true, Lang::En) => "another account",
                (true, Lang::Zh) => "另一个账号",
            };
            say!(
                lang,
                "{other} keeps its data in the same folder, {data}",
                "{other} 的数据也保存在同一个文件夹 {data}"
            )
        });
        let hint = Words::fixed("give each account a folder of its own", "每个账号各用一个文件夹");
        let key = if account.data.is_some() { "data" } else { "name" };
        reading.report("duplicate", table.place(key), message, hint);
    }
}

/// Whether a bot is there. A pipe or a device is reported when it is opened.
fn has_bot(bot: &Path) -> bool {
    main_file(bot).metadata().is_ok_and(|found| !found.is_dir())
}

fn check_bot(table: &Table, bot: &Path, reading: &mut Reading<'_>) {
    if has_bot(bot) {
        return;
    }
    let (shown, is_folder) = (bot.display(), bot.is_dir());
    let message = both(|lang| match is_folder {
        true => say!(lang, "{shown} has no bot.toml", "{shown} 里没有 bot.toml"),
        false => say!(lang, "{shown} does not exist", "{shown} 不存在"),
    });
    let hint = Words::fixed(
        "name a folder with a bot.toml, or the file; paths begin where mynah is started",
        "写有 bot.toml 的文件夹，或该文件；相对路径从启动 mynah 的文件夹算起",
    );
    reading.report("file", table.place("bot"), message, hint);
}

/// The folder that a path means, with links and `..` resolved as far as its parts exist.
fn resolve(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut resolved = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(resolved.pop()),
            other => resolved.push(other),
        }
        if let Ok(canonical) = resolved.canonicalize() {
            resolved = canonical;
        }
    }
    resolved
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_the_same_by_every_path_to_it() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        std::fs::create_dir_all(root.join("a/b")).unwrap();
        std::os::unix::fs::symlink("a/b", root.join("link")).unwrap();
        for (one, other, expected) in [
            ("a", "a/b/..", true),
            ("a/b/new", "link/new", true),
            ("a", "link/..", true),
            ("new/../a", "a", true),
            ("new/x", "new/./x/", true),
            ("link", "a", false),
            ("new", "new/x", false),
        ] {
            let same = resolve(&root.join(one)) == resolve(&root.join(other));
            assert_eq!(same, expected, "{one} and {other}");
        }
    }
}

//! `mynah new NAME`: a folder with a small working bot to change.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use mynah_rules::Lang;

use super::{common::Common, print, schema};
use crate::report::printable;
use crate::{Ended, Report};

/// Make a folder with a small working bot, its tests, and the schema for editors.
///
/// The comments are in Chinese or English, by locale or --lang.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The folder to make; it may exist if it is empty.
    #[arg(value_name = "NAME")]
    folder: PathBuf,
}

pub(crate) fn execute(args: &Args, common: &Common) -> Result<Ended, Report> {
    let folder = &args.folder;
    make_empty(folder)?;
    let bot = match common.lang() {
        Lang::En => include_str!("new/bot.en.toml"),
        Lang::Zh => include_str!("new/bot.zh.toml"),
    };
    let schema = schema::schema();
    write_all_new([
        (folder.join("bot.toml"), bot.as_bytes()),
        (folder.join("bot.schema.json"), schema.as_bytes()),
    ])?;
    let shown = printable(&folder.display().to_string());
    let typed = printable(&typed(folder));
    print::to_stdout(|out| match common.lang() {
        Lang::En => write!(
            out,
            "Made {shown}/bot.toml. Next:\n\n  mynah check {typed}      # is it right?\n  mynah test {typed}       # does it answer as expected?\n  mynah sandbox {typed}    # talk to it, without a phone\n"
        ),
        Lang::Zh => write!(
            out,
            "已生成 {shown}/bot.toml。接下来：\n\n  mynah check {typed}      # 检查有没有写错\n  mynah test {typed}       # 跑一遍对话测试\n  mynah sandbox {typed}    # 不用手机，直接和它聊\n"
        ),
    })?;
    Ok(Ended::Fine)
}

/// A path as it is typed in a shell: in quotes where a blank or sign would mean something else.
pub(super) fn typed(path: &Path) -> String {
    let text = path.display().to_string();
    let text = if text.starts_with('-') { format!("./{text}") } else { text };
    let is_plain =
        |c: char| c.is_alphanumeric() || matches!(c, '/' | '.' | '_' | '-' | '+' | ',' | ':' | '@');
    if text.chars().all(is_plain) { text } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

/// Makes the folder, or takes one that is empty: nothing that exists is overwritten.
fn make_empty(folder: &Path) -> Result<(), Report> {
    let failed = |error: io::Error| {
        Report::new(Ended::Storage, format!("failed to make the folder {}", folder.display()))
            .because(error)
    };
    match std::fs::read_dir(folder) {
        Ok(mut entries) => match entries.next() {
            None => Ok(()),
            Some(_) => Err(Report::new(Ended::No, format!("{} is not empty", folder.display()))
                .hint("give another name; nothing was changed")),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            std::fs::create_dir_all(folder).map_err(failed)
        }
        Err(error) => Err(failed(error)),
    }
}

/// Writes new files. If one fails, none of them stays, so that the same command can be given again.
pub(super) fn write_all_new<'a>(
    files: impl IntoIterator<Item = (PathBuf, &'a [u8])>,
) -> Result<(), Report> {
    let mut made = Vec::new();
    for (path, bytes) in files {
        let file = OpenOptions::new().write(true).create_new(true).open(&path);
        let written = file.and_then(|mut file| {
            made.push(path.clone());
            file.write_all(bytes)
        });
        if let Err(error) = written {
            made.iter().for_each(|path| drop(std::fs::remove_file(path)));
            let what = format!("failed to write {}", path.display());
            return Err(Report::new(Ended::Storage, what).because(error));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_files_that_cannot_all_be_written_none_stays() {
        let folder = tempfile::tempdir().unwrap();
        let [first, second] = ["a", "b"].map(|name| folder.path().join(name));
        std::fs::write(&second, "mine").unwrap();
        let error =
            write_all_new([(first.clone(), &b"1"[..]), (second.clone(), b"2")]).unwrap_err();
        assert!(error.to_string().contains("failed to write"), "{error}");
        assert!(!first.exists());
        assert_eq!(std::fs::read_to_string(&second).unwrap(), "mine");
    }

    #[test]
    fn the_commands_shown_can_be_typed() {
        for (path, expected) in [
            ("bot", "bot"),
            ("../我的机器人", "../我的机器人"),
            ("a b", "'a b'"),
            ("a'b", "'a'\\''b'"),
            ("-x", "./-x"),
            ("$HOME", "'$HOME'"),
        ] {
            assert_eq!(typed(Path::new(path)), expected);
        }
    }
}

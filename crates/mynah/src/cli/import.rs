//! `mynah import FILE… --to FOLDER`: a bot made of the files of other bots.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::builder::PossibleValuesParser;
use mynah_import::{ImportError, Imported, Kind, Limits, Reason, Remark};
use mynah_rules::Lang;
use serde::Serialize;

use super::new::{typed, write_all_new};
use super::print::{grouped, on_one_line, plural};
use super::{common::Common, print};
use crate::report::printable;
use crate::{Ended, Report};

/// Make a bot of the question and answer files of other bots.
///
/// Takes tables (CSV, TSV, JSON, XLSX, ODS), word banks, keyword files of CowAgent, Koishi dialogues, ChatterBot YAML,
/// RiveScript, AIML and sentences of Home Assistant. A folder means the files in it. All that cannot be said in
/// bot.toml, or means something else there, is listed here and in a comment of the result. Code in a file is never run,
/// and nothing that exists is overwritten.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The files, or folders with files.
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// The folder of the new bot.
    #[arg(long, value_name = "FOLDER")]
    to: PathBuf,
    /// The kind of the files; by default it is recognised.
    #[arg(long, value_name = "KIND", value_parser = PossibleValuesParser::new(Kind::ALL.map(Kind::name)))]
    from: Option<String>,
    /// All that is lost or changed, not only the first of each reason.
    #[arg(long)]
    all: bool,
    /// One JSON object a line for each thing that is lost or changed, and one for the result.
    #[arg(long)]
    json: bool,
}

pub(crate) fn execute(args: &Args, common: &Common) -> Result<Ended, Report> {
    let to = &args.to;
    if to.join("bot.toml").symlink_metadata().is_ok() {
        let what = format!("{} already has a bot.toml", to.display());
        return Err(
            Report::new(Ended::No, what).hint("give --to another folder; nothing was changed")
        );
    }
    let from = args.from.as_deref().and_then(Kind::named);
    let inputs = mynah_import::read_inputs(&args.files, Limits::default());
    let failed = |error| failed(error, &args.files);
    let inputs = inputs.map_err(failed)?;
    let imported = mynah_import::import(&inputs, from, common.lang()).map_err(failed)?;
    write(to, &imported)?;
    print::to_stdout(|out| {
        if args.json {
            show_json(out, &imported, common.lang())
        } else {
            show(out, args, &imported, common)
        }
    })?;
    Ok(Ended::Fine)
}

fn failed(error: ImportError, files: &[PathBuf]) -> Report {
    const OF_FOLDER: &str = "all files of a folder and of those in it are read; put the files of the other bot into a \
                             folder of their own, or name them one by one";
    match &error {
        ImportError::Read { file, source } if source.kind() == io::ErrorKind::NotFound => {
            return Report::new(Ended::Usage, format!("{file} does not exist"))
                .hint("give the files of the other bot, or the folder with them");
        }
        ImportError::Read { .. } => {
            return Report::new(Ended::Usage, "failed to import").because(error);
        }
        _ => {}
    }
    let is_of_one_file = matches!(error, ImportError::Form { .. } | ImportError::NotUtf8 { .. });
    let report = Report::new(Ended::No, "failed to import").because(error);
    match is_of_one_file && files.iter().any(|file| file.is_dir()) {
        true => report.hint(OF_FOLDER),
        false => report,
    }
}

/// Writes the files; if one of them exists, none is written.
fn write(to: &Path, imported: &Imported) -> Result<(), Report> {
    std::fs::create_dir_all(to).map_err(|error| {
        Report::new(Ended::Storage, format!("failed to make the folder {}", to.display()))
            .because(error)
    })?;
    if let Some((name, _)) =
        imported.files.iter().find(|(name, _)| to.join(name).symlink_metadata().is_ok())
    {
        let what = format!("{} already exists", to.join(name).display());
        return Err(
            Report::new(Ended::No, what).hint("give --to another folder; nothing was changed")
        );
    }
    write_all_new(imported.files.iter().map(|(name, bytes)| (to.join(name), bytes.as_slice())))
}

/// The summary for people: counts, and the first remarks of each reason.
fn show(out: &mut dyn Write, args: &Args, imported: &Imported, common: &Common) -> io::Result<()> {
    let lang = common.lang();
    let to = printable(&args.to.display().to_string());
    let kinds: Vec<&str> = imported.kinds.keys().map(|kind| kind.shown(lang)).collect();
    let kinds = kinds.join(if lang == Lang::Zh { "、" } else { ", " });
    let kept = grouped(imported.items - imported.lost);
    let (items, rules) = (grouped(imported.items), grouped(imported.rules));
    match lang {
        Lang::En => writeln!(
            out,
            "Made {to}/bot.toml from {kinds}: {kept} of {items} parts, now {}.",
            plural(imported.rules, "rule").replacen(&imported.rules.to_string(), &rules, 1)
        )?,
        Lang::Zh => writeln!(
            out,
            "已从 {kinds} 生成 {to}/bot.toml：{items} 条导入了 {kept} 条，共 {rules} 条规则。"
        )?,
    }
    let mut by_reason: BTreeMap<(bool, Reason), Vec<&Remark>> = BTreeMap::new();
    for remark in &imported.remarks {
        by_reason.entry((!remark.is_loss(), remark.reason)).or_default().push(remark);
    }
    for ((is_kept, reason), all) in &by_reason {
        let sort = match (is_kept, lang) {
            (false, Lang::En) => "not imported",
            (true, Lang::En) => "different",
            (false, Lang::Zh) => "没有导入",
            (true, Lang::Zh) => "有不同",
        };
        let (text, count) = (reason.text(lang), grouped(all.len()));
        match lang {
            Lang::En => writeln!(out, "\n{sort}: {text} ({count})")?,
            Lang::Zh => writeln!(out, "\n{sort}：{text}（{count}）")?,
        }
        let shown = if args.all { all.len() } else { 1 };
        for one in &all[..shown] {
            let (file, subject) = (on_one_line(one.file()), on_one_line(&one.subject));
            writeln!(out, "  {file}:{}: {subject}", one.line())?;
        }
        if all.len() > shown {
            let more = grouped(all.len() - shown);
            match lang {
                Lang::En => writeln!(out, "  and {more} more (--all, into another folder)")?,
                Lang::Zh => writeln!(out, "  另有 {more} 条（换一个文件夹，加 --all）")?,
            }
        }
    }
    let typed = printable(&typed(&args.to));
    match lang {
        Lang::En => write!(
            out,
            "\nNext:\n\n  mynah check {typed}      # what could be better?\n  mynah sandbox {typed}    # talk to it, without a phone\n"
        ),
        Lang::Zh => write!(
            out,
            "\n接下来：\n\n  mynah check {typed}      # 看看还有什么可以改进\n  mynah sandbox {typed}    # 不用手机，直接和它聊\n"
        ),
    }
}

/// A remark as JSON.
#[derive(Serialize)]
struct Line<'l> {
    file: &'l str,
    line: usize,
    code: &'l str,
    lost: bool,
    message: &'l str,
    subject: &'l str,
}

/// The counts as JSON.
#[derive(Serialize)]
struct Counts<'l> {
    kinds: Vec<&'l str>,
    items: usize,
    lost: usize,
    rules: usize,
    files: Vec<&'l str>,
}

fn show_json(out: &mut dyn Write, imported: &Imported, lang: Lang) -> io::Result<()> {
    for one in &imported.remarks {
        let (file, subject) = (one.file(), one.subject.as_str());
        let (code, message) = (one.reason.code(), one.reason.text(lang));
        print::json(
            out,
            &Line { file, line: one.line(), code, lost: one.is_loss(), message, subject },
        )?;
    }
    let counts = Counts {
        kinds: imported.kinds.keys().map(|kind| kind.name()).collect(),
        items: imported.items,
        lost: imported.lost,
        rules: imported.rules,
        files: imported.files.iter().map(|(name, _)| name.as_str()).collect(),
    };
    print::json(out, &counts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(files: &[PathBuf]) -> String {
        let inputs = mynah_import::read_inputs(files, Limits::default());
        let imported = inputs.and_then(|inputs| mynah_import::import(&inputs, None, Lang::En));
        failed(imported.expect_err("nothing to import"), files).to_string()
    }

    #[test]
    fn a_file_that_is_not_there_and_one_of_a_folder_that_does_not_belong_are_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let missing = folder.path().join("faq.csv");
        let said = failure(std::slice::from_ref(&missing));
        let expected = format!("{} does not exist\n  hint: ", missing.display());
        assert!(said.starts_with(&expected), "{said}");
        std::fs::write(folder.path().join("other.json"), r#"{"a": {"b": 1}}"#).expect("a file");
        let said = failure(&[folder.path().to_owned()]);
        assert!(said.contains("other.json:1: ") && said.contains("of their own"), "{said}");
        let said = failure(&[folder.path().join("other.json")]);
        assert!(!said.contains("hint"), "a file that was named belongs to the bot: {said}");
    }
}

//! Starts a program.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::process::Stdio;

use mynah_core::to_map;

use tokio::process::Child;

use crate::Command;

/// The variables of its own environment that a program gets.
const PASSED: &[&str] = &[
    "PATH",
    "HOME",
    "LANG",
    "TZ",
    "TMPDIR",
    "TMP",
    "TEMP",
    // Windows programs do not start without them.
    "SYSTEMROOT",
    "COMSPEC",
    "SYSTEMDRIVE",
    "PATHEXT",
    "USERPROFILE",
    "APPDATA",
    "LOCALAPPDATA",
];

/// Starts the program as leader of a process group of its own, with pipes for all streams.
pub(super) fn spawn(command: &Command) -> io::Result<Child> {
    let Command { line, dir, env } = command;
    let dir = std::path::absolute(dir)?;
    let Some((program, arguments)) = line.split_first() else {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "the command is empty"));
    };
    let launcher = launcher(program, cfg!(windows), is_on_path);
    let program = launcher.map_or_else(|| located(program, &dir), PathBuf::from);
    let mut starting = tokio::process::Command::new(program);
    starting
        .args(launcher.map(|_| "-3"))
        .args(arguments)
        .current_dir(&dir)
        .env_clear()
        .envs(environment(|name| std::env::var_os(name), env))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    // A Ctrl-C at the terminal is for the bot, which then stops its programs in order.
    #[cfg(unix)]
    starting.process_group(0);
    starting.spawn()
}

/// The environment of a program: the passed part of the own one (`own`), that of the settings, and switches to UTF-8.
fn environment(
    own: impl Fn(&str) -> Option<OsString>,
    settings: &BTreeMap<String, String>,
) -> BTreeMap<String, OsString> {
    let pair = |name: &str, value: OsString| (name.to_owned(), value);
    let passed = PASSED.iter().filter_map(|name| Some(pair(name, own(name)?)));
    let of_settings = settings.iter().map(|(name, value)| pair(name, value.into()));
    let all = std::iter::once(pair("LANG", "C.UTF-8".into()))
        .chain(passed)
        // Python of Windows would write in the code page of the system.
        .chain(std::iter::once(pair("PYTHONUTF8", "1".into())))
        .chain(of_settings);
    to_map(all)
}

/// The launcher of Python in place of a name that Windows does not have: the installer of Python puts `py` on the path, and
/// `python3` is at best a link to the shop.
fn launcher(
    program: &str,
    is_windows: bool,
    is_on_path: impl Fn(&str) -> bool,
) -> Option<&'static str> {
    let name = program.to_ascii_lowercase();
    let name = name.strip_suffix(".exe").unwrap_or(&name);
    let is_python = is_windows && matches!(name, "python3" | "python");
    (is_python && is_on_path("py.exe")).then_some("py")
}

fn is_on_path(file: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(file).is_file())
}

/// A program with a folder in its name is sought from the working folder, on every system.
fn located(program: &str, dir: &std::path::Path) -> PathBuf {
    let has_folder = program.contains('/') || cfg!(windows) && program.contains('\\');
    if has_folder { dir.join(program) } else { program.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn python_is_started_by_its_launcher_where_windows_has_it() {
        for (program, is_windows, has_launcher, expected) in [
            ("python3", true, true, Some("py")),
            ("Python.EXE", true, true, Some("py")),
            ("python3", true, false, None),
            ("python3", false, true, None),
            ("./python3", true, true, None),
            ("node", true, true, None),
        ] {
            let found = launcher(program, is_windows, |file| has_launcher && file == "py.exe");
            assert_eq!(found, expected, "{program}");
        }
    }

    #[test]
    fn a_program_gets_little_of_the_environment_and_utf_8() {
        let own = |name: &str| match name {
            "PATH" | "SYSTEMROOT" | "MYNAH_SECRET" => Some(OsString::from("own")),
            _ => None,
        };
        let settings = BTreeMap::from([("KEY".to_owned(), "k".to_owned())]);
        let found = environment(own, &settings);
        let expected = [
            ("KEY", "k"),
            ("LANG", "C.UTF-8"),
            ("PATH", "own"),
            ("PYTHONUTF8", "1"),
            ("SYSTEMROOT", "own"),
        ];
        let expected = expected.map(|(name, value)| (name.to_owned(), OsString::from(value)));
        assert_eq!(found, BTreeMap::from(expected));
        // The settings win.
        let settings = BTreeMap::from([("LANG".to_owned(), "en_US.UTF-8".to_owned())]);
        assert_eq!(environment(own, &settings)["LANG"], "en_US.UTF-8");
    }
}

//! Starts a program.

use std::io;
use std::path::PathBuf;
use std::process::Stdio;

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
    let passed = PASSED.iter().filter_map(|name| Some((*name, std::env::var_os(name)?)));
    let mut starting = tokio::process::Command::new(located(program, &dir));
    starting
        .args(arguments)
        .current_dir(&dir)
        .env_clear()
        .env("LANG", "C.UTF-8")
        .envs(passed)
        .env("PYTHONUTF8", "1")
        .envs(env)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    // A Ctrl-C at the terminal is for the bot, which then stops its programs in order.
    #[cfg(unix)]
    starting.process_group(0);
    starting.spawn()
}

/// A program with a folder in its name is sought from the working folder, on every system.
fn located(program: &str, dir: &std::path::Path) -> PathBuf {
    let has_folder = program.contains('/') || cfg!(windows) && program.contains('\\');
    if has_folder { dir.join(program) } else { program.into() }
}

//! `mynah sandbox` with a person at a terminal: a pseudo-terminal replaces the window, and the test types.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a helper of a test fails as loudly as the test")]

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use nix::pty::{OpenptyResult, Winsize, openpty};
use nix::sys::termios::{LocalFlags, tcgetattr};
use tempfile::TempDir;

/// How long a test may take in all.
const LONGEST: Duration = Duration::from_secs(60);

const RULES: &str = r#"
[bot]
groups = ["Shop"]

[[rule]]
keyword = "price"
reply = "see the list"
cooldown = "1h"

[[rule]]
type = "image"
in = "private"
reply = "a nice picture"

[[rule]]
event = "join"
reply = "welcome"
"#;

/// A terminal with the sandbox in it.
struct Terminal {
    child: Child,
    keys: File,
    /// The window's side of the terminal, which stays open as windows do.
    window: File,
    output: Receiver<Vec<u8>>,
    /// The output not waited for yet, without colours and movements of the cursor.
    screen: String,
    until: Instant,
}

impl Terminal {
    /// Opens it with the bot of these rules, which lie in `bot`.
    fn open(bot: &TempDir, rules: &str) -> Self {
        std::fs::write(bot.path().join("bot.toml"), rules).unwrap();
        let size = Winsize { ws_row: 40, ws_col: 120, ws_xpixel: 0, ws_ypixel: 0 };
        let OpenptyResult { master, slave } = openpty(Some(&size), None).unwrap();
        let window = File::from(slave);
        let side = || Stdio::from(window.try_clone().unwrap());
        let child = Command::new(env!("CARGO_BIN_EXE_mynah"))
            .args(["sandbox", "--lang", "en", "--as", "Ann", "--group", "Shop"])
            .arg(bot.path())
            .current_dir(bot.path())
            .envs([("TERM", "xterm"), ("LC_ALL", "C.UTF-8")])
            .env_remove("MYNAH_LOG")
            .stdin(side())
            .stdout(side())
            .stderr(side())
            .spawn()
            .unwrap();
        let keys = File::from(master);
        let mut printed = keys.try_clone().unwrap();
        let (sender, output) = mpsc::channel();
        thread::spawn(move || {
            let mut chunk = [0; 4096];
            while let Ok(length) = printed.read(&mut chunk)
                && length > 0
                && sender.send(chunk[..length].to_vec()).is_ok()
            {}
        });
        let until = Instant::now() + LONGEST;
        Self { child, keys, window, output, screen: String::new(), until }
    }

    /// Opens it and waits for the first prompt.
    fn ready(bot: &TempDir, rules: &str) -> Self {
        let mut terminal = Self::open(bot, rules);
        terminal.sees("/quit");
        terminal.sees("Shop/Ann: ");
        terminal
    }

    /// Waits until this is printed after the text of the last wait.
    fn sees(&mut self, text: &str) {
        loop {
            if let Some(at) = self.screen.find(text) {
                self.screen.drain(..at + text.len());
                return;
            }
            let left = self.until.saturating_duration_since(Instant::now());
            let Ok(chunk) = self.output.recv_timeout(left) else {
                panic!("never printed: {text:?}; after what was seen came {:?}", self.screen);
            };
            self.screen += &plain(&String::from_utf8_lossy(&chunk));
        }
    }

    fn types(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
    }

    /// Types a line.
    fn enters(&mut self, line: &str) {
        self.types(&format!("{line}\r"));
    }

    /// Waits for the end, as long as a test may take.
    fn ends(mut self) {
        let (ended, wait) = mpsc::channel::<()>();
        let pid = self.child.id().to_string();
        let left = self.until.saturating_duration_since(Instant::now());
        let watch = thread::spawn(move || {
            if wait.recv_timeout(left) == Err(RecvTimeoutError::Timeout) {
                let _ = Command::new("kill").args(["-KILL", &pid]).status();
            }
        });
        let status = self.child.wait().unwrap();
        drop(ended);
        watch.join().unwrap();
        assert!(status.success(), "it ended with {status}");
        let mode = tcgetattr(&self.window).unwrap();
        assert!(
            mode.local_flags.contains(LocalFlags::ECHO | LocalFlags::ICANON),
            "it is given back"
        );
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // A test that failed leaves nothing behind.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Text without escape sequences.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        match c {
            '\u{1b}' => drop(rest.find(|c| c.is_ascii_alphabetic())),
            '\r' => {}
            c => plain.push(c),
        }
    }
    plain
}

/// Saves as editors do: a new file is put in place of the old one.
fn save(bot: &Path, rules: &str) {
    std::fs::write(bot.join("new"), rules).unwrap();
    std::fs::rename(bot.join("new"), bot.join("bot.toml")).unwrap();
}

#[test]
fn silence_is_explained_after_the_message_and_in_full_on_request() {
    let bot = TempDir::new().unwrap();
    let mut terminal = Terminal::ready(&bot, RULES);
    terminal.enters("what is the price?");
    terminal.sees("> see the list");
    terminal.enters("the price again");
    terminal.sees("# no answer: bot.toml:5: matched, but its cooldown keeps it quiet for another ");
    terminal.enters("/why");
    terminal.sees("# * bot.toml:5: matched, but its cooldown");
    terminal.enters("/clock +2h");
    terminal.sees("# it is ");
    terminal.enters("and the price now?");
    terminal.sees("> see the list");
    terminal.enters("/group Family");
    terminal.sees("Family/Ann: ");
    terminal.enters("price");
    terminal.sees("# no answer: this chat is not handled");
    terminal.enters("/quit");
    terminal.ends();
}

#[test]
fn people_join_and_send_pictures() {
    let bot = TempDir::new().unwrap();
    std::fs::write(bot.path().join("cat.png"), include_bytes!("../../../bots/faq/menu.png"))
        .unwrap();
    let mut terminal = Terminal::ready(&bot, RULES);
    terminal.enters("/join Bob");
    terminal.sees("# Bob joined Shop");
    terminal.sees("> welcome");
    terminal.enters("/private");
    terminal.sees("\nAnn: ");
    terminal.enters("/image cat.png");
    terminal.sees("> a nice picture");
    terminal.enters("/image dog.png");
    terminal.sees(&format!("# there is no file dog.png in {}", bot.path().display()));
    terminal.sees("Ann: ");
    terminal.enters("/image .");
    terminal.sees("# . is a folder");
    terminal.enters("/join Bob");
    terminal.sees("# a group is joined, not a private chat");
    terminal.enters("/dance");
    terminal.sees("# there is no /dance; /help lists the commands");
    terminal.sees("Ann: ");
    terminal.enters("/imag cat.png");
    terminal.sees("# there is no /imag; did you mean /image?");
    // Between two lines the terminal itself takes Ctrl-D, and the program never sees it.
    terminal.sees("Ann: ");
    // Ctrl-D.
    terminal.types("\u{4}");
    terminal.ends();
}

#[test]
fn a_saved_file_is_reloaded_and_a_wrong_one_is_shown_while_the_old_rules_stay() {
    let bot = TempDir::new().unwrap();
    let mut terminal = Terminal::ready(&bot, RULES);
    // The line is half written meanwhile, and stays as it is.
    terminal.types("pri");
    save(bot.path(), "[[rule]]\nkeyword = \"price\"\nreply = \"new list\"\n");
    terminal.sees("# reloaded: 1 rule");
    terminal.sees("Shop/Ann: pri");
    terminal.enters("ce");
    terminal.sees("> new list");
    save(bot.path(), "[[rule]]\nkeyword = \"price\"\nreplay = \"newest list\"\n");
    terminal.sees("# bot.toml:3:1: error[");
    terminal.sees("# the old rules stay, the file is wrong");
    save(bot.path(), "");
    terminal.sees("# bot.toml:1:1: the file is empty");
    terminal.sees("# the old rules stay, the file is wrong");
    terminal.enters("price");
    terminal.sees("> new list");
    terminal.enters("/quit");
    terminal.ends();
}

#[test]
fn lines_are_recalled_and_commands_completed() {
    let bot = TempDir::new().unwrap();
    let mut terminal = Terminal::ready(&bot, "[[rule]]\nkeyword = \"price\"\nreply = \"see\"\n");
    terminal.enters("the price, please");
    terminal.sees("> see");
    // Up: the line again. Home, and a word before it.
    terminal.types("\u{1b}[A\u{1}Again ");
    terminal.sees("Again the price, please");
    terminal.enters("");
    terminal.sees("> see");
    terminal.types("/wh\t");
    terminal.sees("/why");
    terminal.enters("");
    terminal.sees("# * bot.toml:1: answered");
    // Ctrl-C, as a key: between two lines it would be a signal.
    terminal.sees("Shop/Ann: ");
    terminal.types("\u{3}");
    terminal.ends();
}

#[test]
fn a_stop_in_the_middle_of_a_line_gives_the_terminal_back() {
    let bot = TempDir::new().unwrap();
    let mut terminal = Terminal::ready(&bot, RULES);
    terminal.types("half a li");
    terminal.sees("half a li");
    let id = terminal.child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    terminal.ends();
}

//! Lines of a handler for the log: bounded in length and number, without control characters.

use std::time::{Duration, Instant};

use mynah_core::is_unprintable;

/// The most characters of a line.
const LONGEST: usize = 1000;

/// So many lines …
const MOST: u32 = 200;

/// … within this time are logged.
const WITHIN: Duration = Duration::from_secs(10);

/// Decides which lines are logged.
#[derive(Debug)]
pub(crate) struct LogLines {
    began: Instant,
    lines: u32,
    left_out: u64,
}

impl LogLines {
    /// Begins to count.
    pub(crate) fn new() -> Self {
        Self { began: Instant::now(), lines: 0, left_out: 0 }
    }

    /// Whether another line is logged. The number of lines that were left out comes first when logging resumes.
    pub(crate) fn admits(&mut self, handler: &str) -> bool {
        if self.began.elapsed() >= WITHIN {
            if self.left_out > 0 {
                let lines = self.left_out;
                tracing::warn!(handler, lines, "the handler wrote more lines than are logged");
            }
            *self = Self::new();
        }
        self.lines += 1;
        let is_logged = self.lines <= MOST;
        self.left_out += u64::from(!is_logged);
        is_logged
    }
}

/// A line in the form in which it is logged.
pub(crate) fn shown(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(&line[..line.len().min(4 * LONGEST)]);
    let mut shown = String::new();
    for c in text.chars().take(LONGEST) {
        if c == '\t' || !is_unprintable(c) {
            shown.push(c);
        } else {
            shown.extend(c.escape_unicode());
        }
    }
    if text.chars().nth(LONGEST).is_some() || line.len() > 4 * LONGEST {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_drives_no_terminal_and_is_bounded() {
        assert_eq!(shown("a\u{1b}[2J 你好".as_bytes()), "a\\u{1b}[2J 你好");
        let long = shown("价".repeat(100_000).as_bytes());
        assert!(long.ends_with('…') && long.chars().count() <= LONGEST + 1);
        assert_eq!(shown(&[b'x', 0xff]), "x\u{fffd}");
    }

    #[test]
    fn a_flood_of_lines_is_cut() {
        let mut lines = LogLines::new();
        let logged = (0..MOST + 50).filter(|_| lines.admits("a")).count();
        assert_eq!(logged, MOST as usize);
    }
}

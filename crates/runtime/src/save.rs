//! Saves the rows of rules: CSV files in the data folder.
//!
//! A row is appended, then its action is settled. If the process dies in between, the row is found at the end of the
//! file and not written again; a partial row is removed first.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// Begins a CSV file: spreadsheet programs read a file as UTF-8 only if it begins with this mark.
pub const CSV_MARK: &str = "\u{feff}";

const MARK: &[u8] = CSV_MARK.as_bytes();

/// The size of the part at the end of a file that is searched for an earlier copy of a row.
const TAIL: u64 = 64 * 1024;

/// Appends a row to a file of the folder. With `maybe_there`, a row that is at its end already is not written again.
pub(crate) fn append(
    folder: &Path,
    file: &str,
    row: &[String],
    maybe_there: bool,
) -> io::Result<()> {
    let path = place(folder, file)?;
    let mut file = mynah_files::open_to_write(&path)?;
    let line = csv_line(row);
    let (length, tail) = read_tail(&mut file)?;
    let whole = tail.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let (lines, rest) = tail.split_at(whole);
    if maybe_there && ends_with_row(lines, line.as_bytes()) {
        return Ok(());
    }
    let torn = maybe_there && !rest.is_empty() && line.as_bytes().starts_with(rest);
    let mut text = Vec::new();
    if length == 0 {
        text.extend_from_slice(MARK);
    } else if torn {
        file.set_len(length - rest.len() as u64)?;
    } else if !rest.is_empty() && rest != MARK {
        // An editor may have saved the file without a line end.
        text.push(b'\n');
    }
    text.extend_from_slice(line.as_bytes());
    file.seek(SeekFrom::End(0))?;
    file.write_all(&text)?;
    file.sync_data()?;
    if length == 0 { keep_name(folder) } else { Ok(()) }
}

/// A new file survives the loss of power only if its folder is synced, too.
fn keep_name(folder: &Path) -> io::Result<()> {
    #[cfg(unix)]
    return File::open(folder)?.sync_all();
    #[cfg(not(unix))]
    {
        let _ = folder;
        Ok(())
    }
}

/// The path of the file. The rules are checked for this as well; a name that leads out of the folder is refused.
fn place(folder: &Path, file: &str) -> io::Result<PathBuf> {
    let plain = Path::new(file).file_name().is_some_and(|name| name == file);
    if plain && !file.contains(['/', '\\', '\0']) {
        Ok(folder.join(file))
    } else {
        Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("{file:?} is not a plain file name"),
        ))
    }
}

/// The length of the file and its last bytes.
fn read_tail(file: &mut File) -> io::Result<(u64, Vec<u8>)> {
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL)))?;
    let mut tail = Vec::new();
    file.read_to_end(&mut tail)?;
    Ok((length, tail))
}

/// Whether the row is one of the last lines: after the mark, after another line, or at the very beginning.
fn ends_with_row(lines: &[u8], row: &[u8]) -> bool {
    lines.windows(row.len()).enumerate().any(|(at, window)| {
        window == row && (at == 0 || lines[..at].ends_with(b"\n") || lines[..at] == *MARK)
    })
}

/// The row as a line of CSV, as it is written for `save_to`. Cells that a spreadsheet program would compute begin with an
/// apostrophe.
#[must_use]
pub fn csv_line(row: &[String]) -> String {
    let cells: Vec<String> = row.iter().map(|cell| quote(&tame(cell))).collect();
    cells.join(",") + "\n"
}

/// Makes a cell that a spreadsheet would compute plain text: the input of people must never run.
fn tame(cell: &str) -> String {
    let first = cell.trim_start_matches([' ', '\u{a0}', '\u{3000}', '\u{feff}']).chars().next();
    match first {
        Some('=' | '+' | '-' | '@' | '\t' | '\r' | '\n' | '＝' | '＋' | '－' | '＠') => {
            format!("'{cell}")
        }
        _ => cell.to_owned(),
    }
}

fn quote(cell: &str) -> String {
    // A null character would end the cell for some readers.
    let cell = cell.replace('\0', "");
    if cell.contains([',', '"', '\n', '\r', ';', '\t']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(cells: &[&str]) -> Vec<String> {
        cells.iter().map(|cell| (*cell).to_owned()).collect()
    }

    #[test]
    fn cells_are_quoted_and_tamed() {
        for (cells, expected) in [
            (vec!["a", "b"], "a,b\n"),
            (vec!["a,b", "say \"hi\""], "\"a,b\",\"say \"\"hi\"\"\"\n"),
            (vec!["=1+1", "+86 1", "-1", "@x"], "'=1+1,'+86 1,'-1,'@x\n"),
            (vec![" =cmd|' /C calc'!A0", "＝1"], "' =cmd|' /C calc'!A0,'＝1\n"),
            (vec!["two\nlines", "a\0b"], "\"two\nlines\",ab\n"),
            (vec!["13800138000", ""], "13800138000,\n"),
        ] {
            assert_eq!(csv_line(&row(&cells)), expected);
        }
    }

    #[test]
    fn a_row_is_written_once() {
        let folder = tempfile::tempdir().unwrap();
        let read = || std::fs::read_to_string(folder.path().join("s.csv")).unwrap();
        append(folder.path(), "s.csv", &row(&["1", "甲"]), false).unwrap();
        append(folder.path(), "s.csv", &row(&["2", "乙"]), false).unwrap();
        assert_eq!(read(), "\u{feff}1,甲\n2,乙\n");
        append(folder.path(), "s.csv", &row(&["1", "甲"]), true).unwrap();
        append(folder.path(), "s.csv", &row(&["2", "乙"]), true).unwrap();
        assert_eq!(read(), "\u{feff}1,甲\n2,乙\n", "found again");
        append(folder.path(), "s.csv", &row(&["2", "乙"]), false).unwrap();
        assert_eq!(read(), "\u{feff}1,甲\n2,乙\n2,乙\n", "said twice");
    }

    #[test]
    fn half_a_row_is_taken_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.csv");
        std::fs::write(&path, "\u{feff}1,甲\n2,\u{4e59}"[..].as_bytes()).unwrap();
        append(folder.path(), "s.csv", &row(&["2", "乙", "丙"]), true).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "\u{feff}1,甲\n2,乙,丙\n");
    }

    #[test]
    fn a_name_that_leads_elsewhere_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["../s.csv", "/tmp/s.csv", "a/b.csv", "..", "", "a\\b.csv"] {
            assert!(append(folder.path(), name, &row(&["x"]), false).is_err(), "{name:?}");
        }
    }
}

//! The parts of a workbook: a ZIP archive in memory, unpacked as a stream.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Read};

use flate2::read::DeflateDecoder;

use crate::unreadable::Unreadable;

/// All parts that are read unpack to no more bytes. Tests need not wait for so many.
const MOST_INFLATED: u64 = if cfg!(test) { 6 << 20 } else { crate::MOST_UNPACKED };

/// A workbook has a dozen parts, and a few more for each sheet.
const MOST_PARTS: usize = 10_000;

/// No tag and no text between two tags is longer, nor is a part behind a comment or the like: the reader of XML keeps
/// each of them in memory.
const LONGEST_PIECE: u64 = MOST_INFLATED / 32;

const END: &[u8] = b"PK\x05\x06";
const ENTRY: &[u8] = b"PK\x01\x02";

/// The parts of a workbook.
#[derive(Debug)]
pub(crate) struct Parts<'b> {
    bytes: &'b [u8],
    /// By their names in small letters.
    parts: BTreeMap<String, Part>,
    /// How many bytes may still be unpacked.
    left: Cell<u64>,
}

/// Where a part is.
#[derive(Debug, Clone, Copy)]
struct Part {
    /// Its local header.
    header: usize,
    packed: usize,
    method: u16,
    is_encrypted: bool,
}

impl<'b> Parts<'b> {
    /// Reads the list of parts.
    pub(crate) fn read(bytes: &'b [u8]) -> Result<Self, Unreadable> {
        let parts = entries(bytes).ok_or(Unreadable::NoWorkbook)?;
        if parts.values().any(|part| part.is_encrypted) {
            return Err(Unreadable::Password);
        }
        Ok(Self { bytes, parts, left: Cell::new(MOST_INFLATED) })
    }

    /// Whether there is such a part.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.parts.contains_key(&key(name))
    }

    /// A part as a stream.
    pub(crate) fn open(&self, name: &str) -> Result<impl BufRead + use<'_, 'b>, Unreadable> {
        let missing = || Unreadable::MissingPart { part: name.to_owned() };
        let part = self.parts.get(&key(name)).ok_or_else(missing)?;
        let packed = self.packed(part).ok_or(Unreadable::NoWorkbook)?;
        let inflated: Box<dyn Read + '_> = match part.method {
            0 => Box::new(packed),
            8 => Box::new(DeflateDecoder::new(packed)),
            _ => return Err(Unreadable::NoWorkbook),
        };
        let guard =
            Guard { inner: inflated, left: &self.left, piece: 0, is_strict: false, last: 0 };
        Ok(BufReader::with_capacity(1 << 16, guard))
    }

    /// Whether the bounds were reached.
    pub(crate) fn is_used_up(&self) -> bool {
        self.left.get() == 0
    }

    fn packed(&self, part: &Part) -> Option<&'b [u8]> {
        // The local header has its own copy of the name and other extra fields.
        let header = self.bytes.get(part.header..)?;
        let start = 30 + usize::from(u16_at(header, 26)?) + usize::from(u16_at(header, 28)?);
        header.get(start..start.checked_add(part.packed)?)
    }
}

fn entries(bytes: &[u8]) -> Option<BTreeMap<String, Part>> {
    // A comment may follow the end.
    let tail = bytes.len().saturating_sub(22 + usize::from(u16::MAX));
    let end = tail + memchr::memmem::rfind(&bytes[tail..], END)?;
    let count = usize::from(u16_at(bytes, end + 10)?);
    let mut at = usize::try_from(u32_at(bytes, end + 16)?).ok()?;
    let mut parts = BTreeMap::new();
    for _ in 0..count.min(MOST_PARTS) {
        if bytes.get(at..at + 4)? != ENTRY {
            return None;
        }
        let name_length = usize::from(u16_at(bytes, at + 28)?);
        let rest = usize::from(u16_at(bytes, at + 30)?) + usize::from(u16_at(bytes, at + 32)?);
        let name = bytes.get(at + 46..at + 46 + name_length)?;
        // Some programs write Windows paths.
        let name = key(&String::from_utf8_lossy(name).replace('\\', "/"));
        let part = Part {
            header: usize::try_from(u32_at(bytes, at + 42)?).ok()?,
            packed: usize::try_from(u32_at(bytes, at + 20)?).ok()?,
            method: u16_at(bytes, at + 10)?,
            is_encrypted: u16_at(bytes, at + 8)? & 1 == 1,
        };
        parts.insert(name, part);
        at += 46 + name_length + rest;
    }
    Some(parts)
}

/// The name of a part for looking it up: names that differ only in the case of letters are the same part.
fn key(name: &str) -> String {
    name.to_ascii_lowercase()
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at.checked_add(2)?)?.try_into().ok()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}

/// Keeps the bounds while a part is unpacked.
struct Guard<'p> {
    inner: Box<dyn Read + 'p>,
    left: &'p Cell<u64>,
    /// The bytes since the last `<`.
    piece: u64,
    /// Whether there was a comment or the like, which may hold any number of `<`.
    is_strict: bool,
    /// The last byte.
    last: u8,
}

impl Read for Guard<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        let got = &buffer[..read];
        let left = self.left.get().saturating_sub(read as u64);
        self.left.set(left);
        self.is_strict |= (self.last == b'<' && got.first() == Some(&b'!'))
            || memchr::memmem::find(got, b"<!").is_some();
        self.last = got.last().copied().unwrap_or(0);
        self.piece = match memchr::memrchr(b'<', got) {
            Some(at) if !self.is_strict => (read - at) as u64,
            _ => self.piece + read as u64,
        };
        if self.piece > LONGEST_PIECE {
            self.left.set(0);
        }
        if self.left.get() == 0 {
            return Err(io::Error::other("the workbook unpacks to too many bytes"));
        }
        Ok(read)
    }
}

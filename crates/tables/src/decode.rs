//! Bytes become text: UTF-8, UTF-16, GB18030 as Excel and WPS write it in China, or Big5 as Excel writes it in Taiwan and Hong Kong.

use std::borrow::Cow;

use encoding_rs::{BIG5, DecoderResult, GB18030, UTF_16BE, UTF_16LE};

use crate::form::Encoding;
use crate::unreadable::Unreadable;

/// So many bytes tell whether a text without a mark is UTF-16.
const SAMPLE: usize = 4096;

/// The text of bytes, and its encoding.
pub(crate) fn decode(bytes: &[u8]) -> Result<(Cow<'_, str>, Encoding), Unreadable> {
    if let Some(rest) = bytes.strip_prefix(b"\xef\xbb\xbf") {
        let text = std::str::from_utf8(rest)
            .map_err(|error| damaged(Encoding::Utf8, &rest[..error.valid_up_to()]))?;
        return Ok((clean(text.into())?, Encoding::Utf8));
    }
    let utf16 = match bytes {
        [0xff, 0xfe, ..] => Some(UTF_16LE),
        [0xfe, 0xff, ..] => Some(UTF_16BE),
        _ => guess_utf16(bytes),
    };
    if let Some(encoding) = utf16 {
        let (text, is_wrong) = encoding.decode_with_bom_removal(bytes);
        if is_wrong {
            let good = text.split('\u{fffd}').next().unwrap_or_default();
            return Err(damaged(Encoding::Utf16, good.as_bytes()));
        }
        return Ok((clean(text)?, Encoding::Utf16));
    }
    let at = match std::str::from_utf8(bytes) {
        Ok(text) => return Ok((clean(text.into())?, Encoding::Utf8)),
        Err(error) => error.valid_up_to(),
    };
    // NUL is valid in all of them, and in no table.
    if bytes.contains(&0) {
        return Err(Unreadable::Binary);
    }
    if is_mostly_utf8(bytes) {
        return Err(damaged(Encoding::Utf8, &bytes[..at]));
    }
    let (encoding, name) =
        if is_big5(bytes) { (BIG5, Encoding::Big5) } else { (GB18030, Encoding::Gb18030) };
    match encoding.decode_without_bom_handling_and_without_replacement(bytes) {
        Some(text) => Ok((clean(text)?, name)),
        None => Err(wrong_in(encoding, name, bytes, at)),
    }
}

fn clean(text: Cow<'_, str>) -> Result<Cow<'_, str>, Unreadable> {
    if text.contains('\0') { Err(Unreadable::Binary) } else { Ok(text) }
}

/// A text in an encoding, damaged behind some good bytes.
fn damaged(encoding: Encoding, good: &[u8]) -> Unreadable {
    Unreadable::Character { encoding, line: memchr::memchr_iter(b'\n', good).count() + 1 }
}

/// Whether a text that is not UTF-8 is it but for a few damaged characters, as after a cut. GB18030 and Big5 read as UTF-8
/// have more faults than characters.
fn is_mostly_utf8(bytes: &[u8]) -> bool {
    let (mut good, mut faults) = (0_usize, 0_usize);
    for chunk in bytes.utf8_chunks() {
        // Two bytes are valid by chance more often than three.
        good += chunk.valid().chars().map(|c| c.len_utf8().saturating_sub(1)).sum::<usize>();
        faults += usize::from(!chunk.invalid().is_empty());
    }
    good > 2 * faults
}

/// Whether a text of two-byte characters is Big5, not GB18030: most pairs of bytes are a character in both. Texts consist of
/// the frequent characters of their encoding, which have places of their own there.
fn is_big5(bytes: &[u8]) -> bool {
    let (mut rare_in_gb, mut rare_in_big5) = (0_usize, 0_usize);
    let mut rest = bytes;
    while let [lead, behind @ ..] = rest {
        rest = behind;
        let Some((trail, behind)) = behind.split_first().filter(|_| *lead >= 0x80) else {
            continue;
        };
        let is_pair = *trail >= 0x40;
        if is_pair {
            rest = behind;
        }
        // Signs and the characters of GB 2312.
        let is_frequent = matches!(lead, 0xa1..=0xa3 | 0xb0..=0xf7) && *trail >= 0xa1;
        rare_in_gb += usize::from(!is_frequent);
        // Signs and the characters of the first of the two levels.
        let is_frequent =
            matches!(lead, 0xa1 | 0xa4..=0xc6) && is_pair && !matches!(trail, 0x7f..=0xa0);
        rare_in_big5 += usize::from(!is_frequent);
    }
    rare_in_gb > 2 * rare_in_big5
}

/// Where a text in an encoding is damaged; `at` is the first byte that is not UTF-8, if it is neither of them.
fn wrong_in(
    encoding: &'static encoding_rs::Encoding,
    name: Encoding,
    bytes: &[u8],
    at: usize,
) -> Unreadable {
    let mut decoder = encoding.new_decoder_without_bom_handling();
    let mut room = vec![0_u8; 1 << 16];
    let (mut read, mut first, mut faults, mut good) = (0, None, 0_usize, 0_usize);
    loop {
        let (result, more, written) =
            decoder.decode_to_utf8_without_replacement(&bytes[read..], &mut room, true);
        read += more;
        good += room[..written].iter().filter(|byte| **byte >= 0xe0).count();
        match result {
            DecoderResult::InputEmpty => break,
            DecoderResult::OutputFull => {}
            DecoderResult::Malformed(length, behind) => {
                faults += 1;
                first.get_or_insert(read.saturating_sub(usize::from(length) + usize::from(behind)));
            }
        }
    }
    match first {
        Some(first) if good > faults => damaged(name, &bytes[..first]),
        _ => Unreadable::Encoding { at },
    }
}

/// In UTF-16 without a mark the signs between cells and lines have a zero byte on one side.
fn guess_utf16(bytes: &[u8]) -> Option<&'static encoding_rs::Encoding> {
    let sample = &bytes[..bytes.len().min(SAMPLE)];
    let is_sign = |byte: u8| matches!(byte, b'\n' | b'\r' | b'\t' | b',' | b';' | b'|');
    let pairs = || sample.chunks_exact(2);
    let wide = |at: usize| pairs().filter(|pair| is_sign(pair[at]) && pair[1 - at] == 0).count();
    let (little, big) = (wide(0), wide(1));
    let (wide, at, encoding) =
        if little > big { (little, 0, UTF_16LE) } else { (big, 1, UTF_16BE) };
    if wide <= 2 * little.min(big) {
        return None;
    }
    // A few zero bytes in another text are damage. A text that is both UTF-16 and UTF-8 has little but ASCII.
    if std::str::from_utf8(bytes).is_ok() {
        let zeros = pairs().filter(|pair| pair[1 - at] == 0 && pair[at] != 0).count();
        return (zeros * 8 > sample.len()).then_some(encoding);
    }
    // The same bytes are also halves of characters, as in 上, but not ten times as often as signs.
    let signs = sample.iter().filter(|byte| is_sign(**byte)).count();
    (wide * 10 >= signs).then_some(encoding)
}

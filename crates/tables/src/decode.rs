//! Bytes become text: UTF-8, UTF-16, or GB18030 as Excel and WPS write it in China.

use std::borrow::Cow;

use encoding_rs::{GB18030, UTF_16BE, UTF_16LE};

use crate::form::Encoding;
use crate::unreadable::Unreadable;

/// So many bytes tell whether a text without a mark is UTF-16.
const SAMPLE: usize = 4096;

/// The text of bytes, and its encoding.
pub(crate) fn decode(bytes: &[u8]) -> Result<(Cow<'_, str>, Encoding), Unreadable> {
    if let Some(rest) = bytes.strip_prefix(b"\xef\xbb\xbf") {
        let text = std::str::from_utf8(rest)
            .map_err(|error| Unreadable::Encoding { at: 3 + error.valid_up_to() })?;
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
            return Err(Unreadable::Encoding { at: 0 });
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
    match GB18030.decode_without_bom_handling_and_without_replacement(bytes) {
        Some(text) => Ok((clean(text)?, Encoding::Gb18030)),
        None => Err(Unreadable::Encoding { at }),
    }
}

fn clean(text: Cow<'_, str>) -> Result<Cow<'_, str>, Unreadable> {
    if text.contains('\0') { Err(Unreadable::Binary) } else { Ok(text) }
}

/// In UTF-16 without a mark the signs between cells and lines have a zero byte on one side.
fn guess_utf16(bytes: &[u8]) -> Option<&'static encoding_rs::Encoding> {
    let sample = &bytes[..bytes.len().min(SAMPLE)];
    let zeros =
        |first: usize| sample.iter().skip(first).step_by(2).filter(|byte| **byte == 0).count();
    // Some Chinese characters have a zero byte on the other side: 退, 一.
    match (zeros(0), zeros(1)) {
        (first, second) if second > 2 * first => Some(UTF_16LE),
        (first, second) if first > 2 * second => Some(UTF_16BE),
        _ => None,
    }
}

//! Percent-encoding of queries.

/// Percent-encodes as `encodeURIComponent` does.
pub(crate) fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    encode_into(&mut out, text);
    out
}

pub(crate) fn encode_into(out: &mut String, text: &str) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let mut rest = text;
    while let Some(at) = rest.bytes().position(|byte| !is_plain(byte)) {
        // Plain bytes are ASCII, so this is a boundary.
        let (plain, encoded) = rest.split_at(at);
        out.push_str(plain);
        let end = encoded.bytes().position(is_plain).unwrap_or(encoded.len());
        for byte in encoded[..end].bytes() {
            let (high, low) = (usize::from(byte >> 4), usize::from(byte & 15));
            out.extend(['%', char::from(DIGITS[high]), char::from(DIGITS[low])]);
        }
        rest = &encoded[end..];
    }
    out.push_str(rest);
}

/// Whether a byte stays as it is.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'-' | b'_' | b'.' | b'!' | b'~' | b'*' | b'\'' | b'(' | b')')
}

/// Decodes one level of percent-encoding. Invalid sequences stay.
pub(crate) fn decode(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.as_bytes();
    while let Some((&first, rest)) = bytes.split_first() {
        let digits =
            rest.get(..2).filter(|_| first == b'%').and_then(|two| std::str::from_utf8(two).ok());
        let decoded = digits
            .filter(|two| two.bytes().all(|b| b.is_ascii_hexdigit()))
            .and_then(|two| u8::from_str_radix(two, 16).ok());
        out.push(decoded.unwrap_or(first));
        bytes = if decoded.is_some() { &rest[2..] } else { rest };
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn queries_are_encoded_as_browsers_do() {
        assert_eq!(encode("@crypt_1+/= |你"), "%40crypt_1%2B%2F%3D%20%7C%E4%BD%A0");
        assert_eq!(encode("a%2Fb"), "a%252Fb");
        assert_eq!(decode("a%2Fb%zz%+%2"), "a/b%zz%+%2");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn encoding_survives_a_round_trip(text in ".{0,60}") {
            prop_assert_eq!(decode(&encode(&text)), text);
        }

        #[test]
        fn any_text_is_decoded_without_panic(text in "[%0-9a-f\u{4f60}]{0,40}") {
            drop(decode(&text));
        }
    }
}

//! Compressed bodies (section 4.6 of the protocol reference): gzip and both forms of deflate.

use std::io::Read;

use bytes::Bytes;
use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};

use crate::error::Failure;

/// The `Accept-Encoding` of requests.
pub(crate) const UNDERSTOOD: &str = "gzip, deflate";

/// The most codings of one answer: more than a server has reason to use.
const MOST_CODINGS: usize = 3;

/// The decompressed body, at most `limit` bytes of it.
pub(crate) fn unpacked(encoding: &str, mut body: Bytes, limit: u64) -> Result<Bytes, Failure> {
    if encoding.split(',').count() > MOST_CODINGS {
        return Err(unreadable("the answer is compressed too many times", None));
    }
    // The last coding in the list was applied last.
    for coding in encoding.rsplit(',').map(|coding| coding.trim().to_ascii_lowercase()) {
        body = match coding.as_str() {
            "" | "identity" => body,
            "gzip" | "x-gzip" => gunzipped(body, limit)?,
            "deflate" => inflated(body, limit)?,
            _ => {
                return Err(unreadable(
                    "the answer has a compression that the client did not offer",
                    None,
                ));
            }
        };
    }
    Ok(body)
}

/// A body that is declared as gzip and is not gzip is taken as it is.
fn gunzipped(body: Bytes, limit: u64) -> Result<Bytes, Failure> {
    if !body.starts_with(&[0x1f, 0x8b]) {
        return Ok(body);
    }
    read(MultiGzDecoder::new(&*body), limit)
}

/// `deflate` means the zlib format. Old servers send raw deflate under the same name.
fn inflated(body: Bytes, limit: u64) -> Result<Bytes, Failure> {
    if body.is_empty() {
        return Ok(body);
    }
    match read(ZlibDecoder::new(&*body), limit) {
        Err(Failure::Unreadable { .. }) => read(DeflateDecoder::new(&*body), limit),
        result => result,
    }
}

fn read(packed: impl Read, limit: u64) -> Result<Bytes, Failure> {
    let mut body = Vec::new();
    packed
        .take(limit.saturating_add(1))
        .read_to_end(&mut body)
        .map_err(|error| unreadable("the compressed answer is damaged", Some(Box::new(error))))?;
    if body.len() as u64 > limit {
        return Err(Failure::TooLarge { limit });
    }
    Ok(body.into())
}

fn unreadable(what: &'static str, cause: Option<crate::error::Cause>) -> Failure {
    Failure::Unreadable { what, body: String::new(), cause }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
    use proptest::prelude::*;

    use super::*;

    fn gzip(body: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(body).unwrap();
        encoder.finish().unwrap()
    }

    fn zlib(body: &[u8]) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(body).unwrap();
        encoder.finish().unwrap()
    }

    fn raw(body: &[u8]) -> Vec<u8> {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(body).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn packed_bodies_are_unpacked_in_every_form() {
        let plain = "{\"名\": 1}".as_bytes();
        for (encoding, body) in [
            ("gzip", gzip(plain)),
            ("X-GZIP", gzip(plain)),
            ("deflate", zlib(plain)),
            ("deflate", raw(plain)),
            ("deflate, gzip", gzip(&zlib(plain))),
            ("identity", plain.to_vec()),
            ("", plain.to_vec()),
            ("gzip", plain.to_vec()),
        ] {
            assert_eq!(unpacked(encoding, body.into(), 1000).unwrap(), plain, "{encoding}");
        }
        assert!(unpacked("gzip", Bytes::new(), 10).unwrap().is_empty());
        assert!(unpacked("deflate", Bytes::new(), 10).unwrap().is_empty());
    }

    #[test]
    fn an_invalid_compressed_body_is_an_error_and_a_small_one_stays_in_bounds() {
        let cut = gzip(&[b'x'; 5000])[..20].to_vec();
        assert!(matches!(unpacked("gzip", cut.into(), 9999), Err(Failure::Unreadable { .. })));
        let plain = Bytes::from_static(b"plain");
        assert!(matches!(unpacked("deflate", plain.clone(), 10), Err(Failure::Unreadable { .. })));
        assert!(matches!(unpacked("br", plain, 10), Err(Failure::Unreadable { .. })));
        let again = "gzip,gzip,gzip,gzip";
        assert!(matches!(unpacked(again, Bytes::new(), 9), Err(Failure::Unreadable { .. })));
        let bomb = gzip(&vec![0; 1 << 20]);
        assert!(matches!(unpacked("gzip", bomb.into(), 1000), Err(Failure::TooLarge { .. })));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn any_bytes_are_unpacked_without_panic(
            encoding in "(gzip|deflate|identity|,| |br){0,3}",
            body in proptest::collection::vec(any::<u8>(), 0..60),
        ) {
            for start in [&b""[..], &[0x1f, 0x8b, 8, 0], &[0x78, 0x9c]] {
                let body = [start, &body].concat();
                if let Ok(body) = unpacked(&encoding, body.into(), 5000) {
                    prop_assert!(body.len() <= 5000);
                }
            }
        }
    }
}

//! Bodies of answers: bounded, decompressed, decoded.

use std::io::Read;

use encoding_rs::{Encoding, UTF_8};
use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use mynah_core::FetchFailure;
use reqwest::Response;
use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap};

use crate::client::failure;
use crate::hops::Arrived;

/// The compressions that requests offer.
pub(crate) const UNDERSTOOD: &str = "gzip, deflate";

/// The most compressions of one answer: more than a server has reason to use.
const MOST_CODINGS: usize = 2;

/// The text of an answer of at most `limit` bytes, before and after decompression and as UTF-8.
pub(crate) async fn text(
    Arrived { mut response, target }: Arrived,
    limit: usize,
) -> Result<String, FetchFailure> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| failure(error, &target))? {
        if body.len() + chunk.len() > limit {
            return Err(FetchFailure::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    let body = decompressed(response.headers(), body, limit)?;
    decoded(&response, body, limit)
}

/// The decompressed body. It is unpacked only up to the limit.
fn decompressed(
    headers: &HeaderMap,
    mut body: Vec<u8>,
    limit: usize,
) -> Result<Vec<u8>, FetchFailure> {
    let codings: Vec<String> = headers
        .get_all(CONTENT_ENCODING)
        .iter()
        .flat_map(|value| value.to_str().unwrap_or("?").split(','))
        .map(|coding| coding.trim().to_ascii_lowercase())
        .filter(|coding| !coding.is_empty() && coding != "identity")
        .collect();
    if codings.len() > MOST_CODINGS {
        return Err(unreadable("compressed too many times"));
    }
    if body.is_empty() {
        return Ok(body);
    }
    // The last coding in the list was applied last.
    for coding in codings.iter().rev() {
        body = match coding.as_str() {
            "gzip" | "x-gzip" => read(MultiGzDecoder::new(&*body), limit)?,
            // `deflate` means the zlib format. Old servers send raw deflate under the same name.
            "deflate" => match read(ZlibDecoder::new(&*body), limit) {
                Err(FetchFailure::Damaged(_)) => read(DeflateDecoder::new(&*body), limit)?,
                result => result?,
            },
            _ => return Err(unreadable("compressed in a way that was not offered")),
        };
    }
    Ok(body)
}

fn read(packed: impl Read, limit: usize) -> Result<Vec<u8>, FetchFailure> {
    let mut body = Vec::new();
    let bound = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    packed.take(bound).read_to_end(&mut body).map_err(|_| unreadable("damaged"))?;
    if body.len() > limit { Err(FetchFailure::TooLarge) } else { Ok(body) }
}

fn unreadable(how: &str) -> FetchFailure {
    FetchFailure::Damaged(format!("it is {how}"))
}

/// The text, in the encoding that the answer names, else by its byte order mark, else in UTF-8.
fn decoded(response: &Response, body: Vec<u8>, limit: usize) -> Result<String, FetchFailure> {
    let named = match charset(response.headers()) {
        Some(name) => Encoding::for_label(name.as_bytes()).ok_or(FetchFailure::NotText)?,
        None => UTF_8,
    };
    let (encoding, mark) = Encoding::for_bom(&body).unwrap_or((named, 0));
    if encoding == UTF_8 && mark == 0 {
        return String::from_utf8(body).map_err(|_| FetchFailure::NotText);
    }
    let text = encoding.decode_without_bom_handling_and_without_replacement(&body[mark..]);
    let text = text.ok_or(FetchFailure::NotText)?.into_owned();
    if text.len() > limit { Err(FetchFailure::TooLarge) } else { Ok(text) }
}

/// The `charset` of the content type.
fn charset(headers: &HeaderMap) -> Option<String> {
    let kind = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    let fields = kind.split(';').skip(1).filter_map(|field| field.split_once('='));
    let (_, value) =
        fields.into_iter().find(|(key, _)| key.trim().eq_ignore_ascii_case("charset"))?;
    let value = value.trim().trim_matches(['"', '\'']);
    (!value.is_empty()).then(|| value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bomb_is_unpacked_only_up_to_the_bound() {
        // This reader has no end.
        let read = read(std::io::repeat(0), 1 << 20);
        assert_eq!(read, Err(FetchFailure::TooLarge));
    }
}

//! All values that the server generates: ids, keys, tickets. A seed determines their sequence.

use base64::{Engine, engine::general_purpose};

/// A source of generated values: the digests of a seed and a counter.
#[derive(Debug, Clone)]
pub(crate) struct Draw {
    seed: u64,
    count: u64,
}

impl Draw {
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed, count: 0 }
    }

    fn block(&mut self) -> [u8; 16] {
        self.count += 1;
        let mut digest = md5::Context::new();
        digest.consume(self.seed.to_be_bytes());
        digest.consume(self.count.to_be_bytes());
        digest.finalize().0
    }

    pub(crate) fn bytes(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(length + 16);
        while bytes.len() < length {
            bytes.extend(self.block());
        }
        bytes.truncate(length);
        bytes
    }

    /// A number below `limit`.
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        let block = self.block();
        let word: [u8; 8] = std::array::from_fn(|at| block[at]);
        u64::from_be_bytes(word) % limit.max(1)
    }

    pub(crate) fn hex(&mut self, digits: usize) -> String {
        let mut text = hex(&self.bytes(digits.div_ceil(2)));
        text.truncate(digits);
        text
    }

    pub(crate) fn base64(&mut self, bytes: usize) -> String {
        general_purpose::STANDARD.encode(self.bytes(bytes))
    }

    /// Base64 without a slash, for values inside an address.
    pub(crate) fn url_safe(&mut self, bytes: usize) -> String {
        general_purpose::URL_SAFE.encode(self.bytes(bytes))
    }
}

/// Lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|digit| char::from(DIGITS[usize::from(digit)]))
        .collect()
}

/// The MD5 digest of `bytes` in hexadecimal digits, as the protocol writes it.
pub(crate) fn md5_hex(bytes: &[u8]) -> String {
    hex(&md5::compute(bytes).0)
}

//! Media that a handler made in memory.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The bytes of media. In the store they are base64; messages for people show only their number.
#[derive(Clone, PartialEq, Eq)]
pub struct MediaBytes(pub Bytes);

impl Serialize for MediaBytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for MediaBytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = STANDARD.decode(text).map_err(D::Error::custom)?;
        Ok(Self(bytes.into()))
    }
}

impl fmt::Debug for MediaBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use crate::{MediaRef, MediaSource};

    #[test]
    fn bytes_pass_the_store_and_are_not_in_messages() {
        let media = MediaRef::bytes("a.png", vec![0, 159, 255]);
        let text = serde_json::to_string(&media).unwrap();
        assert_eq!(text, r#"{"source":{"bytes":"AJ//"},"name":"a.png","size":3}"#);
        assert_eq!(serde_json::from_str::<MediaRef>(&text).unwrap(), media);
        assert!(serde_json::from_str::<MediaSource>(r#"{"bytes":"!"}"#).is_err());
        assert!(format!("{media:?}").contains("3 bytes"));
    }
}

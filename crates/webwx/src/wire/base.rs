//! The common part of nearly all calls: `BaseRequest` and `BaseResponse` (section 4.3 of the protocol reference).

use std::fmt;

use serde::{Deserialize, Serialize};

use super::lenient;

/// The identity of the client. The values are secrets.
#[derive(Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct BaseRequest<T = String> {
    pub(crate) uin: u64,
    pub(crate) sid: T,
    pub(crate) skey: T,
    #[serde(rename = "DeviceID")]
    pub(crate) device_id: String,
}

impl<T> fmt::Debug for BaseRequest<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BaseRequest").field("uin", &self.uin).finish_non_exhaustive()
    }
}

/// The result of a call: granted or refused.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(crate) struct BaseResponse {
    #[serde(deserialize_with = "lenient::maybe_number")]
    pub(crate) ret: Option<i64>,
    #[serde(deserialize_with = "lenient::text")]
    pub(crate) err_msg: String,
}

/// The common part of all JSON answers.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct Envelope {
    #[serde(deserialize_with = "lenient::maybe_object")]
    pub(super) base_response: Option<BaseResponse>,
}

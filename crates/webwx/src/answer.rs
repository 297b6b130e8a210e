//! An answer of the service (status, headers, the whole body), and the ways to read it.

use std::borrow::Cow;

use bytes::Bytes;
use reqwest::header::{HeaderMap, LOCATION};
use serde::de::DeserializeOwned;

use crate::Call;
use crate::error::{CallError, Failure};
use crate::redact::excerpt;
use crate::wire::decode;

/// The most bytes of a body that an excerpt is made from.
const LONGEST_EXCERPT: usize = 4096;

/// An answer of the service.
pub(crate) struct Answer {
    pub(crate) call: Call,
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    /// The body as text, with invalid UTF-8 replaced.
    pub(crate) fn text(&self) -> Cow<'_, str> {
        decode::text(&self.body)
    }

    /// The beginning of the body, for an error message.
    fn beginning(&self) -> String {
        excerpt(&decode::text(&self.body[..self.body.len().min(LONGEST_EXCERPT)]))
    }

    /// Fails unless the HTTP status is 2xx.
    pub(crate) fn ok(self) -> Result<Self, CallError> {
        if (200..300).contains(&self.status) { Ok(self) } else { Err(self.bad_status()) }
    }

    pub(crate) fn bad_status(&self) -> CallError {
        let body = self.beginning();
        CallError::new(self.call, Failure::Status { status: self.status, body })
    }

    pub(crate) fn unreadable(&self, what: &'static str) -> CallError {
        let failure = Failure::Unreadable { what, body: self.beginning(), cause: None };
        CallError::new(self.call, failure)
    }

    /// The target, if the answer is a redirect.
    pub(crate) fn location(&self) -> Option<&str> {
        let location = self.headers.get(LOCATION)?.to_str().ok()?.trim();
        ((300..400).contains(&self.status) && !location.is_empty()).then_some(location)
    }

    /// Reads JSON and ignores the content type, which is often wrong.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, CallError> {
        decode::json(&self.body).map_err(|error| self.not_json(error))
    }

    fn not_json(&self, error: serde_json::Error) -> CallError {
        let failure = Failure::Unreadable {
            what: "the answer is not JSON",
            body: self.beginning(),
            cause: Some(Box::new(error)),
        };
        CallError::new(self.call, failure)
    }

    /// Reads JSON and fails unless its `Ret` is 0.
    pub(crate) fn granted<T: DeserializeOwned>(self) -> Result<T, CallError> {
        let answer = self.ok()?;
        let base = decode::base_response(&answer.body)
            .map_err(|error| answer.not_json(error))?
            .ok_or_else(|| answer.unreadable("the answer has no BaseResponse"))?;
        match base.ret {
            Some(0) => answer.json(),
            Some(ret) => Err(CallError::refused(answer.call, ret, &base.err_msg)),
            None => Err(answer.unreadable("the answer has no Ret")),
        }
    }
}

//! `GET login.weixin.qq.com/qrcode/{uuid}` (section 5.2 of the protocol reference): the QR code as a picture.

use bytes::Bytes;

use crate::hosts::Role;
use crate::percent::encode;
use crate::{Call, CallError, Client, LoginId};

impl Client {
    /// The QR code as a JPEG. The QR code of [`qr_text`](Self::qr_text) is the same and needs no call.
    ///
    /// # Errors
    ///
    /// [`CallError`] if the call fails.
    pub async fn qr_image(&self, login: &LoginId) -> Result<Bytes, CallError> {
        let url = format!("{}/qrcode/{}", self.hosts().base(Role::Qr), encode(login.as_str()));
        let answer = self.send(self.request_to(Call::QrImage, url)).await?.ok()?;
        if answer.body.is_empty() {
            return Err(answer.unreadable("the picture is empty"));
        }
        Ok(answer.body)
    }
}

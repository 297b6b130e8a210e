//! `POST webwxsendmsg` (section 7 of the protocol reference): sends a text.

use serde::Serialize;

use crate::wire::{BaseRequest, Sent};
use crate::{Call, CallError, Client, ClientMsgId};

/// A text to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutgoingText {
    /// The id of the person or group.
    pub to: String,
    /// Plain text with `\n` between lines. Nothing is escaped.
    pub text: String,
    /// The client's id of the message. Use the same for a retry.
    pub id: ClientMsgId,
}

/// The envelope of all sending calls.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Envelope<M, T = String> {
    pub(crate) base_request: BaseRequest<T>,
    pub(crate) msg: M,
    pub(crate) scene: u8,
}

/// The common fields of all messages.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Msg<'a> {
    #[serde(rename = "Type")]
    pub(crate) kind: u8,
    pub(crate) content: &'a str,
    pub(crate) from_user_name: &'a str,
    pub(crate) to_user_name: &'a str,
    #[serde(rename = "LocalID")]
    pub(crate) local_id: &'a str,
    pub(crate) client_msg_id: &'a str,
}

impl<'a> Msg<'a> {
    pub(crate) fn new(
        kind: u8,
        content: &'a str,
        from: &'a str,
        to: &'a str,
        id: &'a ClientMsgId,
    ) -> Self {
        let id = id.as_str();
        Self {
            kind,
            content,
            from_user_name: from,
            to_user_name: to,
            local_id: id,
            client_msg_id: id,
        }
    }
}

impl Client {
    /// Sends a text. The service drops a second message with the same id.
    ///
    /// # Errors
    ///
    /// [`CallError`]. Check [`may_have_taken_effect`](CallError::may_have_taken_effect) before a retry.
    pub async fn send_text(&self, text: &OutgoingText) -> Result<Sent, CallError> {
        self.send_content(1, text).await
    }

    /// Forwards a location: the text is the original XML of the message with it.
    ///
    /// # Errors
    ///
    /// As [`send_text`](Self::send_text).
    pub async fn send_location(&self, location: &OutgoingText) -> Result<Sent, CallError> {
        self.send_content(48, location).await
    }

    async fn send_content(&self, kind: u8, text: &OutgoingText) -> Result<Sent, CallError> {
        let request = self.session_request(Call::SendMsg);
        let request = self.look(|session| {
            let msg = Msg::new(kind, &text.text, &session.user_name, &text.to, &text.id);
            request.json(&Envelope { base_request: session.base_request(), msg, scene: 0 })
        });
        self.granted(request).await
    }
}

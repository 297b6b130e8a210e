//! `POST webwxsendappmsg` (section 7 of the protocol reference): sends an uploaded file.

use quick_xml::escape::escape;
use serde::Serialize;

use super::send_msg::{Envelope, Msg};
use crate::wire::Sent;
use crate::{Call, CallError, Client, ClientMsgId, Uploaded};

/// The app id of files that the genuine page sends.
const FILE_APP: &str = "wxeb7ec651dd0aefa9";

/// An uploaded file to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutgoingFile {
    /// The id of the person or group.
    pub to: String,
    /// The name of the file that the receiver sees.
    pub name: String,
    /// The result of the upload.
    pub file: Uploaded,
    /// The client's id of the message. Use the same for a retry.
    pub id: ClientMsgId,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct FileMsg<'a> {
    #[serde(flatten)]
    msg: Msg<'a>,
    #[serde(skip_serializing_if = "str::is_empty")]
    signature: &'a str,
}

impl Client {
    /// Sends a file.
    ///
    /// # Errors
    ///
    /// As [`send_text`](Self::send_text).
    pub async fn send_file(&self, file: &OutgoingFile) -> Result<Sent, CallError> {
        let own = self.user_name();
        let desktop = self.options.desktop.is_some();
        let content = file_xml(file, if desktop { "" } else { FILE_APP });
        let msg = FileMsg {
            msg: Msg::new(6, &content, &own, &file.to, &file.id),
            signature: &file.file.signature,
        };
        let envelope = Envelope { base_request: self.base_request(), msg, scene: 0 };
        let mut request =
            self.session_request(Call::SendApp).query("fun", "async").query("f", "json");
        if desktop {
            request = request.query("mod", "desktop");
        }
        self.granted(request.json(&envelope)).await
    }
}

fn file_xml(file: &OutgoingFile, app: &str) -> String {
    let extension = file.name.rsplit_once('.').map_or("", |(_, extension)| extension);
    // A control character would make the whole message unreadable.
    let text = |text: &str| {
        escape(text.chars().filter(|c| !c.is_control()).collect::<String>()).into_owned()
    };
    format!(
        "<appmsg appid='{app}' sdkver=''><title>{}</title><des></des><action></action><type>6</type><content></content>\
         <url></url><lowurl></lowurl><appattach><totallen>{}</totallen><attachid>{}</attachid><fileext>{}</fileext>\
         </appattach><extinfo></extinfo></appmsg>",
        text(&file.name),
        file.file.size,
        text(&file.file.media_id),
        text(extension),
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::wire::xml::Element;

    fn file(name: &str) -> OutgoingFile {
        let file = Uploaded { media_id: "@crypt_1".to_owned(), size: 7, signature: String::new() };
        OutgoingFile {
            to: "@a".to_owned(),
            name: name.to_owned(),
            file,
            id: ClientMsgId::new(1, 1),
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn any_name_survives_in_the_xml(name in "[^\\p{Cc}\\s]{1,12}( [^\\p{Cc}\\s]{1,12})?") {
            let root = Element::parse(&file_xml(&file(&name), FILE_APP)).unwrap();
            prop_assert_eq!(root.text_at(&["title"]), name.as_str());
            prop_assert_eq!(root.text_at(&["appattach", "totallen"]), "7");
            prop_assert_eq!(root.text_at(&["appattach", "attachid"]), "@crypt_1");
        }
    }
}

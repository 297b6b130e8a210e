//! `POST webwxcheckupload` (section 8.2 of the protocol reference): whether the service already has a large file.

use serde::{Deserialize, Serialize};

use crate::wire::{BaseRequest, lenient};
use crate::{Call, CallError, Client};

/// The service's number for a file in this call.
const FILE_TYPE: u8 = 7;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Body<'a> {
    base_request: BaseRequest,
    file_md5: &'a str,
    file_name: &'a str,
    file_size: u64,
    file_type: u8,
    from_user_name: &'a str,
    to_user_name: &'a str,
}

/// A file that the service may have. The values are secrets.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(crate) struct Checked {
    /// Not empty if the service already has the file.
    #[serde(deserialize_with = "lenient::text")]
    pub(crate) media_id: String,
    #[serde(rename = "AESKey", deserialize_with = "lenient::text")]
    pub(crate) aes_key: String,
    #[serde(deserialize_with = "lenient::text")]
    pub(crate) signature: String,
}

impl Client {
    pub(crate) async fn check_upload(
        &self,
        to: &str,
        name: &str,
        md5: &str,
        size: u64,
    ) -> Result<Checked, CallError> {
        let own = self.user_name();
        let body = Body {
            base_request: self.base_request(),
            file_md5: md5,
            file_name: name,
            file_size: size,
            file_type: FILE_TYPE,
            from_user_name: &own,
            to_user_name: to,
        };
        self.granted(self.session_request(Call::CheckUpload).json(&body)).await
    }
}

//! `POST webwxstatreport` (section 6.8 of the protocol reference): what the genuine page tells about its use.

use serde::Serialize;
use serde_json::json;

use crate::{Call, CallError, Client, ids};

/// Something to report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Report {
    /// Buttons that were pressed: the name of each, and when, in milliseconds since 1970.
    Clicks(Vec<(String, u64)>),
    /// Something that went wrong: its kind, e.g. `init-error`, and what is known about it.
    Error {
        /// Its kind.
        kind: String,
        /// What is known about it.
        data: String,
    },
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Body {
    base_request: Base,
    count: usize,
    list: Vec<Item>,
}

/// Here the genuine client leaves the skey out.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Base {
    uin: u64,
    sid: String,
    #[serde(rename = "DeviceID")]
    device_id: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Item {
    #[serde(rename = "Type")]
    kind: u8,
    text: String,
}

impl Report {
    fn item(&self) -> Item {
        match self {
            Self::Clicks(clicks) => {
                let click = |(action, time): &(String, u64)| json!({"type": "click", "action": action, "time": time});
                let actions: Vec<_> = clicks.iter().map(click).collect();
                Item {
                    kind: 1,
                    text: json!({"type": "[action-record]", "data": {"actions": actions}})
                        .to_string(),
                }
            }
            Self::Error { kind, data } => Item {
                kind: 2,
                text: json!({"type": format!("[{kind}]"), "data": data}).to_string(),
            },
        }
    }
}

impl Client {
    /// Reports. The genuine client does so every `click_report_interval` of [`Init`](crate::wire::Init), and on errors.
    ///
    /// # Errors
    ///
    /// [`CallError`] if it did not arrive; of no consequence.
    pub async fn report(&self, reports: &[Report]) -> Result<(), CallError> {
        let base_request = self.look(|session| Base {
            uin: session.uin,
            sid: session.sid.clone(),
            device_id: ids::device_id(),
        });
        let list: Vec<Item> = reports.iter().map(Report::item).collect();
        let body = Body { base_request, count: list.len(), list };
        let request = self.session_request(Call::StatReport).query("fun", "new").json(&body);
        self.send(request).await?.ok().map(drop)
    }
}

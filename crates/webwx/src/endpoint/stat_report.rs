//! `POST webwxstatreport` (section 6.8 of the protocol reference): the usage statistics of the genuine page.

use serde::Serialize;
use serde_json::json;

use crate::{Call, CallError, Client, ids};

/// An entry of the statistics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Report {
    /// Clicks on buttons: the name of each, and its time in milliseconds since 1970.
    Clicks(Vec<(String, u64)>),
    /// An error: its kind, e.g. `init-error`, and its details.
    Error {
        /// Its kind.
        kind: String,
        /// Its details.
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

/// The genuine client omits the skey here.
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
    /// Sends statistics. The genuine client does so every `click_report_interval` of [`Init`](crate::wire::Init), and
    /// on errors.
    ///
    /// # Errors
    ///
    /// [`CallError`] if the call fails. The failure has no consequences.
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

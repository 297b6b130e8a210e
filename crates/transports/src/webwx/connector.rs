//! WeChat Web in the table of services.

use std::sync::Arc;

use mynah_core::{Capabilities, Prompt, Records, Transport, Words};
use mynah_reader::{Key, Kind};

use super::{DesktopToken, Options, WebWx, service, stored_session};
use crate::connector::{Connector, SettingError, Surroundings};
use crate::settings::Values;

/// WeChat Web.
#[derive(Debug, Clone, Copy)]
pub struct WebWxConnector;

const KEYS: &[Key] = &[
    Key::new(
        "server",
        Kind::Url,
        "another server in place of all hosts of the service",
        "代替微信全部域名的服务器地址",
    ),
    Key::new(
        "desktop_token",
        Kind::Text,
        "the token of the desktop client, for accounts that the web login refuses",
        "桌面版的令牌，供网页登录被拒的账号使用",
    )
    .secret(),
];

impl Connector for WebWxConnector {
    fn name(&self) -> &'static str {
        service::TRANSPORT
    }

    fn title(&self) -> Words {
        Words::fixed("WeChat Web", "网页版微信")
    }

    fn keys(&self) -> &'static [Key] {
        KEYS
    }

    fn capabilities(&self) -> Arc<Capabilities> {
        Arc::new(service::capabilities())
    }

    fn login_words(&self, prompt: &Prompt) -> Words {
        match prompt {
            Prompt::Scan { .. } => Words::fixed(
                "scan the QR code with WeChat on the phone",
                "请用手机微信扫描二维码登录",
            ),
            Prompt::Confirm { .. } => {
                Words::fixed("confirm the login on the phone", "请在手机上确认登录")
            }
        }
    }

    fn has_session(&self, records: &Records) -> bool {
        stored_session(records).is_logged_in()
    }

    fn open(
        &self,
        account: &Values,
        around: &Surroundings,
    ) -> Result<Box<dyn Transport>, SettingError> {
        Ok(Box::new(WebWx::new(Options {
            server: account.text("server").map(str::to_owned),
            server_of_session: around.is_at_rest,
            desktop: account.text("desktop_token").map(DesktopToken::new),
            names: around.called_by.clone(),
            clock: Arc::clone(&around.clock),
            patience: around.patience,
            ..Options::default()
        })))
    }
}

//! Standard input and output in the table of services.

use std::sync::Arc;

use mynah_core::{Capabilities, Prompt, Transport, Words};
use mynah_reader::{Key, Kind};

use super::{Options, Stdio, service};
use crate::connector::{Connector, STANDARD_STREAMS, SettingError, Surroundings};
use crate::settings::Values;

/// Standard input and output.
#[derive(Debug, Clone, Copy)]
pub struct StdioConnector;

const KEYS: &[Key] = &[
    Key::new(
        "me",
        Kind::Text,
        "the name of the account, which calls the bot",
        "账号的名字，@ 它就是叫机器人",
    ),
    Key::new(
        "friends",
        Kind::Names,
        "the ids of the people whom names in the rule file mean",
        "规则文件里的名字各指哪个 id 的人",
    ),
    Key::new(
        "outcomes",
        Kind::Duration { or_zero: false },
        "how long an action waits for the line with its outcome",
        "每个动作等待结果行的时间",
    ),
];

impl Connector for StdioConnector {
    fn name(&self) -> &'static str {
        service::TRANSPORT
    }

    fn title(&self) -> Words {
        Words::fixed("standard input and output", "标准输入输出")
    }

    fn keys(&self) -> &'static [Key] {
        KEYS
    }

    fn capabilities(&self) -> Arc<Capabilities> {
        Arc::new(service::capabilities())
    }

    fn has_login(&self) -> bool {
        false
    }

    fn login_words(&self, _prompt: &Prompt) -> Words {
        Words::fixed("there is no login", "无需登录")
    }

    fn exclusive(&self, _account: &Values) -> Vec<String> {
        vec![STANDARD_STREAMS.to_owned()]
    }

    fn open(
        &self,
        account: &Values,
        around: &Surroundings,
    ) -> Result<Box<dyn Transport>, SettingError> {
        Ok(Box::new(Stdio::new(Options {
            me: account.text("me").map(str::to_owned),
            friends: account.names("friends").cloned().unwrap_or_default(),
            outcomes: account.duration("outcomes"),
            names: around.called_by.clone(),
            clock: Arc::clone(&around.clock),
        })))
    }
}

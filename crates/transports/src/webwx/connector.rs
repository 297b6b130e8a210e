//! WeChat Web in the table of services.

use std::path::Path;
use std::sync::Arc;

use mynah_core::{Capabilities, Prompt, Records, Transport, Words};
use mynah_reader::{Key, Kind};

use super::{DesktopToken, Options, WebWx, service, stored_session};
use crate::connector::{Cause, Connector, SecretSource, SettingError, Surroundings};
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
        DESKTOP_TOKEN.key,
        Kind::Text,
        "the token of the desktop client, for accounts that the web login refuses",
        "桌面版的令牌，供网页登录被拒的账号使用",
    )
    .secret(),
];

/// The token of the desktop (UOS) client.
const DESKTOP_TOKEN: SecretSource =
    SecretSource { key: "desktop_token", variable: "MYNAH_DESKTOP_TOKEN", file: "desktop-token" };

/// The texts in reasons, and their causes. The first that fits counts: codes say more than the sentences around them.
const CAUSES: [(&str, Cause); 16] = [
    ("only the owner of a group", Cause::NotOwner),
    ("1100 (", Cause::LoggedOut),
    ("1101 (", Cause::Replaced),
    ("1102 (", Cause::SessionOver),
    ("1203 (", Cause::LoginRefused),
    ("1205 (", Cause::TooFrequent),
    ("too frequent", Cause::TooFrequent),
    ("not a friend", Cause::NotFriend),
    ("no file descriptor", Cause::NoDescriptors),
    ("could not be reached", Cause::Unreachable),
    ("no answer in time", Cause::TimedOut),
    ("connection broke", Cause::Interrupted),
    ("HTTP status 5", Cause::ServiceFailed),
    ("HTTP status", Cause::Refused),
    ("refused with", Cause::Refused),
    ("file could not be read", Cause::File),
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

    fn secrets(&self) -> &'static [SecretSource] {
        &[DESKTOP_TOKEN]
    }

    fn refused_login(&self, words: &str, account: &Values, data: &Path) -> Words {
        let (variable, file) = (DESKTOP_TOKEN.variable, data.join(DESKTOP_TOKEN.file));
        let file = file.display();
        if account.has(DESKTOP_TOKEN.key) {
            return refused_with_token(words, variable, &file.to_string());
        }
        Words::new(
            format!(
                "WeChat does not let this account log in through the web (code 1203: {words}). This is a decision of \
                 WeChat about the account, not a fault of this program. Set the environment variable {variable} to \
                 the token of the desktop (UOS) client, or write the token into {file}, and try again; or use \
                 another account"
            ),
            format!(
                "微信不允许此账号登录网页版（错误 1203：{words}）。这是微信对该账号的限制，不是本程序的故障。可将桌面版（UOS）\
                 令牌设置到环境变量 {variable}，或写入文件 {file}，然后重试；也可以换一个账号"
            ),
        )
    }

    fn cause(&self, reason: &str) -> Option<Cause> {
        CAUSES.iter().find(|(part, _)| reason.contains(part)).map(|(_, cause)| *cause)
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

fn refused_with_token(words: &str, variable: &str, file: &str) -> Words {
    Words::new(
        format!(
            "WeChat does not let this account log in, although the token of the desktop client was sent (code \
             1203: {words}). This is a decision of WeChat, not a fault of this program. Check that the token in \
             {variable}, in {file} or in the configuration is complete and still valid; or use another account"
        ),
        format!(
            "已使用桌面版令牌，微信仍不允许此账号登录（错误 1203：{words}）。这是微信的限制，不是本程序的故障。请确认 \
             {variable}、{file} 或配置文件中的令牌完整且仍然有效；也可以换一个账号"
        ),
    )
}

#[cfg(test)]
mod tests {
    use mynah_core::with_causes;
    use mynah_reader::Lang;
    use mynah_webwx::{Call, CallError, Code, Failure};

    use super::*;
    use crate::settings::Value;

    #[test]
    fn a_refused_login_says_what_it_means_and_what_to_do() {
        let variable = DESKTOP_TOKEN.variable;
        for (lang, given, expected) in [
            (Lang::En, false, ["not a fault", variable, "d/desktop-token", "another account"]),
            (Lang::En, true, ["not a fault", variable, "still valid", "another account"]),
            (Lang::Zh, false, ["不是本程序的故障", variable, "d/desktop-token", "换一个账号"]),
            (Lang::Zh, true, ["不是本程序的故障", variable, "仍然有效", "换一个账号"]),
        ] {
            let mut account = Values::default();
            if given {
                account.set(DESKTOP_TOKEN.key, Value::Text("s3cret".to_owned()));
            }
            let text = WebWxConnector.refused_login("words", &account, Path::new("d"));
            let text = text.of(lang);
            let all = expected.iter().chain(&["1203", "words"]);
            assert!(all.clone().all(|part| text.contains(part)), "{text}");
            assert!(!text.contains("  ") && !text.contains("s3cret"), "{text}");
        }
    }

    fn call(failure: Failure) -> String {
        with_causes(&CallError { call: Call::SyncCheck, failure })
    }

    #[test]
    fn errors_of_the_connection_have_a_cause() {
        let status = |status| call(Failure::Status { status, body: "<html>".to_owned() });
        let refused =
            |code: i64| call(Failure::Refused { code: Code::from(code), words: String::new() });
        for (reason, expected) in [
            (call(Failure::Unreachable("dns".into())), Cause::Unreachable),
            (call(Failure::NoDescriptors("24".into())), Cause::NoDescriptors),
            (call(Failure::TimedOut), Cause::TimedOut),
            (call(Failure::Interrupted("reset".into())), Cause::Interrupted),
            (status(502), Cause::ServiceFailed),
            (status(404), Cause::Refused),
            (refused(1100), Cause::LoggedOut),
            (refused(1101), Cause::Replaced),
            (refused(1102), Cause::SessionOver),
            (refused(1204), Cause::NotFriend),
            (refused(1205), Cause::TooFrequent),
            (refused(-1), Cause::Refused),
        ] {
            assert_eq!(WebWxConnector.cause(&reason), Some(expected), "{reason}");
        }
        assert_eq!(WebWxConnector.cause("something new"), None);
    }
}

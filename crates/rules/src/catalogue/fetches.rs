//! Messages about requests to web services.

use super::{Lang, say};
use crate::problem::BadFetch;

#[expect(clippy::too_many_lines, reason = "a table: a line for each mistake")]
pub(super) fn message(bad: &BadFetch, lang: Lang) -> String {
    match bad {
        BadFetch::Address { found } => say!(
            lang,
            "\"{found}\" is not an address that begins with https:// or http://",
            "\"{found}\" 不是以 https:// 或 http:// 开头的地址"
        ),
        BadFetch::Host { found } => {
            say!(lang, "\"{found}\" is not a host", "\"{found}\" 不是主机")
        }
        BadFetch::Port { found } => say!(
            lang,
            "the port \"{found}\" is not a number from 1 to 65535",
            "端口 \"{found}\" 不是 1 到 65535 的数"
        ),
        BadFetch::NamedHost { found } => say!(
            lang,
            "the host is fixed: no name and no secret in \"{found}\"",
            "主机必须固定：“{found}”里不能有名字或密钥"
        ),
        BadFetch::UserInfo => {
            say!(lang, "an address has no user name before the host", "地址的主机前面不能写用户名")
        }
        BadFetch::Fragment => {
            say!(lang, "the part behind # is not sent", "# 后面的内容不会发出")
        }
        BadFetch::Percent => {
            say!(lang, "% needs two hex digits behind it", "% 后面必须是两位十六进制数字")
        }
        BadFetch::TooLong { most } => say!(
            lang,
            "the address is too long: at most {most} characters",
            "地址太长：最多 {most} 个字符"
        ),
        BadFetch::SecretInBraces { secret } => say!(
            lang,
            "the secret {secret} is inside of the braces of a name",
            "密钥 {secret} 写在了名字的花括号里"
        ),
        BadFetch::NotRead => {
            say!(lang, "a part of this request is not valid", "这个请求有一部分无法读取")
        }
        BadFetch::Dots => {
            say!(lang, "a part of the path is . or ..", "路径里有一段是 . 或 ..")
        }
        BadFetch::Pointer { found } => {
            say!(lang, "\"{found}\" is not a JSON pointer", "\"{found}\" 不是 JSON 指针")
        }
        BadFetch::TakenTwice { name } => {
            say!(lang, "{{{name}}} is a capture already", "{{{name}}} 已经是捕获")
        }
        BadFetch::Header { name } => {
            say!(lang, "\"{name}\" is not the name of a header", "\"{name}\" 不是请求头的名称")
        }
        BadFetch::OwnHeader { name } => {
            say!(lang, "the program sets the header {name} itself", "请求头 {name} 由程序自己设置")
        }
        BadFetch::HeaderBreak { name } => say!(
            lang,
            "the header {name} has a line break or another control character",
            "请求头 {name} 里有换行或其他控制字符"
        ),
        BadFetch::SecretIsCapture { name } => say!(
            lang,
            "${{{name}}} is a secret, and {{{name}}} a capture",
            "${{{name}}} 是密钥，{{{name}}} 才是捕获"
        ),
        BadFetch::JsonText => say!(
            lang,
            "a name inside of JSON that is written as text can change the JSON",
            "写成文字的 JSON 里的名字可能改变整个 JSON"
        ),
        BadFetch::Status { found } => {
            say!(lang, "\"{found}\" is not a list of statuses", "\"{found}\" 不是状态码列表")
        }
        BadFetch::Timeout { most } => {
            say!(lang, "a request waits at most {most}s", "一次请求最多等 {most}s")
        }
        BadFetch::NotOpened { host, .. } => {
            say!(lang, "the operator did not open the host {host}", "运维者没有开放主机 {host}")
        }
        BadFetch::NotGiven { name, host } => say!(
            lang,
            "the operator did not give the secret {name} to {host}",
            "运维者没有把密钥 {name} 交给 {host}"
        ),
        BadFetch::Refused { en, zh } => {
            say!(lang, "this request is not sent: {en}", "不会发出这个请求：{zh}")
        }
        BadFetch::PrivateMedia { host } => {
            say!(lang, "{host} is not on the public internet", "{host} 不在公网上")
        }
        BadFetch::NamedMedia { found } => say!(
            lang,
            "\"{found}\" is neither fixed nor exactly one taken name",
            "\"{found}\" 既不是固定地址，也不是单独一个取到的名字"
        ),
    }
}

#[expect(clippy::too_many_lines, reason = "a table: a line for each mistake")]
pub(super) fn hint(bad: &BadFetch, lang: Lang) -> Option<String> {
    Some(match bad {
        BadFetch::Address { .. } => say!(
            lang,
            "like url = \"https://api.example.com/w?q={{city}}\"",
            "如 url = \"https://api.example.com/w?q={{city}}\""
        ),
        BadFetch::NamedHost { .. } => say!(
            lang,
            "names stand behind the host: https://api.example.com/{{city}}",
            "名字写在主机后面：https://api.example.com/{{city}}"
        ),
        BadFetch::UserInfo => say!(
            lang,
            "write headers = {{ Authorization = \"Basic ${{KEY}}\" }}",
            "请写 headers = {{ Authorization = \"Basic ${{KEY}}\" }}"
        ),
        BadFetch::Fragment => {
            say!(lang, "take it out; a # in a value is %23", "去掉它；值里的 # 写成 %23")
        }
        BadFetch::Host { .. } => say!(
            lang,
            "like https://api.example.com/{{city}}",
            "如 https://api.example.com/{{city}}"
        ),
        BadFetch::Port { .. } => say!(
            lang,
            "like https://api.example.com:8443/{{city}}",
            "如 https://api.example.com:8443/{{city}}"
        ),
        BadFetch::Percent => {
            say!(lang, "write %25 for the character %", "字符 % 本身写成 %25")
        }
        BadFetch::SecretInBraces { secret } => say!(
            lang,
            "write it outside of the braces: \"Bearer {secret}\"",
            "请写在花括号外面：\"Bearer {secret}\""
        ),
        BadFetch::PrivateMedia { host } => say!(
            lang,
            "if the bot may fetch it, add to mynah.toml: [fetch] private = [\"{host}\"]",
            "如果允许机器人获取它，请在 mynah.toml 里加上：[fetch] private = [\"{host}\"]"
        ),
        BadFetch::Dots => say!(lang, "write the path without it", "请写不含它的路径"),
        BadFetch::Pointer { .. } => say!(
            lang,
            "like \"/now/temp\" or \"/list/0/name\"; \"text\" takes the whole answer",
            "如 \"/now/temp\" 或 \"/list/0/name\"；\"text\" 取整个回答"
        ),
        BadFetch::TakenTwice { .. } => say!(lang, "choose another name", "换一个名字"),
        BadFetch::Header { .. } => {
            say!(lang, "letters, digits, - and _ only", "只能用字母、数字、- 和 _")
        }
        BadFetch::SecretIsCapture { name } => {
            say!(lang, "write {{{name}}} without $ for the capture", "捕获请写 {{{name}}}，不带 $")
        }
        BadFetch::JsonText => say!(
            lang,
            "write a table: body = {{ q = \"{{text}}\" }}",
            "请写成表：body = {{ q = \"{{text}}\" }}"
        ),
        BadFetch::Status { .. } => {
            say!(lang, "like 404 or \"200-299, 404\"", "如 404 或 \"200-299, 404\"")
        }
        BadFetch::NotOpened { host, list } => say!(
            lang,
            "if the bot may ask it, add to mynah.toml: [fetch] {list} = [\"{host}\"]",
            "如果允许机器人请求它，请在 mynah.toml 里加上：[fetch] {list} = [\"{host}\"]"
        ),
        BadFetch::NotGiven { name, host } => say!(
            lang,
            "if this host may get it, add to mynah.toml: [fetch] secrets = {{ {name} = \"{host}\" }}",
            "如果可以发给这个主机，请在 mynah.toml 里加上：[fetch] secrets = {{ {name} = \"{host}\" }}"
        ),
        BadFetch::NamedMedia { .. } => say!(
            lang,
            "take the whole address: take = {{ pic = \"/url\" }}, image = \"{{pic}}\"",
            "请取完整的地址：take = {{ pic = \"/url\" }}，image = \"{{pic}}\""
        ),
        BadFetch::OwnHeader { .. }
        | BadFetch::HeaderBreak { .. }
        | BadFetch::Timeout { .. }
        | BadFetch::Refused { .. }
        | BadFetch::TooLong { .. }
        | BadFetch::NotRead => return None,
    })
}

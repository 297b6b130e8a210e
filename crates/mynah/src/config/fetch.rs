//! `[fetch]`: the hosts to which rules may send requests.

use mynah_fetch::{BadHost, FetchSettings, HostPattern, HostSecret, SecretText, Target};
use mynah_reader::{Lang, Reading, Values as Table, Words, say};

use super::read::both;

/// The settings of `[fetch]`. `variable` gives the environment.
pub(super) fn settings(
    values: &Table,
    variable: &dyn Fn(&str) -> Option<String>,
    reading: &mut Reading<'_>,
) -> FetchSettings {
    let Some(table) = values.section("fetch") else { return FetchSettings::default() };
    let mut settings = FetchSettings {
        hosts: hosts(table, reading),
        private: private(table, reading),
        proxy: table.text("proxy").map(SecretText::new),
        ..FetchSettings::default()
    };
    // Other mistakes may be the reason why a host is missing.
    let are_known = !table.has_key("hosts") || table.get("hosts").is_some();
    for (name, host) in table.names("secrets").into_iter().flatten() {
        let Some(host) = parsed("secrets", host, table, reading) else { continue };
        let mut opened = settings.hosts.iter().chain(&settings.private);
        if are_known && !opened.any(|one| one.overlaps(&host)) {
            not_opened(name, &host, table, reading);
        }
        match variable(name).filter(|value| !value.is_empty()) {
            Some(value) => {
                let value = SecretText::new(value);
                settings.secrets.insert(name.clone(), HostSecret { host, value });
            }
            None => not_set(name, table, reading),
        }
    }
    settings
}

fn hosts(table: &Table, reading: &mut Reading<'_>) -> Vec<HostPattern> {
    let mut hosts = Vec::new();
    for text in table.texts("hosts").unwrap_or_default() {
        let Some(host) = parsed("hosts", text, table, reading) else { continue };
        if !host.may_be_public() {
            let message =
                both(|lang| say!(lang, "{host} is not a public address", "{host} 不是公网地址"));
            let example = match host.port() {
                Some(_) => host.to_string(),
                None => format!("{host}:80"),
            };
            let hint = both(|lang| {
                say!(
                    lang,
                    "put it into private = [\"{example}\"] instead, with its port",
                    "请改写到 private = [\"{example}\"]，并写上端口"
                )
            });
            reading.report("value", table.place("hosts"), message, hint);
        }
        hosts.push(host);
    }
    hosts
}

fn private(table: &Table, reading: &mut Reading<'_>) -> Vec<HostPattern> {
    let mut hosts = Vec::new();
    for text in table.texts("private").unwrap_or_default() {
        let Some(host) = parsed("private", text, table, reading) else { continue };
        match host.port() {
            Some(_) => hosts.push(host),
            None => not_a_host("private", text, BadHost::NoPort, table, reading),
        }
    }
    hosts
}

fn parsed(key: &str, text: &str, table: &Table, reading: &mut Reading<'_>) -> Option<HostPattern> {
    let parsed = text.parse();
    parsed.map_err(|why| not_a_host(key, text, why, table, reading)).ok()
}

fn not_a_host(key: &str, text: &str, why: BadHost, table: &Table, reading: &mut Reading<'_>) {
    let message = both(|lang| say!(lang, "\"{text}\" is not a host", "“{text}”不是主机"));
    let hint = match why {
        BadHost::Scheme | BadHost::Path | BadHost::User => without_address(text),
        BadHost::Wildcard => Words::fixed(
            "name each host: a wildcard would open hosts of strangers",
            "请逐个写出主机：通配符会放行别人的主机",
        ),
        BadHost::Port => {
            Words::fixed("the port is a number from 1 to 65535", "端口是 1 到 65535 的数字")
        }
        BadHost::NoPort => {
            let text = text.trim();
            let message =
                both(|lang| say!(lang, "the port of \"{text}\" is missing", "“{text}”缺少端口"));
            let hint = both(|lang| say!(lang, "write {text}:80", "请写 {text}:80"));
            reading.report("value", table.place(key), message, hint);
            return;
        }
        BadHost::Invalid => Words::fixed(
            "write a name like api.example.com, or an address like 192.0.2.1; IPv6 in brackets",
            "请写域名，如 api.example.com，或地址，如 192.0.2.1；IPv6 地址加方括号",
        ),
    };
    reading.report("value", table.place(key), message, hint);
}

/// The host alone, out of an address.
fn without_address(text: &str) -> Words {
    let address = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
    let address = address.split_once('@').map_or(address.as_str(), |(_, rest)| rest);
    let address =
        if address.contains("://") { address.to_owned() } else { format!("https://{address}") };
    match address.parse::<Target>() {
        Ok(target) => {
            let host = target.named();
            both(|lang| say!(lang, "write \"{host}\", the host alone", "请只写主机：\"{host}\""))
        }
        Err(_) => Words::fixed(
            "write the host alone, like api.example.com",
            "请只写主机，如 api.example.com",
        ),
    }
}

fn not_opened(name: &str, host: &HostPattern, table: &Table, reading: &mut Reading<'_>) {
    let message = both(|lang| {
        say!(
            lang,
            "the secret {name} is for {host}, which is not opened to rules",
            "密钥 {name} 要发往 {host}，但这个主机没有放行"
        )
    });
    let hint = both(|lang| say!(lang, "add \"{host}\" to hosts", "在 hosts 里加上 \"{host}\""));
    reading.report("conflict", table.place("secrets"), message, hint);
}

fn not_set(name: &str, table: &Table, reading: &mut Reading<'_>) {
    let message = both(|lang: Lang| {
        say!(lang, "the environment variable {name} is not set", "没有设置环境变量 {name}")
    });
    let hint = both(|lang| say!(lang, "export {name}=…", "export {name}=…"));
    reading.report("variable", table.place("secrets"), message, hint);
}

#[cfg(test)]
mod tests {
    use super::super::{Config, Problems, parse_with};
    use super::*;

    fn parse(text: &str) -> Result<Config, Problems> {
        parse_with(text, &|name| (name == "TOKEN").then(|| "s3cret".to_owned()))
    }

    #[test]
    fn the_opened_hosts_are_read() {
        let config = parse(
            "[fetch]\nhosts = ['api.example.com', '例子.测试:8443']\nprivate = ['127.0.0.1:8000']\n\
             secrets = { TOKEN = 'api.example.com:443' }\nproxy = 'http://me:${TOKEN}@proxy.test:3128'\n",
        )
        .unwrap();
        let fetch = &config.fetch;
        for (url, expected) in [
            ("https://api.example.com/x?y", true),
            ("https://xn--fsqu00a.xn--0zwm56d:8443/", true),
            ("http://127.0.0.1:8000/", true),
            ("http://127.0.0.1/", false),
            ("https://example.com/", false),
        ] {
            assert_eq!(fetch.allows(&url.parse().unwrap()), expected, "{url}");
        }
        assert!(!format!("{config:?}").contains("s3cret"), "secrets are shown nowhere");
        assert_eq!(fetch.secrets["TOKEN"].value, SecretText::new("s3cret"));
    }

    #[test]
    fn mistakes_of_fetching_are_reported_in_both_languages() {
        let text = "[fetch]\nhosts = ['https://api.example.com/v1', '*.example.com', 'a.example.com/x', 'a.example.com:0', \
                    '127.0.0.1:8000', 'localhost', 'a b', 'me@b.example.com']\nprivate = ['127.0.0.1', '10.0.0.1:80']\n\
                    secrets = { TOKEN = 'other.example.com', NO_SUCH = '10.0.0.1:80' }\nproxi = 'x'\n";
        insta::assert_snapshot!("fetch_en", parse(text).unwrap_err().render(Lang::En, false));
        insta::assert_snapshot!("fetch_zh", parse(text).unwrap_err().render(Lang::Zh, false));
        let unset = "[fetch]\nhosts = ['a.example.com']\nsecrets = { NO_SUCH = 'a.example.com' }\n";
        assert!(parse(unset).unwrap_err().is_environment_only());
    }
}

//! The service's host names (section 3 of the protocol reference) and the meaning of the `Host` header.

/// The web host of one of the service's own names; `None` for other hosts.
fn web_host(host: &str) -> Option<&str> {
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let bare = ["login.", "file.", "file2.", "webpush.", "webpush2."]
        .iter()
        .find_map(|role| name.strip_prefix(role))
        .unwrap_or(name);
    match bare {
        "weixin.qq.com" | "web.weixin.qq.com" => Some("wx.qq.com"),
        "wechat.com" => Some("web.wechat.com"),
        bare if bare.ends_with(".qq.com") || bare.ends_with(".wechat.com") => Some(bare),
        _ => None,
    }
}

/// The base address at which a confirmed login continues: the service's names for a client that uses them (through a
/// proxy), else the address that the client used.
pub(crate) fn redirect_base(host: &str) -> String {
    match web_host(host) {
        Some(web) => format!("https://{web}"),
        None => format!("http://{host}"),
    }
}

/// The domain of the cookies; `None` if the client used an IP address.
pub(crate) fn cookie_domain(host: &str) -> Option<String> {
    web_host(host).map(str::to_owned)
}

/// Returns true if an `Origin` is a page of the service.
pub(crate) fn is_own_page(origin: &[u8]) -> bool {
    let text = str::from_utf8(origin).unwrap_or_default();
    text.strip_prefix("https://").is_some_and(|host| web_host(host).is_some())
}

/// `.qq.com` of `wx.qq.com`.
pub(crate) fn parent_domain(host: &str) -> String {
    host.split_once('.').map_or(host.to_owned(), |(_, parent)| format!(".{parent}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirects_follow_the_name_that_the_client_used() {
        for (host, base) in [
            ("127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("localhost:1", "http://localhost:1"),
            ("[::1]:9", "http://[::1]:9"),
            ("login.weixin.qq.com", "https://wx.qq.com"),
            ("login.wx.qq.com", "https://wx.qq.com"),
            ("login.wx2.qq.com:443", "https://wx2.qq.com"),
            ("wx8.qq.com", "https://wx8.qq.com"),
            ("login.web.wechat.com", "https://web.wechat.com"),
            ("webpush.web2.wechat.com", "https://web2.wechat.com"),
            ("login.wechat.com", "https://web.wechat.com"),
            ("webpush2.wx.qq.com", "https://wx.qq.com"),
            ("qq.com.example.org", "http://qq.com.example.org"),
        ] {
            assert_eq!(redirect_base(host), base);
        }
        assert_eq!(parent_domain("wx.qq.com"), ".qq.com");
        assert_eq!(parent_domain("web.wechat.com"), ".wechat.com");
    }
}

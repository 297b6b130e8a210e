//! Answers in JavaScript: a few assignments, which are read without running them (sections 5.1, 5.3 and 6.5).

/// The value after `name =` or `name:`, quoted or bare, with optional blanks. `None` if the name does not occur.
pub(crate) fn value<'a>(script: &'a str, name: &str) -> Option<&'a str> {
    script.match_indices(name).find_map(|(at, _)| {
        let before = script[..at].chars().next_back();
        if before.is_some_and(is_word) {
            return None;
        }
        assigned(&script[at + name.len()..])
    })
}

/// The value as a number.
pub(crate) fn number(script: &str, name: &str) -> Option<i64> {
    value(script, name)?.trim().parse().ok()
}

fn assigned(after: &str) -> Option<&str> {
    let after = after.strip_prefix(['"', '\'']).unwrap_or(after).trim_start();
    let value = after.strip_prefix(['=', ':'])?.trim_start();
    match value.chars().next()? {
        quote @ ('"' | '\'') => {
            let inside = &value[1..];
            inside.find(quote).map(|end| &inside[..end])
        }
        _ => {
            let end =
                value.find(|c: char| !(is_word(c) || c == '-' || c == '.')).unwrap_or(value.len());
            (end > 0).then(|| &value[..end])
        }
    }
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn values_are_found_in_every_form() {
        for (script, name, expected) in [
            (
                r#"window.QRLogin.code = 200; window.QRLogin.uuid = "4a914KmLzA==";"#,
                "QRLogin.code",
                Some("200"),
            ),
            (
                r#"window.QRLogin.code = 200; window.QRLogin.uuid = "4a914KmLzA==";"#,
                "QRLogin.uuid",
                Some("4a914KmLzA=="),
            ),
            (
                "window.code=201;window.userAvatar = 'data:img/jpg;base64,AA==';",
                "window.code",
                Some("201"),
            ),
            (
                "window.code=201;window.userAvatar = 'data:img/jpg;base64,AA==';",
                "window.userAvatar",
                Some("data:img/jpg;base64,AA=="),
            ),
            (
                "window.code=200;\nwindow.redirect_uri=\"https://w/x?a=b\";",
                "window.redirect_uri",
                Some("https://w/x?a=b"),
            ),
            (r#"window.synccheck={retcode:"0",selector:"2"}"#, "selector", Some("2")),
            (r#"window.synccheck = { "retcode" : 1101 , 'selector':0 }"#, "retcode", Some("1101")),
            (r#"window.synccheck={retcode:"-1",selector:"0"}"#, "retcode", Some("-1")),
            ("window.code = -3", "window.code", Some("-3")),
            ("mywindow.code=1; window.code=2", "window.code", Some("2")),
            ("window.code", "window.code", None),
            ("window.code=;", "window.code", None),
            ("window.code=\"2", "window.code", None),
            ("window.codes=1", "window.code", None),
            ("<html>502</html>", "window.code", None),
            ("", "window.code", None),
        ] {
            assert_eq!(value(script, name), expected, "{script}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn any_text_is_read_without_panic(script in "(retcode|selector|window|code|[.:='\"{} ;0-9-]|.){0,12}") {
            for name in ["retcode", "selector", "window.code"] {
                number(&script, name);
            }
        }

        #[test]
        fn written_assignments_are_read(code in any::<i64>(), space in "[ \n\t]{0,3}") {
            let script = format!("window.synccheck{space}={space}{{retcode{space}:{space}\"{code}\",selector:\"2\"}}");
            prop_assert_eq!(number(&script, "retcode"), Some(code));
        }
    }
}

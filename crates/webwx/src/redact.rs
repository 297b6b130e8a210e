//! Excerpts of bodies for errors: one line, without secrets and control characters.

/// The most characters of an excerpt.
const LONGEST: usize = 160;

/// Names of secret values, in lower case. A longer name that ends in one of them counts too.
const SECRET_NAMES: [&str; 11] = [
    "skey",
    "sid",
    "ticket",
    "uuid",
    "aeskey",
    "signature",
    "deviceid",
    "cookie",
    "token",
    "useravatar",
    "verifyuserticket",
];

/// The beginning of a body, safe for a log.
pub(crate) fn excerpt(body: &str) -> String {
    // Masking may shorten the text: twice the final length is enough, and bounds the work.
    let start: String = body.chars().take(LONGEST * 2).collect();
    let masked = masked(&start);
    let line: String =
        masked.chars().take(LONGEST).map(|c| if c.is_control() { ' ' } else { c }).collect();
    let cut = body.chars().nth(LONGEST * 2).is_some() || masked.chars().count() > LONGEST;
    if cut { format!("{line}…") } else { line }
}

fn masked(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let taken = if c.is_ascii_alphabetic() || c == '_' {
            word(&mut out, rest)
        } else if let Some(secret) = rest.strip_prefix("@crypt_") {
            out.push_str("@crypt_…");
            rest.len()
                - secret.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '_').len()
        } else {
            out.push(c);
            c.len_utf8()
        };
        rest = &rest[taken..];
    }
    out
}

/// Copies the word at the start, and masks the value after it if the name is that of a secret.
fn word(out: &mut String, rest: &str) -> usize {
    let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len());
    let (name, after) = rest.split_at(end);
    out.push_str(name);
    let lower = name.to_ascii_lowercase();
    if !SECRET_NAMES.iter().any(|secret| lower.ends_with(secret)) {
        return end;
    }
    let gap =
        after.len() - after.trim_start_matches(['"', '\'', ' ', '\n', '\t', '=', ':', '>']).len();
    let assigned = after[..gap].contains(['=', ':', '>']);
    if !assigned {
        return end;
    }
    let value = &after[gap..];
    let length = value.find(['"', '\'', '<', '&', ';', ',', '}', ' ', '\n']).unwrap_or(value.len());
    out.push_str(&after[..gap]);
    if length > 0 {
        out.push('…');
    }
    end + gap + length
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn secrets_are_hidden_in_every_form() {
        for (body, expected) in [
            (r#"{"SKey": "@crypt_ab_cd", "Ret": 1}"#, r#"{"SKey": "…", "Ret": 1}"#),
            (
                "<skey>@crypt_1</skey><wxsid>a+/=</wxsid><ret>0</ret>",
                "<skey>…</skey><wxsid>…</wxsid><ret>0</ret>",
            ),
            ("<pass_ticket>x%2By</pass_ticket>", "<pass_ticket>…</pass_ticket>"),
            (
                "https://w/x?ticket=A@qrticket_0&uuid=b==&lang=zh",
                "https://w/x?ticket=…&uuid=…&lang=zh",
            ),
            (r#"window.QRLogin.uuid = "4a9==";"#, r#"window.QRLogin.uuid = "…";"#),
            ("window.userAvatar = 'data:img/jpg;base64,AA'", "window.userAvatar = '…;base64,AA'"),
            ("see @crypt_12_34!", "see @crypt_…!"),
            ("a ticket for you", "a ticket for you"),
            ("<html>\n\u{1b}[31m", "<html>  [31m"),
            ("\"Ticket\":\"\"", "\"Ticket\":\"\""),
        ] {
            assert_eq!(excerpt(body), expected);
        }
    }

    #[test]
    fn long_bodies_are_cut() {
        let short = excerpt(&"长".repeat(100_000));
        assert_eq!(short.chars().count(), LONGEST + 1);
        assert!(short.ends_with('…'));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn any_body_gives_one_short_line(body in ".{0,120}") {
            let line = excerpt(&body);
            prop_assert!(line.chars().count() <= LONGEST + 1);
            prop_assert!(!line.contains(char::is_control));
        }

        #[test]
        fn a_secret_never_shows(secret in "[A-Za-z0-9+/%]{8,40}", before in "[a-z<>\"{} ]{0,30}") {
            for body in [
                format!("{before} <wxsid>{secret}</wxsid>"),
                format!("{before} \"SKey\" : \"{secret}\""),
                format!("{before} ?pass_ticket={secret}&x=1"),
            ] {
                prop_assert!(!excerpt(&body).contains(&secret));
            }
        }
    }
}

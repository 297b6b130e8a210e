//! The address of the database in `[store]`.

use std::ops::Range;

use mynah_reader::{Reading, Values as Table, Words};

/// Reports an address that no database can have, or one with a password.
pub(super) fn check(store: &Table, reading: &mut Reading<'_>) {
    if let Some((message, hint)) = store.text("url").and_then(mistake) {
        reading.report("value", store.place("url"), message, hint);
    }
}

/// A text with asterisks in place of a part, as many as it has bytes: mistakes are shown with their line.
pub(super) fn without(text: &str, part: Range<usize>) -> String {
    let hidden = text[part.clone()].bytes().map(|byte| if byte == b'\n' { '\n' } else { '*' });
    let hidden: String = hidden.collect();
    format!("{}{hidden}{}", &text[..part.start], &text[part.end..])
}

#[cfg(feature = "postgres")]
fn mistake(url: &str) -> Option<(Words, Words)> {
    use mynah_store_postgres::{Settings, SettingsError};

    let message = match Settings::check_address(url).err()? {
        SettingsError::Password => return Some(password()),
        SettingsError::NoHost => {
            Words::fixed("the address of the database has no host", "数据库的地址没有主机")
        }
        SettingsError::NoDatabase => {
            Words::fixed("the address has no database", "地址里没有数据库名")
        }
        _ => Words::fixed(
            "this is not the address of a PostgreSQL database",
            "这不是 PostgreSQL 数据库的地址",
        ),
    };
    let hint = Words::fixed(
        "write postgres://user@host/database; for a socket: postgres:///database?host=/run/postgresql",
        "请写 postgres://user@host/database；用 socket 时写 postgres:///database?host=/run/postgresql",
    );
    Some((message, hint))
}

/// A program without the feature refuses every database, but says at once that a password does not belong here.
#[cfg(not(feature = "postgres"))]
fn mistake(url: &str) -> Option<(Words, Words)> {
    let authority = url.split_once("://")?.1.split(['/', '?', '#']).next()?;
    authority.rsplit_once('@')?.0.contains(':').then(password)
}

fn password() -> (Words, Words) {
    (
        Words::fixed("the address of the database contains a password", "数据库的地址里含有密码"),
        Words::fixed(
            "give it in MYNAH_STORE_PASSWORD, or in the file of `password_file`",
            "请把密码放在 MYNAH_STORE_PASSWORD 或 `password_file` 的文件里",
        ),
    )
}

#[cfg(test)]
mod tests {
    use mynah_reader::Lang;

    use crate::config::parse_with;

    #[test]
    fn a_password_in_the_address_is_a_mistake_that_does_not_show_it() {
        for text in [
            "[store]\nurl = 'postgres://me:s3cret@db/bots'\n",
            "store = { url = 'postgres://me:s3cret@db/bots' }\n",
            "[store]\nurl = '''\npostgres://me:s3cret@db/bots'''\ncertificate = 'x'\n",
        ] {
            let problems = parse_with(text, &|_| None).unwrap_err();
            for (lang, expected) in [(Lang::En, "contains a password"), (Lang::Zh, "含有密码")]
            {
                let shown = problems.render(lang, false);
                assert!(shown.contains(expected) && !shown.contains("s3cret"), "{shown}");
            }
        }
        parse_with("[store]\nurl = 'postgres://me@db/bots'\n", &|_| None).unwrap();
    }

    #[cfg(feature = "postgres")]
    #[test]
    fn an_address_that_no_run_accepts_is_a_mistake_at_its_place() {
        for (url, expected) in [
            ("postgres://me@/bots", "no host"),
            ("postgres://me@db", "no database"),
            ("mysql://me@db/bots", "not the address"),
        ] {
            let text = format!("[store]\nurl = '{url}'\n");
            let shown = parse_with(&text, &|_| None).unwrap_err().render(Lang::En, false);
            assert!(shown.contains("mynah.toml:2:7:") && shown.contains(expected), "{shown}");
        }
    }
}

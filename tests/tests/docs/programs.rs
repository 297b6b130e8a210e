//! The first handler of `docs/programs.md`, written down and run as the page says: in Python and in JavaScript.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::{is_missing, mynah, pages, root, said};

const PAGES: [&str; 2] = ["docs/programs.md", "docs/programs.zh-CN.md"];

/// The handler of a page in one language: its file, that of its test, the file of the SDK, and the command of the test.
struct Handler {
    block: &'static str,
    code: &'static str,
    test: &'static str,
    sdk: &'static str,
    command: &'static [&'static str],
}

const PYTHON: Handler = Handler {
    block: "python",
    code: "weather.py",
    test: "test_weather.py",
    sdk: "sdk/python/mynah.py",
    command: &["python3", "-m", "unittest"],
};

const JAVASCRIPT: Handler = Handler {
    block: "js",
    code: "weather.js",
    test: "weather.test.js",
    sdk: "sdk/node/mynah.js",
    command: &["node", "--test"],
};

#[test]
fn the_first_handler_of_the_page_answers_and_passes_its_tests() {
    for handler in [PYTHON, JAVASCRIPT] {
        let [program, arguments @ ..] = handler.command else { panic!("a command") };
        for name in PAGES {
            if is_missing(program, name) {
                continue;
            }
            let page = pages::page(name);
            let folder = tempfile::tempdir().unwrap();
            write_down(&page, &handler, folder.path());
            let mut test = Command::new(program);
            let tested = test.args(arguments).current_dir(folder.path()).output().unwrap();
            assert!(tested.status.success(), "{name}: {}", said(&tested));
            let played = mynah(page.locale())
                .args(["test", ".", "--config", "mynah.toml", "--handlers"])
                .current_dir(folder.path())
                .output()
                .unwrap();
            assert!(played.status.success(), "{name}: {}", said(&played));
        }
    }
}

fn write_down(page: &pages::Page, handler: &Handler, folder: &Path) {
    let blocks = page.blocks();
    let of = |language: &str, begin: &str| -> Vec<String> {
        let all = blocks.iter().filter(|block| block.language == language);
        all.map(|block| block.text.to_string()).filter(|text| text.starts_with(begin)).collect()
    };
    let write = |file: &str, text: &str| fs::write(folder.join(file), text).unwrap();
    let [code, test] = of(handler.block, "").try_into().expect("the handler and its test");
    write(handler.code, &code);
    write(handler.test, &test);
    write("bot.toml", &(of("toml", "[[rule]]")[0].clone() + "\n" + &of("text", "[[test]]")[0]));
    let (program, file) = (handler.command[0], handler.code);
    let settings = of("text", "[[handler]]")[0]
        .replace(r#""python3", "weather.py""#, &format!(r#""{program}", "{file}""#));
    write("mynah.toml", &settings);
    let sdk = root().join(handler.sdk);
    fs::copy(&sdk, folder.join(sdk.file_name().unwrap())).unwrap();
}

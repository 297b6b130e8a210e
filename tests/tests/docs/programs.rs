//! The first handler of `docs/programs.md`, written down and run as the page says.

use std::fs;
use std::process::Command;

use super::{is_missing, mynah, pages, root, said};

#[test]
fn the_first_handler_of_the_page_answers_and_passes_its_tests() {
    for name in ["docs/programs.md", "docs/programs.zh-CN.md"] {
        if is_missing("python3", name) {
            return;
        }
        let page = pages::page(name);
        let blocks = page.blocks();
        let blocks = |language: &'static str| {
            blocks.iter().filter(move |block| block.language == language).map(|block| &*block.text)
        };
        let text = |begin: &str| {
            let found = blocks("text").find(|text| text.starts_with(begin));
            found.unwrap_or_else(|| panic!("{name} has no {begin}"))
        };
        let folder = tempfile::tempdir().unwrap();
        let write = |file: &str, text: &str| fs::write(folder.path().join(file), text).unwrap();
        let python: Vec<&str> = blocks("python").collect();
        write("weather.py", python[0]);
        write("test_weather.py", python[1]);
        write("bot.toml", &(blocks("toml").next().unwrap().to_owned() + "\n" + text("[[test]]")));
        write("mynah.toml", text("[[handler]]"));
        fs::copy(root().join("sdk/python/mynah.py"), folder.path().join("mynah.py")).unwrap();
        let tested = Command::new("python3")
            .args(["-c", "import test_weather; test_weather.test_a_city_is_answered()"])
            .current_dir(folder.path())
            .stdin(std::process::Stdio::null())
            .output()
            .unwrap();
        assert!(tested.status.success(), "{name}: {}", said(&tested));
        let played = mynah(page.locale())
            .args(["test", ".", "--config", "mynah.toml", "--handlers"])
            .current_dir(folder.path())
            .output()
            .unwrap();
        assert!(played.status.success(), "{name}: {}", said(&played));
    }
}

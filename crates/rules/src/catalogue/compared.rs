//! Messages about texts that earlier versions compared in another way.

use super::{Lang, say};
use crate::model::Place;
use crate::problem::Comparison;

pub(super) fn message(how: Comparison, count: usize, places: &[Place], lang: Lang) -> String {
    let places: Vec<String> =
        places.iter().map(|place| format!("{}:{}", place.file, place.line)).collect();
    let more = if places.len() < count { ", …" } else { "" };
    let places = places.join(", ");
    let what = words(how, lang);
    say!(lang, "{what} ({count}: {places}{more})", "{what}（{count} 处：{places}{more}）")
}

fn words(how: Comparison, lang: Lang) -> String {
    match how {
        Comparison::Blanks => say!(
            lang,
            "a blank between Chinese and other characters does not count",
            "中文与其他字符之间的空白不计"
        ),
        Comparison::Signs => say!(
            lang,
            "curly and straight quotation marks are alike, and so are all dashes",
            "弯引号与直引号相同，各种横线相同"
        ),
        Comparison::FinalPunctuation => say!(
            lang,
            "the punctuation at the end of a message does not count",
            "消息末尾的标点不计"
        ),
        Comparison::Mentions => say!(
            lang,
            "a mention ignores case, may be before a Chinese character, and goes with the comma beside it",
            "@ 不分大小写，后面可以紧跟中文，旁边的逗号一并去掉"
        ),
        Comparison::BareNames => say!(
            lang,
            "these names call without @ at the beginning of a message",
            "消息开头写这些名字，不写 @ 也算叫到机器人"
        ),
        Comparison::Leads => say!(
            lang,
            "blanks and : , 、 = before a captured value are not part of it",
            "捕获的值不包括前面的空白和 ：，、="
        ),
        Comparison::Ends => {
            say!(lang, "blanks around a text do not count", "文字首尾的空白不计")
        }
        Comparison::Stars => say!(
            lang,
            "a * at an end of a word is the rest of the word",
            "单词首尾的 * 代表单词的其余部分"
        ),
        Comparison::Bars => {
            say!(lang, "[a|b] is one of them or nothing", "[a|b] 是其中之一，也可省略")
        }
        Comparison::Numbers => say!(
            lang,
            "a hole for int also takes Chinese numerals, and captures plain digits",
            "int 空位也取中文数字，捕获为普通数字"
        ),
    }
}

pub(super) fn hint(lang: Lang) -> String {
    say!(
        lang,
        "earlier versions compared in another way; mynah replay BOT --data DIR shows the messages for which it matters",
        "旧版本的比较方式不同；mynah replay BOT --data DIR 会列出受影响的消息"
    )
}

//! Messages about `[lists]`.

use super::{Lang, say};
use crate::problem::BadList;

pub(super) fn message(bad: &BadList, lang: Lang) -> String {
    match bad {
        BadList::Reserved(name) => say!(
            lang,
            "a list cannot be called {name}: that is a kind of hole",
            "列表不能叫 {name}：那是一种空位"
        ),
        BadList::Name(name) => {
            say!(lang, "\"{name}\" is not a valid name of a list", "\"{name}\" 不能作列表的名字")
        }
        BadList::Twice { name, other } => {
            say!(lang, "there is another list {name} at {other}", "{other} 已经有列表 {name}")
        }
        BadList::Circle(lists) => {
            let lists = lists.join(" → ");
            say!(lang, "the list contains itself: {lists}", "列表包含了自己：{lists}")
        }
        BadList::NoItems { name } => {
            say!(lang, "the list {name} has no items", "列表 {name} 没有内容")
        }
        BadList::TooMany { name, most } => say!(
            lang,
            "with the list {name}, all lists have more than {most} items together",
            "加上列表 {name}，所有列表合计超过 {most} 项"
        ),
        BadList::Key { name, key } => {
            say!(lang, "`{key}` is not a key of the list {name}", "`{key}` 不是列表 {name} 的键")
        }
    }
}

pub(super) fn hint(bad: &BadList, lang: Lang) -> String {
    match bad {
        BadList::Reserved(_) | BadList::Twice { .. } => {
            say!(lang, "give it another name", "请换个名字")
        }
        BadList::Name(_) => {
            say!(lang, "leave < > | {{ }} : out of the name", "名字里不要用 < > | {{ }} :")
        }
        BadList::Circle(_) => say!(lang, "leave one of these out", "请去掉其中一个"),
        BadList::TooMany { .. } => say!(
            lang,
            "the items of a list count again in each list that names it; name it in fewer lists",
            "列表的内容在每个引用它的列表里都要再算一次；请减少引用"
        ),
        BadList::NoItems { name } | BadList::Key { name, .. } => {
            let name = if name.is_ascii() { name.clone() } else { format!("\"{name}\"") };
            say!(
                lang,
                "{name} = [\"…\", \"…\"], or {name} = {{ file = \"….txt\" }} with an item on each line",
                "写 {name} = [\"…\", \"…\"]，或 {name} = {{ file = \"….txt\" }}，文件里每行一项"
            )
        }
    }
}

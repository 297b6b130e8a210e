//! The remedies of diagnostics.

use super::{
    Lang, compared, computed, conflicts, fetches, is_address, lists, literal, say, sheets,
    tests_of_bots, values, words,
};
use crate::keys::{KEYS, Kind, Table};
use crate::problem::{
    BadFile, BadInclude, Capture, EarlierGroup, Limitation, Problem, SelfBarred, SlashCase,
    StepUnit, UnevenStep, Wanted,
};
use mynah_matching::pattern::PatternErrorKind;
use mynah_matching::regex::RegexErrorKind;
use mynah_matching::template::TemplateErrorKind;
use mynah_reader::{Found, Shape, Syntax};

#[expect(clippy::too_many_lines, reason = "a table: a line for each problem")]
pub(super) fn hint(problem: &Problem, lang: Lang) -> Option<String> {
    Some(match problem {
        Problem::Syntax(syntax) => return syntax_hint(syntax, lang),
        Problem::UnknownKey { advice: Some(advice), .. } => match lang {
            Lang::En => advice.en.to_owned(),
            Lang::Zh => advice.zh.to_owned(),
        },
        Problem::List(bad) => lists::hint(bad, lang),
        Problem::Sheet(problem) => return sheets::hint(problem, lang),
        Problem::Compared { .. } => compared::hint(lang),
        Problem::Literal(literal) => literal::hint(literal, lang),
        Problem::RegexNever { .. } => say!(
            lang,
            "no text can come before ^ or after $; for one of several write '^(a|b)$'",
            "^ 前面和 $ 后面不能有内容；任选其一请写 '^(a|b)$'"
        ),
        Problem::PatternEvery { .. } => say!(
            lang,
            "add a word that must be there; for every message that calls the bot write at_me = true instead",
            "加上必须出现的文字；若要回答每条叫到机器人的消息，请改写 at_me = true"
        ),
        Problem::NoAdmins => say!(
            lang,
            "add [bot] with admins = [\"…\"] at the top of bot.toml",
            "在 bot.toml 开头写 [bot] 和 admins = [\"…\"]"
        ),
        Problem::Nothing => say!(
            lang,
            "begin with [[rule]], keyword = \"…\", reply = \"…\"",
            "先写 [[rule]]、keyword = \"…\"、reply = \"…\""
        ),
        Problem::UnknownKey { meant: Some(meant), .. } => did_you_mean(meant, lang),
        Problem::UnknownKey { elsewhere: Some(table), table: here, key, .. } => {
            return Some(belongs(key, *here, *table, lang));
        }
        Problem::UnknownKey { table: Table::File | Table::Bot, key, .. } if is_operating(key) => {
            say!(lang, "it belongs to config/mynah.toml", "它属于 config/mynah.toml")
        }
        Problem::UnknownKey { meant: None, elsewhere: None, key, table, .. } => {
            return known_keys(key, *table, lang);
        }
        Problem::Type { key, kind, found, .. } => return type_hint(key, *kind, *found, lang),
        Problem::EntryType { wanted: Wanted::List | Wanted::Path, .. } => say!(
            lang,
            "[\"…\", \"…\"], or {{ file = \"….txt\" }} with an item on each line",
            "写 [\"…\", \"…\"]，或 {{ file = \"….txt\" }}，文件里每行一项"
        ),
        Problem::EntryType { wanted: Wanted::Integer, found: Found::Text, .. } => {
            say!(lang, "like 1, without quotes", "如 1，不加引号")
        }
        Problem::EntryType { wanted: Wanted::Integer, found: Found::Number, .. } => {
            say!(lang, "a whole number, like 1", "整数，如 1")
        }
        Problem::EntryType { found: Found::Table, .. } => say!(
            lang,
            "variables are user.x, chat.x (of the group) and bot.x",
            "变量有 user.x、chat.x（群的）和 bot.x"
        ),
        Problem::EntryType { .. } => return None,
        Problem::Missing { keys: ["step"], .. } => {
            say!(lang, "write [[dialog.step]] below it", "在它下面写 [[dialog.step]]")
        }
        Problem::Missing { keys, .. } => {
            let key = keys.first().copied().unwrap_or_default();
            let example = example(key);
            say!(lang, "add {key} = {example}", "加上 {key} = {example}")
        }
        Problem::NoCondition { only_none: true } => {
            say!(lang, "add keyword, exact, at_me … beside it", "再加上 keyword、exact、at_me 等")
        }
        Problem::NoCondition { only_none: false } => say!(
            lang,
            "add keyword, exact, at_me …, or type = \"text\" if meant",
            "加上 keyword、exact、at_me 等；若确实如此，写 type = \"text\""
        ),
        Problem::NoAction { table: Table::Schedule } => {
            say!(lang, "add send, image …", "加上 send、image 等")
        }
        Problem::NoAction { table: Table::Do } => {
            say!(lang, "reply, image, wait …", "可写 reply、image、wait 等")
        }
        Problem::NoAction { .. } => {
            say!(lang, "add reply, image, run …", "加上 reply、image、run 等")
        }
        Problem::Empty { text: None, .. } => {
            say!(lang, "add an item, or leave the key out", "加上一项，或去掉这个键")
        }
        Problem::Empty { .. } => say!(lang, "write a text, or leave it out", "写上文字，或去掉它"),
        Problem::Value(value) => values::hint(value, lang),
        Problem::Conflict(conflict) => return conflicts::hint(conflict, lang),
        Problem::Regex(kind) => return regex_hint(kind, lang),
        Problem::RegexEmpty { .. } => {
            say!(lang, "use + instead of *, or add a fixed text", "用 + 代替 *，或加上固定文字")
        }
        Problem::Scan => say!(lang, "a fixed text in it makes it faster", "加上固定文字会更快"),
        Problem::RegexCost { places, .. } => {
            let places: Vec<String> =
                places.iter().map(|place| format!("{}:{}", place.file, place.line)).collect();
            let places = words::list(&places, lang);
            say!(
                lang,
                "{places} … can all be tried on one message; give each a longer fixed text of its own",
                "{places} 等可能都要在同一条消息上试；给每条加上各自更长的固定文字"
            )
        }
        Problem::RegexSlashes { plain, case, .. } => slashes_hint(plain, *case, lang),
        Problem::Pattern(kind) => return pattern_hint(kind, lang),
        Problem::PatternWidth { plain, is_read: false, .. } => {
            say!(lang, "use {plain}", "请用 {plain}")
        }
        Problem::PatternWidth { plain, is_read: true, .. } => {
            say!(
                lang,
                "write {plain}; if text is meant, use regex",
                "请写 {plain}；若指文字本身，请用 regex"
            )
        }
        Problem::Template(kind) => template_hint(kind, lang),
        Problem::UnknownName { meant: None, asks_unsaved: true, name, .. } => say!(
            lang,
            "add save = \"{name}\" to the step that asks for it",
            "在问它的那一步加上 save = \"{name}\""
        ),
        Problem::UnknownName { name, meant, known, .. } => {
            unknown_name(name, meant.as_deref(), known, lang)
        }
        Problem::Capture(capture) => capture_hint(capture, lang),
        Problem::Computed(bad) => computed::hint(bad, lang),
        Problem::Fetch(bad) => return fetches::hint(bad, lang),
        Problem::AnswerLoop { .. } => say!(
            lang,
            "write a sentence that a rule with a reply answers",
            "改成由带 reply 的规则回答的句子"
        ),
        Problem::OpenBroadcast { .. } => say!(
            lang,
            "add from = \"admin\", or name the groups",
            "加上 from = \"admin\"，或写出具体的群名"
        ),
        Problem::NeverSet { meant: Some(meant), has_no_text: true, .. } => {
            let meant = meant.strip_prefix("user.").unwrap_or(meant);
            say!(lang, "did you mean {meant}?", "是否想写 {meant}？")
        }
        Problem::NeverSet { meant: Some(meant), .. } => {
            say!(lang, "did you mean {{{meant}}}?", "是否想写 {{{meant}}}？")
        }
        Problem::NeverSet { has_default: true, .. }
        | Problem::NeverSet { has_no_text: true, .. } => {
            say!(lang, "set it with set or add in some rule", "在某条规则里用 set 或 add 设置")
        }
        Problem::NeverSet { name, .. } => {
            say!(
                lang,
                "set it with set or add, or write {{{name}|…}}",
                "用 set 或 add 设置，或写 {{{name}|…}}"
            )
        }
        Problem::HandlerRole { role, .. } => say!(
            lang,
            "rules run handlers with role = \"run\"; this one has role = \"{role}\"",
            "规则调用 role = \"run\" 的处理器；它写的是 role = \"{role}\""
        ),
        Problem::NoHandler { registered, name, .. } if registered.is_empty() => say!(
            lang,
            "none is registered: add [[handler]] name = \"{name}\" to mynah.toml, or .handler(\"{name}\", …)",
            "还没有注册任何处理器：在 mynah.toml 里加上 [[handler]] name = \"{name}\"，或写 .handler(\"{name}\", …)"
        ),
        Problem::NoHandler { registered, meant, .. } => {
            let registered = words::list(registered, lang);
            let listed = say!(lang, "registered: {registered}", "已注册：{registered}");
            meant.as_ref().map_or_else(String::new, |meant| did_you_mean(meant, lang) + " ")
                + &listed
        }
        Problem::HandlerUnknown { meant: Some(meant), .. } => did_you_mean(meant, lang),
        Problem::HandlerUnknown { name, .. } => {
            say!(lang, ".handler(\"{name}\", …)", ".handler(\"{name}\", …)")
        }
        Problem::File(file) => return file_hint(file, lang),
        Problem::Transport(Limitation::OnlyCalls { .. }) => say!(
            lang,
            "add `at_me = true`, or `in = \"private\"`",
            "加上 `at_me = true` 或 `in = \"private\"`"
        ),
        Problem::Transport(Limitation::NoAction { key: "recall", .. }) => say!(
            lang,
            "the bot can recall only its own messages there; remove the sender with kick = true, or report the message: forward_to = \"…\"",
            "机器人在那里只能撤回自己的消息；可以用 kick = true 移出发送者，或用 forward_to = \"…\" 报告这条消息"
        ),
        Problem::Transport(
            Limitation::NoAction { .. }
            | Limitation::NoEvent { .. }
            | Limitation::NoGroupNames { .. }
            | Limitation::NoGroups { .. },
        ) => say!(lang, "leave it out", "去掉它"),
        Problem::NoService { meant: Some(meant), .. } => did_you_mean(meant, lang),
        Problem::NoService { meant: None, known, .. } => {
            say!(lang, "there are {known}", "可用的有 {known}")
        }
        Problem::Transport(Limitation::PlainMention { .. }) => return None,
        Problem::DuplicateId { .. } => say!(lang, "give it another id", "换一个 id"),
        Problem::UnknownId { meant: Some(meant), .. } => did_you_mean(meant, lang),
        Problem::UnknownId { meant: None, .. } => {
            say!(
                lang,
                "add id = … to the rule or dialog that is meant",
                "在所指的规则或对话里加上 id = …"
            )
        }
        Problem::NoGround { meant: Some(meant), .. } => did_you_mean(meant, lang),
        Problem::NoGround { meant: None, id, .. } => say!(
            lang,
            "add id = \"{id}\" to the [[table]] that is meant",
            "在所指的 [[table]] 里加上 id = \"{id}\""
        ),
        Problem::IncludeNothing { .. } => {
            say!(lang, "paths are relative to this file", "路径相对于本文件")
        }
        Problem::Include(include) => return include_hint(include, lang),
        Problem::OnlyWaits => {
            say!(
                lang,
                "add an action behind it: {{ reply = \"…\" }}",
                "在后面加上动作：{{ reply = \"…\" }}"
            )
        }
        Problem::AlwaysQuiet => {
            say!(lang, "like 22:00-07:00, or leave it out", "如 22:00-07:00，或去掉它")
        }
        Problem::SameChoice { .. } => say!(lang, "leave one of them out", "去掉其中一个"),
        Problem::SelfBarred(SelfBarred::NoChance) => {
            say!(lang, "to switch it off write off = true", "要停用请写 off = true")
        }
        Problem::SelfBarred(SelfBarred::NoRest) => say!(
            lang,
            "write prefix or suffix in place of keyword, or a pattern",
            "把 keyword 换成 prefix 或 suffix，或用 pattern"
        ),
        Problem::SelfBarred(SelfBarred::AfterItself) => {
            say!(lang, "name the rule that answers before it", "写上在它之前回答的规则的 id")
        }
        Problem::SelfBarred(SelfBarred::AfterOff { .. }) => {
            say!(lang, "switch that rule on, or this one off, too", "启用那条规则，或把这条也停用")
        }
        Problem::SelfBarred(_) => {
            say!(lang, "leave one of the two out", "两者去掉一个")
        }
        Problem::NeverFires(shadow) if !shadow.is_by_order => say!(
            lang,
            "its priority is higher: give this rule a higher one, or add continue = true there",
            "那条的 priority 更高：给这条写更高的 priority，或在那里加 continue = true"
        ),
        Problem::NeverFires(_) => say!(
            lang,
            "move this rule up, or add continue = true there",
            "把这条规则移到前面，或在那里加 continue = true"
        ),
        Problem::StepNotReached => say!(
            lang,
            "name its id in the next of another step, or leave it out",
            "在别的步骤的 next 里写上它的 id，或去掉它"
        ),
        Problem::DoneNotReached => {
            say!(lang, "write next = \"done\" in the last step", "在最后一步写 next = \"done\"")
        }
        Problem::UnknownStep { meant: Some(meant), .. } => did_you_mean(meant, lang),
        Problem::UnknownStep { known, .. } if known.is_empty() => say!(
            lang,
            "give the step an id = \"…\", or write \"done\" for the end",
            "给那个步骤写上 id = \"…\"；结束写 \"done\""
        ),
        Problem::UnknownStep { known, .. } => {
            let known = words::list(known, lang);
            say!(lang, "there are: {known}, and done for the end", "可用：{known}；结束写 done")
        }
        Problem::NeverBegins => say!(lang, "add start = \"…\"", "加上 start = \"…\""),
        Problem::DuplicateKeyword { .. } => {
            say!(lang, "that one answers first; leave it out here", "那条先回答；这里请去掉")
        }
        Problem::NeverDue { .. } => say!(
            lang,
            "the third field is the day, the fourth the month; L is the last day of a month: \"0 9 L * *\"",
            "第三段是日，第四段是月；每月最后一天写 L：\"0 9 L * *\""
        ),
        Problem::UnevenStep(UnevenStep { step, unit, comes }) => {
            let letter = match unit {
                StepUnit::Minute => 'm',
                StepUnit::Hour => 'h',
            };
            let list = words::numbers(comes).join(",");
            say!(
                lang,
                "for even steps write every = \"{step}{letter}\"; to keep these times write {list}",
                "要均匀间隔请写 every = \"{step}{letter}\"；要保留这些时间请写 {list}"
            )
        }
        Problem::NeverCounts { why: EarlierGroup::Same { .. }, .. } => {
            say!(lang, "put all of it into one [[group]]", "都写进同一个 [[group]]")
        }
        Problem::NeverCounts { why: EarlierGroup::Fits { .. }, .. } => say!(
            lang,
            "only the first table that fits applies; move this one up",
            "只有第一个匹配的表生效；把这个表移到前面"
        ),
        Problem::Test(line) => return tests_of_bots::hint(line, lang),
    })
}

/// A value of a key that a table needs.
fn example(key: &str) -> &'static str {
    match key {
        "per" => "\"day\"",
        "at" => "\"09:00\"",
        _ => "…",
    }
}

fn did_you_mean(meant: &str, lang: Lang) -> String {
    say!(lang, "did you mean `{meant}`?", "是否想写 `{meant}`？")
}

/// The keys of a table, where they fit on a line.
fn known_keys(key: &str, table: Table, lang: Lang) -> Option<String> {
    let known: Vec<String> = table.keys().map(|key| key.name.to_owned()).collect();
    let fits = known.len() <= 13;
    let known = words::list(&known, lang);
    if !key.is_ascii() && table == Table::File {
        return Some(say!(
            lang,
            "headers are in English: [bot], [[rule]], [[dialog]], [[schedule]], [[group]], [[test]]",
            "表头用英文：[bot]、[[rule]]、[[dialog]]、[[schedule]]、[[group]]、[[test]]"
        ));
    }
    if !key.is_ascii() {
        let known = if fits { known } else { "keyword, exact, reply …".to_owned() };
        return Some(say!(lang, "keys are in English: {known}", "键用英文：{known}"));
    }
    fits.then(|| say!(lang, "known: {known}", "可用：{known}"))
}

/// Whether a key is about running a bot, so that it belongs to `mynah.toml`.
fn is_operating(key: &str) -> bool {
    matches!(
        key,
        "account"
            | "pacing"
            | "messages"
            | "handlers"
            | "alert"
            | "listen"
            | "max_age"
            | "reply_max_age"
            | "loop_breaker"
            | "keep"
    )
}

fn belongs(key: &str, here: Table, table: Table, lang: Lang) -> String {
    let shown = table.shown();
    match (here, table) {
        (_, Table::File) if key == "include" => say!(
            lang,
            "put it at the top of the file, before the first table",
            "放到文件最前面，第一个表之前"
        ),
        (Table::File, _) | (Table::Dialog, Table::Step) => {
            say!(lang, "write {shown} above it", "在它上面写 {shown}")
        }
        (_, Table::File) => say!(lang, "it is a table of its own", "它是单独的表"),
        _ => say!(lang, "it belongs to {shown}", "它属于 {shown}"),
    }
}

/// The remedy in terms of a rule file, or the general one of every TOML file.
fn syntax_hint(syntax: &Syntax, lang: Lang) -> Option<String> {
    Some(match syntax {
        Syntax::Escape(_) => {
            say!(lang, "write regexes in 'single quotes'", "正则请写在 '单引号' 里")
        }
        Syntax::Path => say!(
            lang,
            "copy the file next to bot.toml and write its name alone; separate folders with /",
            "把文件复制到 bot.toml 旁边，只写文件名；文件夹之间用 /"
        ),
        Syntax::Format(_) => say!(
            lang,
            "[[rule]] on a line of its own, below it lines like keyword = \"…\" and reply = \"…\"",
            "单独一行写 [[rule]]，下面各行写 keyword = \"…\"、reply = \"…\""
        ),
        Syntax::EscapeInText(c) if c.is_ascii_digit() => {
            say!(lang, "a group of the regex is written {{{c}}}", "正则的分组写成 {{{c}}}")
        }
        Syntax::Twice(key) if key == "reply" => say!(
            lang,
            "leave one out; for several write reply_one_of (random) or reply_all_of (each)",
            "去掉一个；多条回复用 reply_one_of（随机）或 reply_all_of（逐条）"
        ),
        Syntax::Twice(key) if takes_several(key) => say!(
            lang,
            "leave one out; several texts go into one list: {key} = [\"…\", \"…\"]",
            "去掉一个；多个文字放进一个列表：{key} = [\"…\", \"…\"]"
        ),
        Syntax::BareKey(key) => say!(
            lang,
            "the keys of a rule are English words; a name of your own is written \"{key}\"",
            "规则的键是英文单词；自己取的名字要写成 \"{key}\""
        ),
        Syntax::NoEquals => {
            say!(lang, "put = after it, like keyword = \"…\"", "在它后面写 =，如 keyword = \"…\"")
        }
        other => return other.hint(lang),
    })
}

#[expect(clippy::too_many_lines, reason = "a table: a line for each problem")]
fn type_hint(key: &str, kind: Kind, found: Found, lang: Lang) -> Option<String> {
    Some(match (key, kind, found) {
        ("reply", _, Found::List) => say!(
            lang,
            "use reply_one_of (random) or reply_all_of (each)",
            "用 reply_one_of（随机）或 reply_all_of（逐条）"
        ),
        ("reply", _, Found::Table) => say!(
            lang,
            "one of several: reply_one_of = [\"…\", \"…\"]; several actions: do = [{{ reply = \"…\" }}, …]",
            "随机一条：reply_one_of = [\"…\", \"…\"]；多个动作：do = [{{ reply = \"…\" }}, …]"
        ),
        (_, Kind::Path, Found::List) => say!(
            lang,
            "several: do = [{{ {key} = \"…\" }}, {{ {key} = \"…\" }}]",
            "多个请写 do = [{{ {key} = \"…\" }}, {{ {key} = \"…\" }}]"
        ),
        (_, Kind::Weighted, Found::Text) => {
            say!(lang, "write {key} = [\"…\", \"…\"]", "请写 {key} = [\"…\", \"…\"]")
        }
        (_, Kind::Templates | Kind::Weighted, Found::Table) => say!(
            lang,
            "write the texts alone: {key} = [\"…\", \"…\"]",
            "只写文字：{key} = [\"…\", \"…\"]"
        ),
        (_, Kind::Template, Found::List) => {
            say!(lang, "one text; \\n begins a new line in it", "只能写一段文字；用 \\n 换行")
        }
        (_, Kind::Texts | Kind::Groups | Kind::Patterns | Kind::Regexes, Found::Table) => {
            say!(lang, "write {key} = [\"…\", \"…\"]", "请写 {key} = [\"…\", \"…\"]")
        }
        (_, Kind::Templates, Found::Text) => {
            say!(lang, "write {key} = [\"…\", \"…\"]", "请写 {key} = [\"…\", \"…\"]")
        }
        (_, Kind::Duration | Kind::Cooldown, Found::Integer | Found::Number) => {
            say!(
                lang,
                "in quotes and with a unit: \"30s\", \"5m\"",
                "加引号和单位：\"30s\"、\"5m\""
            )
        }
        (_, Kind::Times | Kind::At, Found::Date) => {
            say!(lang, "in quotes: \"09:00\"", "加引号：\"09:00\"")
        }
        (_, Kind::Flag, Found::Text) => say!(
            lang,
            "without quotes: {key} = true or {key} = false",
            "不加引号：{key} = true 或 {key} = false"
        ),
        (_, Kind::Zone, _) => {
            say!(lang, "like \"Asia/Shanghai\" or \"UTC\"", "如 \"Asia/Shanghai\" 或 \"UTC\"")
        }
        ("in", _, Found::List) => {
            say!(lang, "for both, leave it out", "两者都要时请去掉它")
        }
        (_, Kind::Texts | Kind::Groups, Found::Flag) => {
            say!(lang, "write {key} = \"…\"", "请写 {key} = \"…\"")
        }
        (_, Kind::Flag, _) => say!(lang, "write true or false", "请写 true 或 false"),
        (_, Kind::Chance, Found::Text) => say!(lang, "like {key} = 0.3", "如 {key} = 0.3"),
        (_, Kind::Integer, Found::Text) => {
            say!(lang, "a number without quotes, like 10", "不加引号的数字，如 10")
        }
        (_, Kind::Times, _) => {
            say!(lang, "write {key} = \"09:00-18:00\"", "请写 {key} = \"09:00-18:00\"")
        }
        ("name", Kind::Text, Found::List) => say!(
            lang,
            "one name, with * and ? if needed; write another [[group]] for each other group",
            "只写一个名字，可用 * 和 ?；其他群另写 [[group]]"
        ),
        (_, Kind::Limit, _) => "limit = { user = 5, per = \"day\" }".to_owned(),
        (_, Kind::Streaks, _) => {
            say!(lang, "like {key} = {{ days = \"day\" }}", "如 {key} = {{ days = \"day\" }}")
        }
        (_, Kind::Comparisons, _) => {
            say!(lang, "like {key} = {{ points = \">= 5\" }}", "如 {key} = {{ points = \">= 5\" }}")
        }
        (_, Kind::Counts, _) => {
            say!(lang, "like {key} = {{ points = 1 }}", "如 {key} = {{ points = 1 }}")
        }
        (_, Kind::Vars | Kind::TemplateVars, _) => {
            say!(lang, "like {key} = {{ k = \"v\" }}", "如 {key} = {{ k = \"v\" }}")
        }
        (_, Kind::Lists, _) => say!(
            lang,
            "write [lists] on a line of its own, then name = [\"…\", \"…\"]",
            "单独一行写 [lists]，再写 名字 = [\"…\", \"…\"]"
        ),
        (_, Kind::Steps, _) => {
            say!(lang, "like do = [{{ reply = \"…\" }}]", "如 do = [{{ reply = \"…\" }}]")
        }
        (_, Kind::Section(Table::Fetch), Found::Text) => {
            "fetch = { url = \"https://…\" }".to_owned()
        }
        (_, Kind::Section(table) | Kind::Sections(table), _) => {
            let shown = table.shown();
            say!(lang, "write {shown} on a line of its own", "单独一行写 {shown}")
        }
        (_, _, Found::Integer | Found::Number | Found::Flag | Found::Date)
            if matches!(kind.shape(), Shape::Text | Shape::TextOrList) =>
        {
            say!(lang, "put it in quotes", "加上引号")
        }
        _ => return None,
    })
}

fn regex_hint(kind: &RegexErrorKind, lang: Lang) -> Option<String> {
    Some(match kind {
        RegexErrorKind::LookAround { is_negative: true } => say!(
            lang,
            "put the forbidden text into none = [\"…\"]",
            "不允许出现的文字写在 none = [\"…\"] 里"
        ),
        RegexErrorKind::LookAround { is_negative: false } => say!(
            lang,
            "leave it out: the following text need not be written; for the end of a word write \\b",
            "去掉它：后面的内容不必写出；单词边界写 \\b"
        ),
        RegexErrorKind::BackReference => say!(
            lang,
            "a regex here cannot compare two places of a text; a handler can: run = \"…\"",
            "这里的正则不能比较文字的两处；可以让处理器判断：run = \"…\""
        ),
        RegexErrorKind::TooLong | RegexErrorKind::TooSlow { .. } => {
            say!(lang, "smaller repeats, like {{1,20}}", "减小重复次数，如 {{1,20}}")
        }
        RegexErrorKind::Syntax(words) => {
            if words.starts_with("invalid range boundary")
                || words.starts_with("invalid character class range")
            {
                return Some(say!(
                    lang,
                    "for the sign - itself put it last: [\\w.-]; a range is like [a-z]",
                    "若指 - 本身，请放在最后：[\\w.-]；范围如 [a-z]"
                ));
            }
            let sign = match words.as_str() {
                words if words.starts_with("unclosed group") => '(',
                words if words.starts_with("unopened group") => ')',
                words if words.starts_with("unclosed character class") => '[',
                words if words.starts_with("unclosed counted") => '{',
                words if words.starts_with("repetition operator missing") => '*',
                _ => return None,
            };
            say!(lang, "for the character itself write \\{sign}", "若指字符本身，请写 \\{sign}")
        }
    })
}

fn slashes_hint(plain: &str, case: SlashCase, lang: Lang) -> String {
    let quote = if plain.contains('\'') { "'''" } else { "'" };
    let written = format!("{quote}{plain}{quote}");
    match case {
        SlashCase::Ignored => {
            say!(
                lang,
                "write {written}; case is ignored anyway",
                "请写 {written}；本来就不分大小写"
            )
        }
        SlashCase::CanBeMinded => say!(
            lang,
            "write {written}; case is ignored unless case = true",
            "请写 {written}；不分大小写，除非 case = true"
        ),
        SlashCase::Minded => say!(lang, "write {written}", "请写 {written}"),
    }
}

fn pattern_hint(kind: &PatternErrorKind, lang: Lang) -> Option<String> {
    Some(match kind {
        PatternErrorKind::Unclosed('{') | PatternErrorKind::Unopened('}') => {
            say!(lang, "for a brace write {{{{ or }}}}", "要写花括号请用 {{{{ 或 }}}}")
        }
        PatternErrorKind::Unclosed(_) | PatternErrorKind::Unopened(_) => say!(
            lang,
            "[x] may be missing, (a|b) is one of them; for the character itself use regex",
            "[x] 可省略，(a|b) 任选其一；若指字符本身，请用 regex"
        ),
        PatternErrorKind::HolesMeet => say!(lang, "like {{a}} {{b}}", "如 {{a}} {{b}}"),
        PatternErrorKind::NoName => say!(lang, "like {{city}}", "如 {{city}}"),
        PatternErrorKind::BadName(_) => {
            say!(lang, "letters, digits, `_` and `-`", "可用文字、数字、`_` 和 `-`")
        }
        PatternErrorKind::UnknownKind(_) => {
            say!(
                lang,
                "{{no:int}}, {{no:number}}, {{no:city}} with [lists] city = […], {{no:a|b}}",
                "{{no:int}}、{{no:number}}、{{no:city}}（先写 [lists] city = […]）、{{no:甲|乙}}"
            )
        }
        PatternErrorKind::BarOutside => say!(
            lang,
            "put the alternatives in brackets: (a|b); for the sign itself write ｜",
            "把几种说法放进括号：(a|b)；要写竖线本身请用 ｜"
        ),
        PatternErrorKind::SameName(_) => {
            say!(lang, "give one of them another name", "给其中一个换名")
        }
        PatternErrorKind::FitsNothing | PatternErrorKind::Nothing => {
            say!(lang, "add a word that must be there", "加上必须出现的文字")
        }
        PatternErrorKind::TooDeep | PatternErrorKind::TooLong => return None,
    })
}

fn template_hint(kind: &TemplateErrorKind, lang: Lang) -> String {
    match kind {
        TemplateErrorKind::BadName(name)
            if name.contains(['+', '*', '/']) || is_difference(name) =>
        {
            say!(
                lang,
                "texts do not calculate; count with add = {{ points = 1 }} in the same rule and write {{user.points}}",
                "文字里不能计算；在同一条规则里用 add = {{ points = 1 }} 计数，这里写 {{user.points}}"
            )
        }
        TemplateErrorKind::BadName(name) if matches!(name.as_str(), "@" | "＠") => {
            say!(lang, "did you mean {{at}}?", "是否想写 {{at}}？")
        }
        TemplateErrorKind::BadName(name) if name.starts_with(['@', '＠']) => say!(
            lang,
            "{{at}} mentions the sender; write another name after @ without braces",
            "{{at}} 提到发送者；要 @ 别人请直接写 @名字，不加花括号"
        ),
        TemplateErrorKind::BadName(_) => say!(
            lang,
            "a name is like {{sender}} or {{user.points}}; for a brace itself write {{{{ or }}}}",
            "名字写成 {{sender}} 或 {{user.points}}；要写花括号请用 {{{{ 或 }}}}"
        ),
        TemplateErrorKind::Unclosed => say!(
            lang,
            "add }} after the name; for a brace itself write {{{{",
            "在名字后面加上 }}；要写花括号请用 {{{{"
        ),
        TemplateErrorKind::Unopened | TemplateErrorKind::NoName | TemplateErrorKind::BadDefault => {
            say!(lang, "for a brace write {{{{ or }}}}", "要写花括号请用 {{{{ 或 }}}}")
        }
    }
}

/// `user.points - 1`; without blanks it is a name.
fn is_difference(name: &str) -> bool {
    name.contains(" - ")
}

fn unknown_name(name: &str, meant: Option<&str>, known: &[String], lang: Lang) -> String {
    let has_sender = known.iter().any(|known| known == "sender");
    let known = words::list(known, lang);
    let listed =
        say!(lang, "known: {known}; for a brace write {{{{", "可用：{known}；要写花括号请用 {{{{");
    match meant {
        Some(meant) => {
            let question = say!(lang, "did you mean {{{meant}}}?", "是否想写 {{{meant}}}？");
            format!("{question} {listed}")
        }
        None if name.chars().all(|c| c.is_ascii_digit()) => say!(
            lang,
            "{{{name}}} is a group of a regex: regex = '…(…)…'",
            "{{{name}}} 是正则的分组：regex = '…(…)…'"
        ),
        None if has_sender => {
            let taken = say!(
                lang,
                "to take it from the message write pattern = \"… {{{name}}}\"; ",
                "要从消息里取，写 pattern = \"… {{{name}}}\"；"
            );
            taken + &listed
        }
        None => listed,
    }
}

fn capture_hint(capture: &Capture, lang: Lang) -> String {
    match capture {
        Capture::NotIn { name, .. } | Capture::Optional { name } | Capture::Skipped { name } => {
            say!(
                lang,
                "write {{{name}|…}} with a text for when it is missing",
                "写成 {{{name}|…}}，给出缺少时的文字"
            )
        }
        Capture::BuiltIn { .. } => say!(lang, "choose another name", "换一个名字"),
    }
}

fn file_hint(file: &BadFile, lang: Lang) -> Option<String> {
    Some(match file {
        BadFile::Missing { path, .. } | BadFile::Outside { path } if is_address(path) => say!(
            lang,
            "save the file next to bot.toml and write its name; an address goes into image or file of a rule",
            "把文件保存到 bot.toml 旁边，写文件名；网址可写在规则的 image 或 file 里"
        ),
        BadFile::Missing { path, .. } | BadFile::Outside { path } if path.contains('\\') => say!(
            lang,
            "copy it next to bot.toml and write its name alone; separate folders with /",
            "把文件复制到 bot.toml 旁边，只写文件名；文件夹之间用 /"
        ),
        BadFile::Missing { meant: Some(meant), .. } => did_you_mean(meant, lang),
        BadFile::Missing { meant: None, .. } => {
            say!(lang, "paths are relative to this file", "路径相对于本文件")
        }
        BadFile::Outside { .. } => {
            say!(lang, "copy it next to bot.toml", "把它复制到 bot.toml 旁边")
        }
        BadFile::Link(_) => link_hint(lang),
        BadFile::TooLarge { .. } => say!(lang, "make it smaller", "请缩小文件"),
        BadFile::RuleFile(why) | BadFile::Unreadable { why, .. } => {
            return words::readable_again(why, lang);
        }
        BadFile::Nothing { .. } => return None,
    })
}

fn link_hint(lang: Lang) -> String {
    say!(lang, "put a copy in place of the link", "用副本替换这个链接")
}

/// Whether a key of that name may hold a list of texts.
fn takes_several(name: &str) -> bool {
    let shape = |key: &crate::keys::Key| key.kind.shape();
    KEYS.iter().any(|key| key.name == name && shape(key) == Shape::TextOrList)
}

fn include_hint(include: &BadInclude, lang: Lang) -> Option<String> {
    Some(match include {
        BadInclude::Missing(_) | BadInclude::StarInFolder(_) => {
            say!(lang, "paths are relative to this file", "路径相对于本文件")
        }
        BadInclude::Cycle(_) | BadInclude::Twice(_) => say!(lang, "leave it out", "去掉它"),
        BadInclude::Outside(_) => {
            say!(lang, "copy it next to bot.toml", "把它复制到 bot.toml 旁边")
        }
        BadInclude::Link(_) => link_hint(lang),
        BadInclude::BotTable => say!(lang, "move it there", "移到主文件里"),
        BadInclude::Unreadable { why, .. } => return words::readable_again(why, lang),
    })
}

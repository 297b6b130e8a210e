//! Mistakes of syntax, and the advice that holds for every file.

use crate::{Lang, say};

/// A syntax mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Syntax {
    /// A typographic or full-width sign where a plain one is needed.
    Typographic {
        /// The sign.
        found: char,
        /// The plain one.
        ascii: char,
    },
    /// A header with the wrong brackets.
    Header {
        /// The header as written.
        found: String,
        /// The header that is meant.
        expected: String,
    },
    /// `\d` in a text in double quotes.
    Escape(char),
    /// A path of Windows, with its backslashes.
    Path,
    /// `// …`, as other languages write comments; the sign.
    Comment(&'static str),
    /// Another format, such as JSON or YAML.
    Format(&'static str),
    /// A text whose last quote has a backslash before it.
    EscapedQuote,
    /// A line of plain words.
    Prose,
    /// A letter before the quotes of a text, as Python has it.
    Prefix(char),
    /// A backslash that means nothing in a text that is sent.
    EscapeInText(char),
    /// A text that begins with one quote and ends with another.
    MixedQuotes(char),
    /// Lines of a test that stand in no text.
    BareScript,
    /// A text with quotes in it that end it; the quote.
    InnerQuotes(char),
    /// A text that ends with a quote but does not begin with one.
    NoOpeningQuote,
    /// Several texts without the brackets of a list, and the list.
    BareList {
        /// The key.
        key: String,
        /// The texts.
        items: Vec<String>,
    },
    /// A sign behind a value, as JSON or a programming language has it.
    Trailing(char),
    /// A key or a table that is there twice.
    Twice(String),
    /// A table that is there twice.
    TwiceTable(String),
    /// A text without quotes.
    Unquoted(String),
    /// Something else where `true` or `false` belongs.
    NoFlag(String),
    /// Something else where a number belongs.
    NoNumber(String),
    /// A key or value in wide letters or digits.
    FullWidth {
        /// As written.
        found: String,
        /// In plain letters.
        plain: String,
    },
    /// A key of other letters than a key has without quotes.
    BareKey(String),
    /// A colon, `==` or `=>` where `=` belongs.
    Assignment(String),
    /// A character that shows nothing.
    Control(char),
    /// A key without `=`.
    NoEquals,
    /// A key without a value.
    NoValue,
    /// A list that is never closed.
    OpenList,
    /// A table in braces that is never closed.
    OpenTable,
    /// A text that is never closed, with the quotes that it begins with.
    OpenText(&'static str),
    /// A text of several lines between quotes for one.
    TextOverLines,
    /// Two values with nothing between them.
    NoComma,
    /// Something behind a value.
    Leftover,
    /// Anything else, in the words of the parser.
    Other(String),
}

impl Syntax {
    /// The mistake.
    #[must_use]
    pub fn message(&self, lang: Lang) -> String {
        message(self, lang)
    }

    /// The remedy.
    #[must_use]
    pub fn hint(&self, lang: Lang) -> Option<String> {
        hint(self, lang)
    }
}

#[expect(clippy::too_many_lines, reason = "a table: a line for each problem")]
fn message(syntax: &Syntax, lang: Lang) -> String {
    match syntax {
        Syntax::Typographic { found, ascii } => typographic(*found, *ascii, lang),
        Syntax::Header { found, expected } => say!(
            lang,
            "`{found}` is not a valid header; expected `{expected}`",
            "`{found}` 不是有效的表头；应为 `{expected}`"
        ),
        Syntax::Escape(c) => say!(
            lang,
            "\\{c} is not an escape in \"double quotes\"",
            "\"双引号\" 里没有 \\{c} 这种转义"
        ),
        Syntax::Twice(key) => say!(lang, "`{key}` occurs twice", "`{key}` 出现了两次"),
        Syntax::TwiceTable(name) => say!(lang, "`{name}` occurs twice", "`{name}` 出现了两次"),
        Syntax::NoFlag(text) => {
            say!(lang, "{text} is neither true nor false", "{text} 既不是 true 也不是 false")
        }
        Syntax::NoNumber(text) => say!(lang, "{text} is not a number", "{text} 不是数字"),
        Syntax::FullWidth { found, .. } => {
            say!(lang, "{found} is written in full-width characters", "{found} 是全角字符")
        }
        Syntax::Path => {
            say!(lang, "this path has backslashes", "路径里有反斜杠")
        }
        Syntax::Comment(sign) => {
            say!(lang, "{sign} does not begin a comment", "{sign} 不是注释的写法")
        }
        Syntax::Format(format) => {
            say!(lang, "this is {format}; the file must be TOML", "这是 {format}；本文件用 TOML")
        }
        Syntax::Prefix(letter) => {
            say!(lang, "`{letter}` before the quotes is not valid", "引号前面多了 `{letter}`")
        }
        Syntax::EscapeInText(c) => say!(
            lang,
            "\\{c} is not an escape in \"double quotes\"",
            "\"双引号\" 里没有 \\{c} 这种转义"
        ),
        Syntax::EscapedQuote => say!(
            lang,
            "the backslash makes the last quote a part of the text",
            "反斜杠使最后的引号成了文字的一部分"
        ),
        Syntax::Prose => say!(
            lang,
            "this line is neither a header nor key = value",
            "这一行既不是表头，也不是 键 = 值"
        ),
        Syntax::MixedQuotes(quote) => say!(
            lang,
            "this text begins with {quote} but ends with another quote",
            "这段文字以 {quote} 开头，却以另一种引号结束"
        ),
        Syntax::BareScript => {
            say!(lang, "the lines of this test are not in quotes", "测试的各行没有写在引号里")
        }
        Syntax::InnerQuotes(_) => {
            say!(lang, "the quotes inside this text end it", "文字中间的引号使它提前结束了")
        }
        Syntax::NoOpeningQuote => {
            say!(lang, "the opening quote is missing", "缺少开头的引号")
        }
        Syntax::BareList { .. } => {
            say!(lang, "several texts without brackets", "多个文字没有写在方括号里")
        }
        Syntax::Trailing(sign) => {
            say!(lang, "unexpected `{sign}` after the value", "值的后面多了 `{sign}`")
        }
        Syntax::BareKey(key) => say!(lang, "the key {key} is not in quotes", "键 {key} 没有加引号"),
        Syntax::Assignment(sign) => {
            say!(lang, "expected `=`, found `{sign}`", "这里应是 `=`，却是 `{sign}`")
        }
        Syntax::Control(unseen) => {
            let code = u32::from(*unseen);
            say!(
                lang,
                "there is an invisible character here: U+{code:04X}",
                "这里有一个看不见的字符：U+{code:04X}"
            )
        }
        Syntax::Unquoted(text) => {
            say!(lang, "the text {text} is not in quotes", "文字 {text} 没有加引号")
        }
        Syntax::NoEquals => say!(lang, "a key without `=`", "键的后面缺少 `=`"),
        Syntax::NoValue => say!(lang, "a key without a value", "键没有值"),
        Syntax::OpenList => say!(lang, "this list is never closed", "列表没有结束"),
        Syntax::OpenTable => say!(lang, "this brace is never closed", "花括号没有结束"),
        Syntax::OpenText(_) => say!(lang, "this text is never closed", "文字没有结束"),
        Syntax::TextOverLines => {
            say!(lang, "this text goes over several lines", "这段文字写了好几行")
        }
        Syntax::NoComma => say!(lang, "no comma between two items", "两项之间缺少逗号"),
        Syntax::Leftover => say!(lang, "unexpected text after the value", "值的后面有多余内容"),
        Syntax::Other(words) => {
            let words = match lang {
                Lang::En => words.clone(),
                Lang::Zh => in_chinese(words),
            };
            say!(lang, "not valid TOML: {words}", "不是有效的 TOML：{words}")
        }
    }
}

fn typographic(found: char, ascii: char, lang: Lang) -> String {
    match ascii {
        '"' | '\'' => say!(lang, "{found} is a typographic quote", "{found} 是中文（排版）引号"),
        ' ' if found == '\u{3000}' => say!(lang, "this is a full-width space", "这是全角空格"),
        ' ' => say!(lang, "this is a special space", "这是特殊的空格"),
        _ => say!(lang, "{found} is a full-width sign", "{found} 是全角符号"),
    }
}

#[expect(clippy::too_many_lines, reason = "a table: a line for each problem")]
fn hint(syntax: &Syntax, lang: Lang) -> Option<String> {
    Some(match syntax {
        Syntax::Typographic { ascii: ' ', .. } => say!(lang, "use a plain space", "请用半角空格"),
        Syntax::Typographic { ascii, .. } => say!(lang, "use {ascii}", "请用 {ascii}"),
        Syntax::Header { found, expected } if !found.is_ascii() => {
            say!(lang, "headers are in English: write {expected}", "表头用英文：请写 {expected}")
        }
        Syntax::Header { expected, .. } => say!(lang, "write {expected}", "请写 {expected}"),
        Syntax::Escape(_) => {
            say!(lang, "write it in 'single quotes'", "请写在 '单引号' 里")
        }
        Syntax::Path => say!(lang, "separate folders with /", "文件夹之间用 /"),
        Syntax::Comment(_) => say!(lang, "comments begin with #", "注释以 # 开头"),
        Syntax::Format(_) => say!(
            lang,
            "[table] on a line of its own, below it lines like key = \"…\"",
            "单独一行写 [表名]，下面各行写 键 = \"…\""
        ),
        Syntax::Prefix(_) => say!(
            lang,
            "leave it out; a backslash means itself in 'single quotes'",
            "去掉它；'单引号' 里的反斜杠就是它本身"
        ),
        Syntax::EscapeInText(_) => say!(
            lang,
            "for a backslash itself write \\\\; a new line is \\n",
            "要写反斜杠本身请用 \\\\；换行是 \\n"
        ),
        Syntax::EscapedQuote => say!(
            lang,
            "leave the \\ out, or write \\\\ for a backslash itself",
            "去掉 \\，要写反斜杠本身请用 \\\\"
        ),
        Syntax::Prose => say!(lang, "a comment begins with #", "注释以 # 开头"),
        Syntax::MixedQuotes(_) => {
            say!(lang, "use the same quote at both ends", "首尾请用同一种引号")
        }
        Syntax::BareScript => say!(
            lang,
            "put them between the lines script = ''' and '''",
            "把它们写在 script = ''' 与 ''' 两行之间"
        ),
        Syntax::InnerQuotes('\'') => {
            say!(lang, "put double quotes around the whole text", "整段文字用双引号括起来")
        }
        Syntax::InnerQuotes(_) => say!(
            lang,
            "inside write \\\" or “ ”, or put single quotes around the whole text",
            "里面的引号写成 \\\" 或 “ ”，或整段文字用单引号括起来"
        ),
        Syntax::NoOpeningQuote => say!(lang, "put a quote before it", "在前面加上引号"),
        Syntax::BareList { key, items } => {
            let list = list(items);
            say!(lang, "write {key} = {list}", "请写 {key} = {list}")
        }
        Syntax::Trailing(sign) => say!(lang, "leave {sign} out", "去掉 {sign}"),
        Syntax::Twice(_) => say!(lang, "leave one out", "去掉一个"),
        Syntax::TwiceTable(name) => {
            say!(lang, "put all of it below one [{name}]", "都写在同一个 [{name}] 下面")
        }
        Syntax::Unquoted(text)
            if matches!(text.as_str(), "None" | "null" | "nil" | "undefined") =>
        {
            say!(lang, "leave the whole line out", "去掉整行")
        }
        Syntax::Unquoted(text)
            if text.len() > 2 && text.starts_with('/') && text.ends_with('/') =>
        {
            let inside = &text[1..text.len() - 1];
            say!(lang, "write '{inside}'", "请写 '{inside}'")
        }
        // A backslash means itself between single quotes only.
        Syntax::Unquoted(text) if text.contains('\\') => {
            say!(lang, "write '{text}'", "请写 '{text}'")
        }
        Syntax::Unquoted(text) => say!(lang, "write \"{text}\"", "请写 \"{text}\""),
        Syntax::NoFlag(_) => say!(lang, "write true or false", "请写 true 或 false"),
        Syntax::NoNumber(_) => say!(lang, "write a number", "请写数字"),
        Syntax::FullWidth { plain, .. } => say!(lang, "write {plain}", "请写 {plain}"),
        Syntax::BareKey(key) => say!(
            lang,
            "the keys are English words; a name of your own is written \"{key}\"",
            "键是英文单词；自己取的名字要写成 \"{key}\""
        ),
        Syntax::Assignment(_) => say!(lang, "use =", "请用 ="),
        Syntax::Control(_) => say!(lang, "delete it", "删掉它"),
        Syntax::NoEquals => {
            say!(lang, "put = after it, like key = \"…\"", "在它后面写 =，如 键 = \"…\"")
        }
        Syntax::NoValue => say!(lang, "write it after the =", "写在 = 后面"),
        Syntax::OpenList => say!(lang, "add ]", "加上 ]"),
        Syntax::OpenTable => say!(lang, "add }}", "加上 }}"),
        Syntax::OpenText(quotes) if quotes.len() == 3 => say!(
            lang,
            "add {quotes} on a line of its own after it",
            "在它后面单独一行加上 {quotes}"
        ),
        Syntax::OpenText(_) => say!(lang, "add the closing quote", "加上结束的引号"),
        Syntax::TextOverLines => say!(
            lang,
            "begin and end it with \"\"\", or write \\n for a line end",
            "首尾都用 \"\"\"，或用 \\n 表示换行"
        ),
        Syntax::NoComma => say!(lang, "add ,", "加上 ,"),
        Syntax::Leftover => say!(lang, "one key = value on each line", "每行写一个 键 = 值"),
        Syntax::Other(_) => return None,
    })
}

fn list(items: &[String]) -> String {
    let quoted: Vec<String> = items.iter().map(|item| format!("\"{item}\"")).collect();
    format!("[{}]", quoted.join(", "))
}

/// The words of the TOML parser in Chinese. It speaks English only; a message is known by its beginning.
fn in_chinese(words: &str) -> String {
    let known = TOML.iter().find(|(english, _)| words.starts_with(english));
    known.map_or("无法理解这里的写法", |(_, chinese)| chinese).to_owned()
}

const TOML: [(&str, &str); 21] = [
    ("extra comma", "多了一个逗号"),
    ("extra `=`", "多了一个 ="),
    ("extra assignment", "多了一个 ="),
    ("unexpected `=` in array", "列表里不能有 ="),
    ("unexpected leading zero", "数字前面不能有 0"),
    ("unexpected sign", "这里不能有正负号"),
    ("redundant numeric sign", "多了一个正负号"),
    ("redundant integer number prefix", "数字的前缀多余"),
    ("`_` may only go between digits", "_ 只能在数字中间"),
    ("unquoted keys cannot be empty", "= 前面缺少键"),
    ("missing key", "缺少键"),
    ("missing assignment", "键的后面缺少 ="),
    ("keys cannot be multi-line", "键不能写成多行文字"),
    ("cannot recurse further", "嵌套太深"),
    ("carriage return must be followed by newline", "有单独的回车符"),
    ("invalid comment character", "注释里有不能用的字符"),
    ("unclosed table", "表头缺少 ]"),
    ("unclosed array table", "表头缺少 ]]"),
    ("missing opening quote", "缺少开头的引号"),
    ("duplicate key", "键重复"),
    ("invalid", "写法不对"),
];

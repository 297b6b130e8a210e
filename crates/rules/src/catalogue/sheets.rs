//! Messages about `[[table]]`.

use mynah_tables::{Form, MOST_COLUMNS, MOST_ROWS, MOST_TEXT, MOST_UNPACKED, Unreadable};

use super::{Lang, computed, file_message, say, shadow_message, words};
use crate::problem::{BadCell, SheetProblem};

pub(super) fn message(problem: &SheetProblem, here: &str, lang: Lang) -> String {
    match problem {
        SheetProblem::Unreadable { path, why } => {
            let why = unreadable(why, lang);
            say!(lang, "{path} cannot be read as a table: {why}", "无法把 {path} 读作表格：{why}")
        }
        SheetProblem::ColumnNumber { key, found } => say!(
            lang,
            "{key} = {found} is not a column: columns are 1 to {MOST_COLUMNS}",
            "{key} = {found} 不是列的序号：应为 1 到 {MOST_COLUMNS}"
        ),
        SheetProblem::NoColumn { header, .. } => {
            say!(lang, "no column is called \"{header}\"", "没有名为“{header}”的列")
        }
        SheetProblem::SameColumn { key, other } => {
            say!(lang, "{key} and {other} are the same column", "{key} 与 {other} 是同一列")
        }
        SheetProblem::NoRows { name } => say!(
            lang,
            "{name} has no row with a question and an answer",
            "{name} 里没有既有问题又有答案的行"
        ),
        SheetProblem::Cell { row, column, what } => {
            let what = bad_cell(what, lang);
            say!(lang, "{row}, column {column}: {what}", "{row} 的 {column} 列：{what}")
        }
        SheetProblem::NeverFires { row, shadow } => {
            let why = shadow_message(shadow, here, lang);
            say!(lang, "{row} never answers: {why}", "{row} 永远不会回答：{why}")
        }
        SheetProblem::MoreNeverFire { count } => say!(
            lang,
            "and {count} more that an earlier rule always answers",
            "还有 {count} 行总是由前面的规则先回答"
        ),
        SheetProblem::More { count, first } => {
            let kind = kind(first, lang);
            say!(lang, "and {count} more: {kind}", "还有 {count} 处：{kind}")
        }
        SheetProblem::EmptyColumn { key, found, last } => say!(
            lang,
            "{key} is column {found}, which is empty: the last one with text is {last}",
            "{key} 是 {found} 列，但它是空的：最后一个有文字的是 {last} 列"
        ),
        SheetProblem::SheetOfText => {
            say!(lang, "the file has no sheets", "这个文件没有工作表")
        }
        SheetProblem::Read { name, rows, header, titles, columns, form } => {
            let header = shown_header(*header, *titles, lang);
            read(name, *rows, &header, columns, form, lang)
        }
    }
}

fn read(
    name: &str,
    rows: usize,
    header: &str,
    columns: &[(&'static str, String)],
    form: &Form,
    lang: Lang,
) -> String {
    let columns: Vec<String> =
        columns.iter().map(|(key, column)| format!("{key} = {column}")).collect();
    let columns = words::list(&columns, lang);
    let form = shown_form(form, lang);
    let s = if rows == 1 { "" } else { "s" };
    say!(
        lang,
        "{name}: {rows} row{s} with answers; {header}; {columns}; read as {form}",
        "{name}：{rows} 行问答；{header}；{columns}；读作{form}"
    )
}

fn shown_header(header: Option<u32>, titles: usize, lang: Lang) -> String {
    match header {
        Some(0) => say!(lang, "the keys are the header", "以键名为表头"),
        Some(row) if titles == 0 => {
            say!(lang, "row {row} is the header", "第 {row} 行是表头")
        }
        Some(row) => {
            say!(lang, "row {row} is the header, below a title", "第 {row} 行是表头，上面是标题")
        }
        None => say!(lang, "no header", "没有表头"),
    }
}

fn shown_form(form: &Form, lang: Lang) -> String {
    match form {
        Form::Separated { encoding, separator: '\t' } => say!(
            lang,
            "{encoding} text with tabs between cells",
            "{encoding} 文本，单元格之间是制表符"
        ),
        Form::Separated { encoding, separator } => say!(
            lang,
            "{encoding} text with `{separator}` between cells",
            "{encoding} 文本，单元格之间是 `{separator}`"
        ),
        Form::Json => "JSON".to_owned(),
        Form::Sheet { name, of: 1 } => say!(lang, "the sheet {name}", "工作表“{name}”"),
        Form::Sheet { name, of } => {
            say!(lang, "the sheet {name} of {of}", "{of} 张工作表中的“{name}”")
        }
    }
}

#[expect(clippy::too_many_lines, reason = "a table: a line for each reason")]
fn unreadable(why: &Unreadable, lang: Lang) -> String {
    match why {
        Unreadable::Empty => say!(lang, "it is empty", "文件是空的"),
        Unreadable::Foreign(kind) => say!(lang, "it is {kind}", "它是 {kind}"),
        Unreadable::Encoding { at } => {
            let at = at + 1;
            say!(
                lang,
                "it is neither UTF-8, UTF-16, GB18030 nor Big5 (byte {at})",
                "编码不是 UTF-8、UTF-16、GB18030 或 Big5（第 {at} 个字节）"
            )
        }
        Unreadable::Character { encoding, line } => say!(
            lang,
            "a character in line {line} is damaged (the text is {encoding})",
            "第 {line} 行有损坏的字符（编码是 {encoding}）"
        ),
        Unreadable::Binary => say!(lang, "its bytes are not text", "内容不是文本"),
        Unreadable::OldExcel => {
            say!(
                lang,
                "it is a workbook of Excel 97 to 2003 (.xls)",
                "它是旧版 Excel 97–2003 的 .xls"
            )
        }
        Unreadable::Password => say!(lang, "it has a password", "它有密码"),
        Unreadable::NoWorkbook => {
            say!(lang, "it is not a workbook, or is damaged", "它不是工作簿，或已损坏")
        }
        Unreadable::MissingPart { part } => {
            say!(lang, "it is damaged: {part} is missing in it", "文件已损坏：里面缺少 {part}")
        }
        Unreadable::Xml { part } => {
            say!(
                lang,
                "it is damaged: {part} is not valid XML",
                "文件已损坏：{part} 不是有效的 XML"
            )
        }
        Unreadable::DocumentType { part } => say!(
            lang,
            "{part} in it has a document type, which no spreadsheet writes",
            "其中的 {part} 带有文档类型声明，正常的表格软件不会写"
        ),
        Unreadable::Inflated => {
            let most = MOST_UNPACKED >> 20;
            say!(lang, "it unpacks to more than {most} MB", "解压后超过 {most} MB")
        }
        Unreadable::NoSheet { wanted, .. } => {
            say!(lang, "it has no sheet \"{wanted}\"", "没有名为“{wanted}”的工作表")
        }
        Unreadable::Json { line, column } => say!(
            lang,
            "it is not valid JSON (line {line}, column {column})",
            "不是有效的 JSON（第 {line} 行第 {column} 列）"
        ),
        Unreadable::RepeatedKey { key, line } => say!(
            lang,
            "the key \"{key}\" occurs twice in one object (again in line {line})",
            "同一个对象里 \"{key}\" 出现了两次（第二次在第 {line} 行）"
        ),
        Unreadable::JsonShape => {
            say!(lang, "the JSON has no questions with answers", "JSON 里不是问题与答案")
        }
        Unreadable::Rows => {
            say!(lang, "it has more than {MOST_ROWS} rows", "超过 {MOST_ROWS} 行")
        }
        Unreadable::Columns { row } => say!(
            lang,
            "row {row} has more than {MOST_COLUMNS} columns",
            "第 {row} 行超过 {MOST_COLUMNS} 列"
        ),
        Unreadable::Text => {
            let most = MOST_TEXT >> 20;
            say!(lang, "its cells have more than {most} MB of text", "单元格文字超过 {most} MB")
        }
        Unreadable::Quote { row, column } => say!(
            lang,
            "the quotation mark at the beginning of row {row}, column {column} is not closed there",
            "第 {row} 行第 {column} 列开头的引号没有闭合"
        ),
        Unreadable::LongCell { row, column } => say!(
            lang,
            "the cell in row {row}, column {column} has more than 32 767 characters",
            "第 {row} 行第 {column} 列的单元格超过 32 767 个字"
        ),
    }
}

fn bad_cell(what: &BadCell, lang: Lang) -> String {
    match what {
        BadCell::NoQuestion => {
            say!(
                lang,
                "an answer without a question; the row is left out",
                "有答案没有问题，已跳过这行"
            )
        }
        BadCell::NoAnswer => {
            say!(
                lang,
                "a question without an answer; the row is left out",
                "有问题没有答案，已跳过这行"
            )
        }
        BadCell::Fault(fault) => say!(
            lang,
            "the spreadsheet shows the fault {fault}; the row is left out",
            "表格里显示错误值 {fault}，已跳过这行"
        ),
        BadCell::Formula => say!(
            lang,
            "the formula has no value yet; the row is left out",
            "公式还没有算出结果，已跳过这行"
        ),
        BadCell::Nothing(text) => say!(
            lang,
            "nothing of \"{text}\" counts when messages are compared; it is left out",
            "“{text}”里没有可比较的文字，已跳过"
        ),
        BadCell::Pattern(text, why) => {
            let why = words::pattern(why, lang);
            say!(lang, "\"{text}\": {why}", "“{text}”：{why}")
        }
        BadCell::PatternEvery(text) => {
            say!(lang, "\"{text}\" matches every message", "“{text}”匹配每一条消息")
        }
        BadCell::Template(why) => words::template(why, lang),
        BadCell::Name(name) => say!(lang, "{{{name}}} is unknown here", "这里没有 {{{name}}}"),
        BadCell::NotAlways(name) => say!(
            lang,
            "{{{name}}} is not set by every question of the cell",
            "这个单元格的问题并不都有 {{{name}}}"
        ),
        BadCell::Computed(bad) => computed::message(bad, lang),
        BadCell::File(bad) => file_message(bad, lang),
    }
}

/// A kind of mistake.
fn kind(what: &BadCell, lang: Lang) -> String {
    match what {
        BadCell::NoQuestion => say!(lang, "answers without a question", "有答案没有问题"),
        BadCell::NoAnswer => say!(lang, "questions without an answer", "有问题没有答案"),
        BadCell::Fault(_) => say!(lang, "faults of the spreadsheet", "表格错误值"),
        BadCell::Formula => say!(lang, "formulas without a value", "没有结果的公式"),
        BadCell::Nothing(_) => say!(lang, "questions without words", "没有可比较的文字"),
        BadCell::Pattern(..) => say!(lang, "patterns that cannot be read", "无法读取的句式"),
        BadCell::PatternEvery(_) => {
            say!(lang, "patterns that match every message", "匹配每一条消息的句式")
        }
        BadCell::Template(_) | BadCell::Name(_) | BadCell::NotAlways(_) | BadCell::Computed(_) => {
            say!(lang, "names in answers", "答案里的名字")
        }
        BadCell::File(_) => say!(lang, "files that cannot be sent", "不能发送的文件"),
    }
}

#[expect(clippy::too_many_lines, reason = "a table: a line for each problem")]
pub(super) fn hint(problem: &SheetProblem, lang: Lang) -> Option<String> {
    Some(match problem {
        SheetProblem::Unreadable { why, .. } => return unreadable_hint(why, lang),
        SheetProblem::ColumnNumber { .. } => {
            say!(lang, "write a number or a header in quotes", "写列的序号，或加引号的列名")
        }
        SheetProblem::NoColumn { meant: Some(meant), .. } => {
            say!(lang, "did you mean \"{meant}\"?", "是不是想写“{meant}”？")
        }
        SheetProblem::NoColumn { key, known, .. } => {
            let known = words::list(known, lang);
            say!(
                lang,
                "row 1 has {known}; or write a number: {key} = 1",
                "第 1 行有 {known}；也可写序号：{key} = 1"
            )
        }
        SheetProblem::SameColumn { .. } => say!(
            lang,
            "name both columns: question = 1, reply = 2",
            "把两列都写上：question = 1、reply = 2"
        ),
        SheetProblem::NoRows { .. } => say!(
            lang,
            "name the columns: question = 1, reply = 2",
            "写明是哪两列：question = 1、reply = 2"
        ),
        SheetProblem::Cell { what: BadCell::Name(_) | BadCell::Template(_), .. } => say!(
            lang,
            "a brace itself is {{{{ or }}}}; without templates = true braces are text",
            "花括号本身写 {{{{ 或 }}}}；去掉 templates = true 则花括号只是文字"
        ),
        SheetProblem::Cell { what: BadCell::NotAlways(name), .. } => {
            say!(lang, "write a default: {{{name}|…}}", "写上默认值：{{{name}|…}}")
        }
        SheetProblem::Cell { what: BadCell::Formula, .. } => say!(
            lang,
            "open the file in the spreadsheet program and save it",
            "用表格软件打开它，再保存一次"
        ),
        SheetProblem::EmptyColumn { .. } => {
            say!(lang, "write the right column, or leave it out", "写对列，或去掉它")
        }
        SheetProblem::SheetOfText => say!(
            lang,
            "leave it out: only .xlsx and .ods have sheets",
            "去掉它：只有 .xlsx 和 .ods 才有工作表"
        ),
        SheetProblem::NeverFires { shadow, .. } if !shadow.is_by_order => say!(
            lang,
            "its priority is higher: give the table a higher one, or leave the row out",
            "那条的 priority 更高：给表格写更高的 priority，或删去这一行"
        ),
        SheetProblem::NeverFires { .. } => say!(
            lang,
            "move the table before that rule, or leave the row out",
            "把表格移到那条规则前面，或删去这一行"
        ),
        SheetProblem::MoreNeverFire { .. }
        | SheetProblem::Cell { .. }
        | SheetProblem::More { .. }
        | SheetProblem::Read { .. } => {
            return None;
        }
    })
}

fn unreadable_hint(why: &Unreadable, lang: Lang) -> Option<String> {
    Some(match why {
        Unreadable::OldExcel => {
            say!(lang, "save it as .xlsx or .csv", "请另存为 .xlsx 或 .csv")
        }
        Unreadable::Password => {
            say!(lang, "save a copy without a password", "请另存一份不带密码的")
        }
        Unreadable::Foreign("HTML") => say!(
            lang,
            "open it in Excel or WPS and save it as .xlsx",
            "用 Excel 或 WPS 打开后另存为 .xlsx"
        ),
        Unreadable::Foreign(_)
        | Unreadable::Binary
        | Unreadable::Encoding { .. }
        | Unreadable::NoWorkbook
        | Unreadable::MissingPart { .. }
        | Unreadable::Xml { .. }
        | Unreadable::DocumentType { .. } => {
            say!(lang, "save it again as .xlsx or .csv", "请重新保存为 .xlsx 或 .csv")
        }
        Unreadable::NoSheet { sheets, .. } => {
            let sheets = words::list(&sheets[..sheets.len().min(20)], lang);
            say!(lang, "its sheets: {sheets}", "其中的工作表：{sheets}")
        }
        Unreadable::Character { .. } => say!(
            lang,
            "correct this line, or save the file again from the spreadsheet program",
            "请改正这一行，或用表格软件重新保存"
        ),
        Unreadable::Quote { .. } => say!(
            lang,
            "close it, or write the mark twice inside quotation marks: \"5\"\" screen\"",
            "请补上引号；内容里的引号要写两次，整格再加引号：\"5\"\" 屏幕\""
        ),
        Unreadable::LongCell { .. } => {
            say!(lang, "a quotation mark is probably never closed", "多半是引号没有闭合")
        }
        Unreadable::RepeatedKey { .. } => say!(
            lang,
            "leave one out; several texts go into one list: [\"…\", \"…\"]",
            "去掉一个；多段文字写成一个列表：[\"…\", \"…\"]"
        ),
        Unreadable::JsonShape => say!(
            lang,
            "{{\"question\": \"answer\"}}, or [{{\"question\": \"…\", \"answer\": \"…\"}}]",
            "写 {{\"问题\": \"答案\"}}，或 [{{\"问题\": \"…\", \"答案\": \"…\"}}]"
        ),
        Unreadable::Rows | Unreadable::Text | Unreadable::Inflated | Unreadable::Columns { .. } => {
            say!(lang, "split it into several files", "请拆成几个文件")
        }
        Unreadable::Empty | Unreadable::Json { .. } => return None,
    })
}

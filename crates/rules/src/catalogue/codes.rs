//! The codes of diagnostics with their meanings, for the reference page.

/// Every code, in English and in Chinese.
pub(crate) const CODES: [(&str, &str, &str); 41] = [
    ("syntax", "The file is not valid TOML there.", "此处不是有效的 TOML。"),
    ("unknown-key", "No such key in this table.", "此表没有这个键。"),
    ("type", "A value of the wrong type.", "值的类型不对。"),
    ("missing", "A table lacks a key that it needs.", "表缺少必需的键。"),
    (
        "no-condition",
        "A rule would answer every message, or (warning) the file answers none.",
        "规则会回答每一条消息，或（警告）文件不会回答任何消息。",
    ),
    ("no-action", "Nothing to do.", "没有任何动作。"),
    ("empty", "A blank text, or an empty list.", "空白文字或空列表。"),
    (
        "value",
        "A time span, time, day, number or word that cannot be understood.",
        "无法理解的时长、时间、日期、数字或词。",
    ),
    ("conflict", "Keys that contradict each other.", "互相矛盾的键。"),
    ("regex", "A regular expression that cannot be used.", "不能使用的正则。"),
    ("regex-size", "A regular expression that is too long or too slow.", "太长或太慢的正则。"),
    (
        "regex-cost",
        "Regular expressions that are too costly together (warning).",
        "合起来太耗时的正则（警告）。",
    ),
    (
        "regex-empty",
        "A regular expression or pattern that fits every message (warning).",
        "匹配每条消息的正则或句式（警告）。",
    ),
    ("scan", "A regular expression without fixed text (note).", "没有固定文字的正则（提示）。"),
    (
        "regex-slashes",
        "A regular expression between slashes: they are looked for (note; warning with flags, and where nothing can match).",
        "写在斜杠之间的正则：斜杠也会被查找（提示；带标志或永不匹配时为警告）。",
    ),
    (
        "pattern",
        "A pattern that cannot be read, or (warning) one that has a full-width sign that is text.",
        "无法读取的句式，或（警告）只当作文字的全角符号。",
    ),
    ("template", "A mistake in a text with `{names}`.", "含 `{名字}` 的文字有误。"),
    (
        "capture",
        "A capture that is not always set, or has the name of something built in.",
        "并非总有值的捕获，或与内置名称相同。",
    ),
    (
        "fetch",
        "A request that cannot be sent, or a host or secret that the operator did not open.",
        "不能发出的请求，或运维者没有开放的主机、密钥。",
    ),
    (
        "compared",
        "Texts that earlier versions compared in another way (note).",
        "旧版本以另一种方式比较的文字（提示）。",
    ),
    ("list", "A list of `[lists]` that cannot be read.", "无法使用的 `[lists]` 列表。"),
    (
        "table",
        "A table that cannot be read, or (warning) a row of it that is left out.",
        "无法读取的表格，或（警告）其中被跳过的行。",
    ),
    (
        "table-read",
        "How a table was read: its encoding, header and columns (note).",
        "表格的读取方式：编码、表头与列（提示）。",
    ),
    (
        "literal",
        "A text that is taken literally although a list, a regex, a sum or a name was probably meant (warning).",
        "会原样当作文字的写法，多半本想写列表、正则、计算或名字（警告）。",
    ),
    ("loop", "A rule whose `answer_as` leads back to it.", "`answer_as` 又回到自己的规则。"),
    (
        "broadcast",
        "A message to many groups that anybody can set off (warning).",
        "任何人都能触发的群发（警告）。",
    ),
    ("never-set", "A variable that nothing sets (warning).", "没有任何地方设置的变量（警告）。"),
    (
        "handler",
        "A handler that is not registered, or (note) may not be.",
        "未注册的处理器，或（提示）可能未注册。",
    ),
    (
        "file",
        "A file that cannot be sent, or a rule file that cannot be read.",
        "不能发送的文件，或无法读取的规则文件。",
    ),
    (
        "transport",
        "A feature that the service does not have, or (warning) an event that it never reports, or (note) a difference.",
        "服务不支持的功能，或（警告）从不提供的事件，或（提示）有差异的功能。",
    ),
    ("duplicate-id", "The same id twice.", "id 重复。"),
    ("no-service", "A chat service that the program does not have.", "程序没有的聊天服务。"),
    (
        "unknown-id",
        "An id that no rule or dialog has, or (warning) that `ground` of a handler names and no table has.",
        "不存在的 id；或（警告）处理器的 `ground` 写了而没有表格有的 id。",
    ),
    (
        "include",
        "A file that cannot be included, or (warning) a pattern that matches none.",
        "不能包含的文件，或（警告）没有匹配的文件。",
    ),
    (
        "never-fires",
        "A rule or dialog that can never answer (warning).",
        "永远不会回答的规则或对话（警告）。",
    ),
    (
        "duplicate-keyword",
        "A keyword that an earlier rule answers (warning).",
        "前面的规则已回答的关键词（警告）。",
    ),
    (
        "never-due",
        "A cron line that names no day of any year (warning).",
        "永远不会触发的 cron：哪一年都没有这个日子（警告）。",
    ),
    (
        "uneven-step",
        "A step of a cron line that does not divide the hour or day evenly: `*/40` (warning).",
        "不能整除小时或一天的 cron 步长：`*/40`（警告）。",
    ),
    (
        "never-counts",
        "A `[[group]]` after another that applies to the same groups (warning).",
        "被前面的 `[[group]]` 完全盖住的表（警告）。",
    ),
    (
        "test",
        "A line of a test that cannot be read, or a test that failed.",
        "无法读取的测试行，或失败的测试。",
    ),
    ("group", "A group that was not seen yet (after login).", "尚未见到的群（登录后）。"),
];

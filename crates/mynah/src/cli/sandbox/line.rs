//! A line typed in the sandbox: something to say, or a command.

/// What a line means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Typed<'a> {
    /// Say this.
    Say(&'a str),
    /// Speak as this person from now on.
    As(&'a str),
    /// Speak in this group from now on.
    Group(&'a str),
    /// Speak to the bot in private from now on.
    Private,
    /// Show the commands.
    Help,
    /// Leave.
    Quit,
    /// Nothing.
    Nothing,
    /// A command that lacks its name.
    Nameless(&'a str),
    /// No command of ours.
    Unknown(&'a str),
}

/// Reads a line. `//x` says `/x`.
pub(super) fn read(line: &str) -> Typed<'_> {
    let line = line.trim();
    if line.is_empty() {
        return Typed::Nothing;
    }
    let Some(command) = line.strip_prefix('/') else { return Typed::Say(line) };
    if command.starts_with('/') {
        return Typed::Say(command);
    }
    let (word, rest) = command.split_once(char::is_whitespace).unwrap_or((command, ""));
    match (word, rest.trim()) {
        ("as" | "group", "") => Typed::Nameless(word),
        ("as", name) => Typed::As(name),
        ("group", name) => Typed::Group(name),
        ("private", _) => Typed::Private,
        ("help" | "?", _) => Typed::Help,
        ("quit" | "exit" | "q", _) => Typed::Quit,
        _ => Typed::Unknown(word),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_said_unless_it_is_a_command() {
        for (line, expected) in [
            (" 多少钱 ", Typed::Say("多少钱")),
            ("/as 张 三", Typed::As("张 三")),
            ("/group 客户一群", Typed::Group("客户一群")),
            ("/group", Typed::Nameless("group")),
            ("/private", Typed::Private),
            ("/help", Typed::Help),
            ("/quit", Typed::Quit),
            ("/dance now", Typed::Unknown("dance")),
            ("//path", Typed::Say("/path")),
            ("  ", Typed::Nothing),
        ] {
            assert_eq!(read(line), expected, "{line}");
        }
    }
}

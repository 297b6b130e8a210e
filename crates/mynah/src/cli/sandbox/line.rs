//! A line typed in the sandbox: something to say, or a command.

/// The commands, and whether something follows them.
pub(super) const COMMANDS: [(&str, bool); 9] = [
    ("as", true),
    ("group", true),
    ("private", false),
    ("why", false),
    ("clock", true),
    ("join", true),
    ("image", true),
    ("help", false),
    ("quit", false),
];

/// The meaning of a line.
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
    /// Show why the bot answered the last message, or did not.
    Why,
    /// Move the clock ahead by this, or only show it.
    Clock(&'a str),
    /// Let this person join the group.
    Join(&'a str),
    /// Send the picture in this file, or a sample.
    Image(&'a str),
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
        ("as" | "group" | "join", "") => Typed::Nameless(word),
        ("as", name) => Typed::As(name),
        ("group", name) => Typed::Group(name),
        ("private", _) => Typed::Private,
        ("why", _) => Typed::Why,
        ("clock", by) => Typed::Clock(by),
        ("join", name) => Typed::Join(name),
        ("image", file) => Typed::Image(file),
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
            ("/why", Typed::Why),
            ("/clock +1h", Typed::Clock("+1h")),
            ("/clock", Typed::Clock("")),
            ("/join 小红", Typed::Join("小红")),
            ("/join", Typed::Nameless("join")),
            ("/image my menu.png", Typed::Image("my menu.png")),
            ("/help", Typed::Help),
            ("/quit", Typed::Quit),
            ("/dance now", Typed::Unknown("dance")),
            ("//path", Typed::Say("/path")),
            ("  ", Typed::Nothing),
        ] {
            assert_eq!(read(line), expected, "{line}");
        }
    }

    #[test]
    fn every_command_is_read() {
        for (name, takes) in COMMANDS {
            let line = if takes { format!("/{name} x") } else { format!("/{name}") };
            assert!(!matches!(read(&line), Typed::Unknown(_)), "{line}");
        }
    }
}

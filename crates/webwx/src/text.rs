//! Converts wire text to readable text (section 13 of the protocol reference).
//!
//! The order matters: the prefix of the sender, line breaks, emoji, and entities once and last. So text that a person
//! typed is never taken for markup.

mod emoji;
mod private_use;

use std::borrow::Cow;

/// Splits the sender from the text of a group message: `{sender}:<br/>{body}`, sometimes with a blank before the break.
/// System lines and the account's own messages have no sender.
#[must_use]
pub fn split_sender(content: &str) -> (Option<&str>, &str) {
    let Some((sender, rest)) = content.split_once(':') else { return (None, content) };
    let rest = rest.trim_start_matches(' ');
    let Some(body) = ["<br/>", "<br />"].iter().find_map(|mark| rest.strip_prefix(mark)) else {
        return (None, content);
    };
    let id = sender.strip_prefix('@').unwrap_or(sender);
    let allowed =
        |c: char| c.is_ascii_alphanumeric() || (id.len() == sender.len() && matches!(c, '_' | '-'));
    if id.is_empty() || !id.chars().all(allowed) { (None, content) } else { (Some(sender), body) }
}

/// The text of a message without the prefix of the sender, with lines, emoji and characters as the writer saw them.
#[must_use]
pub fn plain(content: &str) -> String {
    let lines = line_breaks(content, "\n");
    decoded(&lines)
}

/// A name, as plain text on one line.
#[must_use]
pub fn name(name: &str) -> String {
    let lines = line_breaks(name, " ");
    let shown = decoded(&lines);
    if shown.contains(char::is_control) {
        return shown
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect::<String>()
            .trim()
            .to_owned();
    }
    shown.trim().to_owned()
}

/// The XML inside a message, for the parser: text before it is dropped. Empty if there is none.
#[must_use]
pub fn xml(content: &str) -> String {
    let joined = line_breaks(content, "");
    let xml = decoded(&joined);
    xml.find('<').map_or(String::new(), |start| xml[start..].to_owned())
}

/// Plain text without links: removes `<a …>` and `</a>`. For links into the app, removes their text too.
#[must_use]
pub fn without_links(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('<') {
        let (before, tag) = rest.split_at(start);
        out.push_str(before);
        rest = match after_link(tag) {
            Some(after) => after,
            None => {
                out.push('<');
                &tag[1..]
            }
        };
    }
    out.push_str(rest);
    out
}

/// The rest after the tag of a link at the start, if there is one.
fn after_link(tag: &str) -> Option<&str> {
    if let Some(after) = tag.strip_prefix("</a>") {
        return Some(after);
    }
    let inside = tag.strip_prefix("<a ")?;
    let (attributes, after) = inside.split_once('>')?;
    if !attributes.contains("weixin://") {
        return Some(after);
    }
    Some(after.split_once("</a>").map_or(after, |(_, after)| after))
}

fn line_breaks<'a>(content: &'a str, replacement: &str) -> Cow<'a, str> {
    if content.contains("<br") {
        Cow::Owned(
            content
                .replace("<br/>", replacement)
                .replace("<br />", replacement)
                .replace("<br>", replacement),
        )
    } else {
        Cow::Borrowed(content)
    }
}

fn decoded(text: &str) -> String {
    let emoji = private_use::replaced(emoji::replaced(text));
    htmlize::unescape(emoji).into_owned()
}

#[cfg(test)]
mod tests;

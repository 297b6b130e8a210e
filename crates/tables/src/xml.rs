//! XML of a workbook, tag by tag.

use std::borrow::Cow;

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, escape};

use crate::unreadable::Unreadable;
use crate::zip::Parts;

/// The elements of a workbook are a dozen deep. The reader keeps the name of each open one.
const DEEPEST: usize = 256;

/// A tag or a text.
pub(crate) enum Piece<'b> {
    /// The beginning of an element. Of an element without content an end follows as well.
    Open(Tag<'b>),
    /// The end of an element, by its name without prefix.
    Close(&'b str),
    /// A text.
    Text(Cow<'b, str>),
}

/// The beginning of an element.
pub(crate) struct Tag<'b>(BytesStart<'b>);

impl Tag<'_> {
    /// Its name without prefix.
    pub(crate) fn name(&self) -> &str {
        local(self.0.name().into_inner())
    }

    /// An attribute, by its name without prefix.
    pub(crate) fn attribute(&self, name: &str) -> Option<String> {
        let mut all = self.0.attributes();
        let found =
            all.with_checks(false).flatten().find(|one| local(one.key.into_inner()) == name)?;
        let value = found.value;
        Some(escape::unescape(&value).map_or_else(|_| value.to_string(), Cow::into_owned))
    }

    /// An attribute that is a number.
    pub(crate) fn number<T: std::str::FromStr>(&self, name: &str) -> Option<T> {
        self.attribute(name)?.trim().parse().ok()
    }
}

fn local(name: &str) -> &str {
    name.rsplit_once(':').map_or(name, |(_, local)| local)
}

/// Gives each piece of a part until `take` returns `false`.
pub(crate) fn for_each(
    parts: &Parts<'_>,
    part: &str,
    mut take: impl FnMut(Piece<'_>) -> Result<bool, Unreadable>,
) -> Result<(), Unreadable> {
    let mut reader = Reader::from_reader(parts.open(part)?);
    let config = reader.config_mut();
    config.expand_empty_elements = true;
    config.allow_dangling_amp = true;
    let mut buffer = Vec::new();
    let mut depth = 0_usize;
    loop {
        buffer.clear();
        let event = reader.read_event_into(&mut buffer).map_err(|error| match error {
            _ if parts.is_used_up() => Unreadable::Inflated,
            // The packed bytes are cut off or damaged.
            quick_xml::Error::Io(_) => Unreadable::NoWorkbook,
            _ => Unreadable::Xml { part: part.to_owned() },
        })?;
        match event {
            Event::Start(_) => depth += 1,
            Event::End(_) => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEEPEST {
            return Err(Unreadable::Xml { part: part.to_owned() });
        }
        let goes_on = match event {
            Event::Start(tag) | Event::Empty(tag) => take(Piece::Open(Tag(tag)))?,
            Event::End(tag) => take(Piece::Close(local(tag.name().into_inner())))?,
            Event::Text(text) => take(Piece::Text(text.into_inner()))?,
            Event::CData(text) => take(Piece::Text(text.into_inner()))?,
            Event::GeneralRef(entity) => take(Piece::Text(resolved(&entity.into_inner())))?,
            Event::DocType(_) => return Err(Unreadable::DocumentType { part: part.to_owned() }),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => true,
            Event::Eof => return Ok(()),
        };
        if !goes_on {
            return Ok(());
        }
    }
}

/// The text of an entity; of an unknown one its name.
fn resolved(entity: &str) -> Cow<'static, str> {
    // A text may have millions of these.
    let plain = match entity {
        "amp" => "&",
        "lt" => "<",
        "gt" => ">",
        "quot" => "\"",
        "apos" => "'",
        _ => {
            let written = format!("&{entity};");
            return escape::unescape(&written).map(Cow::into_owned).unwrap_or(written).into();
        }
    };
    plain.into()
}

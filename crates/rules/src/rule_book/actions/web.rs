//! Pictures and files at addresses of the web.

use mynah_core::{MediaRef, Segment};

use super::Actor;
use crate::decision::Warning;
use crate::model::{WebAddress, WebMedia};

/// The most characters of an address.
const LONGEST: usize = 2_000;

/// The picture or file. `None`, with a warning, if what was taken out of an answer is not an address.
pub(super) fn segment(actor: &mut Actor<'_, '_>, media: &WebMedia) -> Option<Segment> {
    let kind = if media.is_image { Segment::Image } else { Segment::File };
    let address = match &media.address {
        WebAddress::Fixed(address) => address.as_str(),
        WebAddress::Taken(name) => {
            let taken = actor.scene.captures.get(name).map_or("", |text| text.trim());
            if !is_address(taken) && taken != format!("{{{name}}}") {
                actor.out.warnings.push(Warning {
                    en: format!("nothing was sent for {{{name}}}: it is not an address of the web"),
                    zh: format!("没有发送 {{{name}}}：它不是网址"),
                });
                return None;
            }
            taken
        }
    };
    Some(kind(MediaRef::url(address)))
}

/// Whether a text is an address. Where it leads is judged when it is fetched.
fn is_address(text: &str) -> bool {
    let scheme = text.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
    let is_plain = |c: char| !c.is_whitespace() && !c.is_control();
    matches!(scheme.as_deref(), Some("http" | "https"))
        && text.chars().all(is_plain)
        && text.chars().count() <= LONGEST
}

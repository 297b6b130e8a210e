//! A small tree of XML for the bodies inside messages and the login answer (sections 5.4 and 12.7 of the reference).

use quick_xml::Reader;
use quick_xml::events::{BytesRef, BytesStart, Event};

/// The deepest nesting: more than any real body has. Deeper elements are dropped.
const DEEPEST: usize = 32;

/// The most elements and attributes of one body.
const MOST: usize = 10_000;

/// An element with its content.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Element {
    /// Its name.
    pub name: String,
    /// Its attributes in order, entities decoded once.
    pub attributes: Vec<(String, String)>,
    /// Its own text, entities decoded once.
    pub text: String,
    /// The elements inside it.
    pub children: Vec<Element>,
}

impl Element {
    /// Reads the well-formed part: of a body that is cut short, the elements up to the cut.
    ///
    /// Text before the first `<` is dropped. `None` if there is no element at all.
    #[must_use]
    pub fn parse(body: &str) -> Option<Self> {
        let mut reader = Reader::from_str(&body[body.find('<')?..]);
        reader.config_mut().check_end_names = false;
        reader.config_mut().allow_unmatched_ends = true;
        reader.config_mut().allow_dangling_amp = true;
        let mut tree = Tree::default();
        while let Ok(event) = reader.read_event() {
            match event {
                Event::Start(start) => tree.open(&start),
                Event::Empty(start) => {
                    tree.open(&start);
                    tree.close();
                }
                Event::End(_) => tree.close(),
                Event::Text(text) => tree.text(&text.into_inner()),
                Event::CData(text) => tree.text(&text.into_inner()),
                Event::GeneralRef(entity) => tree.text(&resolved(entity)),
                Event::Eof => break,
                Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
            }
            if tree.root.is_some() || tree.count > MOST {
                break;
            }
        }
        tree.finish()
    }

    /// The first element below this one by its path, e.g. `["appmsg", "title"]`.
    #[must_use]
    pub fn find(&self, path: &[&str]) -> Option<&Self> {
        path.iter().try_fold(self, |at, name| at.children.iter().find(|child| child.name == **name))
    }

    /// The text of the element at that path, trimmed; empty if there is none.
    #[must_use]
    pub fn text_at(&self, path: &[&str]) -> &str {
        self.find(path).map_or("", |element| element.text.trim())
    }

    /// An attribute; empty if there is none.
    #[must_use]
    pub fn attribute(&self, name: &str) -> &str {
        self.attributes.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }
}

fn resolved(entity: BytesRef<'_>) -> String {
    htmlize::unescape(format!("&{};", entity.into_inner())).into_owned()
}

/// The open elements, outermost first.
#[derive(Default)]
struct Tree {
    open: Vec<Element>,
    too_deep: usize,
    root: Option<Element>,
    count: usize,
}

impl Tree {
    fn open(&mut self, start: &BytesStart<'_>) {
        self.count += 1;
        if self.open.len() >= DEEPEST {
            self.too_deep += 1;
            return;
        }
        let mut attributes = Vec::new();
        for attribute in start.attributes().with_checks(false).flatten() {
            self.count += 1;
            if self.count > MOST {
                break;
            }
            let value = htmlize::unescape_attribute(attribute.value.as_ref());
            attributes.push((attribute.key.as_ref().to_owned(), value.into_owned()));
        }
        let name = start.name().as_ref().to_owned();
        self.open.push(Element { name, attributes, ..Element::default() });
    }

    fn close(&mut self) {
        if self.too_deep > 0 {
            self.too_deep -= 1;
            return;
        }
        let Some(done) = self.open.pop() else { return };
        match self.open.last_mut() {
            Some(parent) => parent.children.push(done),
            None => self.root = Some(done),
        }
    }

    fn text(&mut self, text: &str) {
        if let Some(element) = self.open.last_mut().filter(|_| self.too_deep == 0) {
            element.text.push_str(text);
        }
    }

    fn finish(mut self) -> Option<Element> {
        self.too_deep = 0;
        while !self.open.is_empty() {
            self.close();
        }
        self.root
    }
}

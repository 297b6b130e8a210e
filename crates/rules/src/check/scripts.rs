//! One `[[test]]`.

use jiff::tz::TimeZone;

use super::{Checker, Fields};
use crate::keys::Table;
use crate::problem::Problem;
use crate::script::{self, Line, Test};
use crate::sources::Spot;
use mynah_reader::TableNode;

impl Checker<'_> {
    pub(super) fn test(&mut self, node: &TableNode, spot: Spot, zone: &TimeZone) -> Option<Test> {
        let fields = Fields::read(Table::Test, node, spot, self.report);
        self.needs(&fields, &["script"]);
        let script = fields.text("script")?;
        let place = self.place(&fields.spot);
        let read = script::parse(script.text, zone);
        for (part, mistake) in read.mistakes {
            let spot = self.inside(&script, &part);
            self.say(Problem::Test(mistake), spot);
        }
        let mut lines = Vec::new();
        for (part, what) in read.lines {
            let spot = self.inside(&script, &part);
            let line = self.around.sources.line_at(spot.file, spot.span.start).number;
            lines.push(Line { line, text: script.text[part].to_owned(), what });
        }
        let name = fields.text("name").map(|name| name.text.to_owned());
        Some(Test {
            name,
            file: place.file.to_string(),
            line: place.line,
            start: read.start,
            lines,
        })
    }
}

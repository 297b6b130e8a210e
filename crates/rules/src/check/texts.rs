//! Templates, patterns and regular expressions inside texts.

use std::ops::Range;

use super::names::{Known, Names, SOMEONE};
use super::{Checker, Fields, Text, UsedVariable, literal};
use crate::computed::{self, BadComputed, Computed};
use crate::problem::{Capture, Limitation, Literal, Problem, SlashCase};
use mynah_matching::pattern::{self, Pattern, PatternErrorKind, Slip};
use mynah_matching::regex::{RegexCondition, Slashed};
use mynah_matching::template::{NameUse, Template, TemplateError, TemplateErrorKind};
use mynah_reader::closest;

impl Checker<'_> {
    /// The template of a key, if it is there and right.
    pub(super) fn template_of(
        &mut self,
        fields: &Fields<'_>,
        key: &'static str,
        names: &Names,
    ) -> Option<Template> {
        let text = fields.text(key)?;
        self.template(key, &text, names)
    }

    /// A template that must say something.
    pub(super) fn template(
        &mut self,
        key: &'static str,
        text: &Text<'_>,
        names: &Names,
    ) -> Option<Template> {
        if text.text.trim().is_empty() {
            let problem = Problem::Empty { key, text: Some(text.text.to_owned()) };
            self.say(problem, text.spot.clone());
            return None;
        }
        self.template_or_nothing(text, names)
    }

    /// A template that may be empty.
    pub(super) fn template_or_nothing(
        &mut self,
        text: &Text<'_>,
        names: &Names,
    ) -> Option<Template> {
        let template = Template::parse(text.text);
        if let Err(error) = template {
            self.template_mistakes(text, error, names);
            return None;
        }
        let template = template.ok()?;
        self.names_in_template(text, &template, names);
        Some(template)
    }

    /// Says every mistake of a template, one after another, and the mistakes of names between them: reading goes on behind
    /// each mistake.
    fn template_mistakes(&mut self, text: &Text<'_>, first: TemplateError, names: &Names) {
        let (mut begin, mut error) = (0, first);
        loop {
            let rest = &text.text[begin..];
            let place = braces_around(rest, &error);
            if let Ok(good) = Template::parse(&rest[..place.start]) {
                self.names_of_part(text, begin, &good, names);
            }
            let span = begin + error.span.start..begin + error.span.end;
            let spot = self.inside(text, &span);
            self.say(Problem::Template(error.kind), spot);
            begin += place.end;
            match Template::parse(&text.text[begin..]) {
                Ok(good) => {
                    self.names_of_part(text, begin, &good, names);
                    return self.foreign_names(text, names);
                }
                Err(next) => error = next,
            }
        }
    }

    /// The names in a part of a text that begins at this byte.
    fn names_of_part(&mut self, text: &Text<'_>, begin: usize, part: &Template, names: &Names) {
        for used in part.names() {
            let span = begin + used.span.start..begin + used.span.end;
            self.name_in_template(text, &NameUse { span, ..used }, names);
        }
    }

    fn names_in_template(&mut self, text: &Text<'_>, template: &Template, names: &Names) {
        self.names_of_part(text, 0, template, names);
        self.foreign_names(text, names);
    }

    /// Says which names are written as other programs write them.
    fn foreign_names(&mut self, text: &Text<'_>, names: &Names) {
        if !text.text.contains(['$', '%', '｛']) && !text.text.contains("{{") {
            return;
        }
        let is_known = |name: &str| match names.look_up(name) {
            Known::Yes | Known::NotAlways(_) => Some(name.to_owned()),
            Known::Variable if name.contains('.') => Some(name.to_owned()),
            _ => names.meant_by(name).map(str::to_owned),
        };
        for (part, meant) in literal::foreign_names(text.text, is_known) {
            let written = text.text[part.clone()].to_owned();
            let spot = self.inside(text, &part);
            self.say(Problem::Literal(Literal::Name { written, meant }), spot);
        }
    }

    fn name_in_template(&mut self, text: &Text<'_>, used: &NameUse<'_>, names: &Names) {
        let spot = self.inside(text, &used.span);
        if used.name == "at" {
            self.plain_mention("{at}", spot.clone());
        }
        if let Some(computed) = computed::read(used.name) {
            return self.computed(text, computed, used, names);
        }
        match names.look_up(used.name) {
            Known::Yes if used.name == SOMEONE && !names.is_captured(SOMEONE) => {
                let bad = names.not_of_members(SOMEONE);
                bad.into_iter().for_each(|bad| self.say(Problem::Computed(bad), spot.clone()));
            }
            Known::Yes | Known::Perhaps => {}
            Known::Variable => {
                let (name, has_default) = (used.name.to_owned(), used.has_default);
                self.used.push(UsedVariable { name, has_default, has_no_text: false, spot });
            }
            Known::NotAlways(_) if used.has_default => {}
            Known::NotAlways(capture) => self.say(Problem::Capture(capture.clone()), spot),
            Known::No => {
                let problem = self.unknown_name(used.name, names);
                self.say(problem, spot);
            }
        }
    }

    /// A name with an argument: its own mistakes, and those of the name in it.
    fn computed(
        &mut self,
        text: &Text<'_>,
        computed: Result<Computed<'_>, BadComputed>,
        used: &NameUse<'_>,
        names: &Names,
    ) {
        match computed {
            Ok(Computed::Upper(name) | Computed::Lower(name)) => {
                let span = used.span.end - name.len()..used.span.end;
                let has_default = used.has_default;
                self.name_in_template(text, &NameUse { name, span, has_default }, names);
            }
            Ok(Computed::Between(..) | Computed::OneOf(_)) => {}
            Ok(Computed::OfMembers(_)) if !names.have_variables() => {
                let problem = self.unknown_name(used.name, names);
                let spot = self.inside(text, &used.span);
                self.say(problem, spot);
            }
            Ok(Computed::OfMembers(asked)) => {
                let spot = self.inside(text, &used.span);
                if let Some(bad) = names.not_of_members(used.name) {
                    self.say(Problem::Computed(bad), spot.clone());
                }
                let name = format!("user.{}", asked.key);
                let has_default = used.has_default;
                self.used.push(UsedVariable { name, has_default, has_no_text: true, spot });
            }
            Err(bad) => {
                let spot = self.inside(text, &used.span);
                self.say(Problem::Computed(bad), spot);
            }
        }
    }

    /// The report of an unknown name, with the name that was probably meant.
    fn unknown_name(&self, name: &str, names: &Names) -> Problem {
        let mut known = names.list();
        let variable = || {
            let owners = names.owners().iter().map(|owner| format!("{owner}.{name}"));
            owners.into_iter().find(|variable| self.assigned.contains(variable))
        };
        let foreign_owner = || {
            let (owner, key) = name.split_once('.')?;
            let meant = match owner {
                "group" | "room" | "群" => "chat",
                "sender" | "member" | "me" | "用户" => "user",
                "global" | "all" | "self" => "bot",
                _ => return None,
            };
            names.owners().contains(&meant).then(|| format!("{meant}.{key}"))
        };
        let near = || closest(name, known.iter().map(String::as_str)).map(str::to_owned);
        let asks_unsaved = names.asks_unsaved();
        let foreign = || names.meant_by(name).filter(|_| !asks_unsaved).map(str::to_owned);
        let only = || names.only_captured().filter(|_| !asks_unsaved).map(str::to_owned);
        let meant = variable().or_else(foreign_owner).or_else(near).or_else(foreign).or_else(only);
        known.extend(names.owners().iter().map(|owner| format!("{owner}.…")));
        Problem::UnknownName { name: name.to_owned(), meant, known, asks_unsaved }
    }

    /// Reports once per bot that mentions are plain text, if the service has no real ones.
    pub(super) fn plain_mention(&mut self, key: &'static str, spot: crate::sources::Spot) {
        let alerts =
            !self.services.is_empty() && self.services.iter().all(|one| one.mention_alerts);
        if !alerts && !self.said_plain_mention {
            self.said_plain_mention = true;
            self.say(Problem::Transport(Limitation::PlainMention { key }), spot);
        }
    }

    /// A pattern, with its captures checked against the names that are built in.
    pub(super) fn pattern(&mut self, text: &Text<'_>) -> Option<Pattern> {
        match Pattern::parse_with(text.text, &self.lists) {
            Ok(pattern) => {
                self.captures_are_free(
                    text,
                    pattern.captures().iter().map(|capture| capture.name.as_str()),
                );
                self.pattern_width(text, None);
                Some(pattern)
            }
            Err(error) => {
                if !self.pattern_width(text, Some(&error.kind)) {
                    let spot = self.inside(text, &error.span);
                    self.say(Problem::Pattern(error.kind), spot);
                }
                None
            }
        }
    }

    /// Says if a sign of full width was probably meant as a sign of the language.
    fn pattern_width(&mut self, text: &Text<'_>, error: Option<&PatternErrorKind>) -> bool {
        let Some(Slip { span, found, plain }) = pattern::slip_in(text.text, error) else {
            return false;
        };
        let spot = self.inside(text, &span);
        self.say(Problem::PatternWidth { found, plain, is_read: error.is_none() }, spot);
        true
    }

    /// Reports a regular expression between slashes: as a note, since the slashes may be meant; as a warning if it can
    /// never match.
    pub(super) fn slashes(&mut self, text: &Text<'_>, regex: &RegexCondition, case: SlashCase) {
        let Some(Slashed { plain, ignores_case }) = regex.slashed() else { return };
        let case = match case {
            SlashCase::CanBeMinded if ignores_case => SlashCase::Ignored,
            case => case,
        };
        let (written, never) = (text.text.to_owned(), regex.never_matches());
        self.say(Problem::RegexSlashes { written, plain, case, never }, text.spot.clone());
    }

    /// A regular expression.
    pub(super) fn regex(&mut self, text: &Text<'_>, case: bool) -> Option<RegexCondition> {
        match RegexCondition::parse(text.text, case) {
            Ok(regex) => {
                self.captures_are_free(
                    text,
                    regex.captures().iter().map(|capture| capture.name.as_str()),
                );
                Some(regex)
            }
            Err(error) => {
                let whole = error.kind.is_too_costly();
                let spot = if whole { text.spot.clone() } else { self.inside(text, &error.span) };
                self.say(Problem::Regex(error.kind), spot);
                None
            }
        }
    }

    fn captures_are_free<'n>(&mut self, text: &Text<'_>, captures: impl Iterator<Item = &'n str>) {
        for name in captures.filter(|name| super::names::is_built_in(name)) {
            let at = text
                .text
                .find(&format!("{{{name}"))
                .or_else(|| text.text.find(&format!("<{name}>")));
            let part = at.map_or(0..text.text.len(), |at| at + 1..at + 1 + name.len());
            let spot = self.inside(text, &part);
            self.say(Problem::Capture(Capture::BuiltIn { name: name.to_owned() }), spot);
        }
    }
}

/// The part of a template that is taken out with a mistake: never nothing, so that there is an end of it.
fn braces_around(text: &str, error: &TemplateError) -> Range<usize> {
    let span = error.span.clone();
    match error.kind {
        TemplateErrorKind::Unclosed | TemplateErrorKind::Unopened => span.start..span.start + 1,
        TemplateErrorKind::NoName | TemplateErrorKind::BadName(_) => {
            let open = text[..span.end].rfind('{').unwrap_or(span.start);
            let closed =
                |from: usize| text[from..].find('}').map_or(text.len(), |at| from + at + 1);
            let close = closed(span.end);
            // The replacement of another value: `{a|{b c}}`.
            match Template::parse(&text[..open]) {
                Err(outer) => outer.span.start..closed(close),
                Ok(_) => open..close,
            }
        }
        // The end of such a value is not certain; a further report could be about a part of it.
        TemplateErrorKind::BadDefault => {
            text[..span.start].rfind('{').unwrap_or(span.start)..text.len()
        }
    }
}

#![doc = include_str!("../README.md")]
//!
//! # For those who read the code
//!
//! `input` reads the files within limits and `kind` recognises them. One module for each kind turns them into rules of the
//! `book`, by way of `answers` where an answer sets variables, is drawn at random or leads to another sentence. `output`
//! writes the files, and `settle` removes the rules that `mynah-rules` refuses. All that is lost or changed on the way is
//! a [`Remark`].

mod aiml;
mod answers;
mod book;
mod chatterbot;
mod error;
mod hass;
mod input;
mod json;
mod keywords;
mod kind;
mod koishi;
mod names;
mod output;
mod previous;
mod remark;
mod rivescript;
mod settle;
mod tables;
mod toml_text;
mod word_bank;
mod yaml;

pub use error::ImportError;
pub use input::{Input, Limits, read_inputs};
pub use kind::Kind;
pub use mynah_reader::Lang;
pub use remark::{Reason, Remark};

use std::collections::BTreeMap;

use mynah_core::to_map;

use book::Book;

/// A bot that was made from files of other bots.
#[derive(Debug, Clone)]
pub struct Imported {
    /// The files of the folder, `bot.toml` first: names relative to the folder, and contents.
    pub files: Vec<(String, Vec<u8>)>,
    /// The kinds that were found, with the number of their files.
    pub kinds: BTreeMap<Kind, usize>,
    /// The number of things that the files say: questions, categories, triggers, sentences, rows.
    pub items: usize,
    /// The number of things that are not in the result.
    pub lost: usize,
    /// The number of rules and tables of the result.
    pub rules: usize,
    /// All that is not in the result, or that means something else there, in the order of its places.
    pub remarks: Vec<Remark>,
}

/// Turns files into a bot. The same files give the same bytes.
///
/// `from` is the kind of all the files, if it shall not be recognised. `lang` is the language of the comments in the result.
///
/// # Errors
///
/// [`ImportError`] if the kind of a file is not known, if a whole file cannot be read, or if no rule came out.
pub fn import(inputs: &[Input], from: Option<Kind>, lang: Lang) -> Result<Imported, ImportError> {
    let mut of_kind: BTreeMap<Kind, Vec<&Input>> = BTreeMap::new();
    for input in inputs {
        let kind = match from {
            Some(kind) if input.found && !kind.may_have(&input.extension()) => continue,
            Some(kind) => kind,
            None => match kind::recognise(input) {
                Err(ImportError::UnknownKind { .. } | ImportError::Form { .. }) if input.found => {
                    continue;
                }
                kind => kind?,
            },
        };
        of_kind.entry(kind).or_default().push(input);
    }
    let mut book = Book::default();
    for (kind, inputs) in &of_kind {
        match kind {
            Kind::Chatterbot => chatterbot::read(inputs, &mut book)?,
            Kind::Rivescript => rivescript::read(inputs, &mut book)?,
            Kind::Aiml => aiml::read(inputs, &mut book)?,
            Kind::HomeAssistant => hass::read(inputs, &mut book)?,
            Kind::Koishi => koishi::read(inputs, &mut book)?,
            Kind::CowAgent => keywords::read(inputs, &mut book)?,
            Kind::WordBank => word_bank::read(inputs, &mut book)?,
            Kind::Table => tables::read(inputs, &mut book)?,
        }
    }
    if book.items == 0 {
        return Err(ImportError::Nothing { kinds: of_kind.keys().copied().collect() });
    }
    let kinds = to_map(of_kind.iter().map(|(kind, inputs)| (*kind, inputs.len())));
    settle::settle(book, kinds, inputs, lang)
}

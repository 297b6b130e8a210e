#![doc = include_str!("../README.md")]
//!
//! # For those who read the code
//!
//! The way of a file: [`load`] reads it with its includes (`sources`, `include`), `mynah-reader` makes a tree in which every
//! value knows its place, `check` turns that into the `model` and reports every mistake as a [`Diagnostic`], and the
//! [`RuleBook`] is built from the model. The way of an event: [`RuleBook::decide`].

// From text to meaning.
mod catalogue;
mod check;
mod comparison;
mod computed;
mod diagnostic;
mod keys;
mod load;
mod meant;
mod model;
mod problem;
mod reference;
mod schema;
pub mod script;
mod shadow;
mod sources;

// From an event to a decision.
mod decision;
mod dialog;
mod explain;
mod fetching;
mod inputs;
mod likeness;
mod rows;
mod rule_book;
mod schedule;

pub use decision::{Builtin, Decision, Fetches, Moment, RuleRef, Warning};
pub use dialog::OpenDialog;
pub use explain::{Failed, Trace, Verdict};
pub use inputs::{Fetched, Inputs, Lack};
pub use model::Period;
pub use rule_book::later::TimerKind;
pub use rule_book::nearest_rows::NearestRow;
pub use rule_book::{BotSummary, RegexCost, RuleBook, RuleInfo, mute};

pub use diagnostic::Diagnostic;
pub use load::{Checked, LoadOptions, Loaded, load};
pub use mynah_reader::{Lang, Severity};
pub use reference::reference;
pub use schema::json_schema;
pub use sources::{Disk, Files, Sources};

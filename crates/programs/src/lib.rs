#![doc = include_str!("../README.md")]

mod answer;
mod effects;
mod failure;
mod handler;
mod log_lines;
mod media;
mod model;
mod process;
mod program;
mod programs;
mod request;
mod schema;
mod service;
mod spec;
mod variable;

pub use failure::Failure;
pub use handler::{Account, ProgramHandler};
pub use program::{Counts, Program};
pub use programs::{Difference, Programs, Unchanged};
pub use schema::{answer_schema, request_schema};
pub use spec::{Command, Limit, Model, Per, Role, Row, Service, Source, Spec, Waits, Who};
pub use variable::{Reads, Variable};

/// The longest line of a request and of an answer, in bytes.
pub const LONGEST_LINE: usize = 4 << 20;

/// The most actions of an answer.
pub const MOST_ACTIONS: usize = 20;

/// The most later calls of an answer.
pub const MOST_LATER: usize = 20;

/// The version of the protocol, `v` of a request.
pub const VERSION: u32 = 1;

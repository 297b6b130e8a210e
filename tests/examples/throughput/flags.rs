//! The command line.

use std::path::PathBuf;

use crate::Result;
use crate::load::Load;

/// The programs and loads to measure.
pub(crate) struct Flags {
    pub(crate) rounds: usize,
    pub(crate) loads: Vec<Load>,
    /// The name of the only program to run.
    pub(crate) only: Option<String>,
    /// Another build of this program.
    pub(crate) beside: Option<PathBuf>,
    pub(crate) calls: bool,
    /// The command that runs each program.
    pub(crate) under: Vec<String>,
    /// The messages of each load are divided by this.
    pub(crate) part: usize,
}

impl Flags {
    /// Reads the arguments.
    pub(crate) fn parse(arguments: &[String]) -> Result<Self> {
        let mut flags = Self {
            rounds: 5,
            loads: Load::ALL.to_vec(),
            only: None,
            beside: None,
            calls: true,
            under: Vec::new(),
            part: 1,
        };
        let mut rest = arguments.iter();
        while let Some(flag) = rest.next() {
            let mut value = || rest.next().ok_or(format!("{flag} needs a value"));
            match flag.as_str() {
                "--short" => (flags.rounds, flags.part) = (1, 4),
                "--rounds" => flags.rounds = value()?.parse()?,
                "--load" => {
                    let name = value()?;
                    flags.loads = vec![Load::named(name).ok_or(format!("no load: {name}"))?];
                }
                "--only" => flags.only = Some(value()?.clone()),
                "--beside" => flags.beside = Some(std::fs::canonicalize(value()?)?),
                "--no-calls" => flags.calls = false,
                "--under" => {
                    flags.under = value()?.split_whitespace().map(str::to_owned).collect();
                }
                _ => return Err(format!("no flag: {flag}").into()),
            }
        }
        Ok(flags)
    }
}

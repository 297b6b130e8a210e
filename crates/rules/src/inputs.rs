//! Inputs that a decision can lack: the rules are synchronous, so that the caller brings them and asks once more.

use std::collections::BTreeMap;
use std::sync::Arc;

use mynah_core::{FetchAnswer, FetchFailure, FetchRequest, MemberValues};

use crate::decision::Warning;

/// An input that a decision lacks.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lack {
    /// The values under this key of all people in the chat, with the changes that were made before the rules are asked.
    Values(String),
    /// The names of the known members of the group.
    Members,
    /// The answer to this request.
    Fetch(Box<FetchRequest>),
}

/// The outcome of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fetched {
    /// It was answered.
    Answer(Arc<FetchAnswer>),
    /// It was not, or not well.
    Failed(FetchFailure),
    /// Nothing was sent: the names of the taken values stay in the texts, as in `explain`.
    Standing,
}

/// The inputs at hand.
#[derive(Debug, Clone, Default)]
pub struct Inputs {
    values: BTreeMap<String, Arc<MemberValues>>,
    members: Option<Arc<[String]>>,
    fetched: BTreeMap<FetchRequest, Fetched>,
    /// Whether everything that is not here is empty.
    is_closed: bool,
}

impl Inputs {
    /// The inputs of an account without any data: all are at hand, and all are empty. Nothing is fetched: the names of the
    /// values that rules would take stay in their texts.
    #[must_use]
    pub fn empty() -> Self {
        Self { is_closed: true, ..Self::default() }
    }

    /// Adds the values under a key.
    pub fn add_values(&mut self, key: impl Into<String>, values: MemberValues) {
        self.values.insert(key.into(), Arc::new(values));
    }

    /// Adds the names of the known members of the group.
    pub fn add_members(&mut self, names: Vec<String>) {
        self.members = Some(names.into());
    }

    /// Adds the outcome of a request.
    pub fn add_fetched(&mut self, request: FetchRequest, outcome: Fetched) {
        self.fetched.insert(request, outcome);
    }

    /// The number of requests whose outcomes are at hand.
    #[must_use]
    pub fn fetches(&self) -> usize {
        self.fetched.len()
    }

    /// The outcome of a request, if it is at hand.
    pub(crate) fn fetched(&self, request: &FetchRequest) -> Option<&Fetched> {
        self.fetched.get(request).or(self.is_closed.then_some(&Fetched::Standing))
    }

    /// The values under a key, if they are at hand.
    pub(crate) fn values(&self, key: &str) -> Result<Arc<MemberValues>, Lack> {
        match self.values.get(key) {
            Some(values) => Ok(Arc::clone(values)),
            None if self.is_closed => Ok(Arc::default()),
            None => Err(Lack::Values(key.to_owned())),
        }
    }

    /// The names of the known members, if they are at hand.
    pub(crate) fn members(&self) -> Result<&[String], Lack> {
        match &self.members {
            Some(names) => Ok(names),
            None if self.is_closed => Ok(&[]),
            None => Err(Lack::Members),
        }
    }

    /// A warning for each key whose values were too many.
    pub(crate) fn warnings(&self) -> impl Iterator<Item = Warning> {
        let cut = self.values.iter().filter(|(_, values)| values.is_cut);
        let most = MemberValues::MOST;
        cut.map(move |(key, _)| Warning {
            en: format!(
                "more than {most} people here have user.{key}; only {most} of them counted"
            ),
            zh: format!("这里有超过 {most} 人有 user.{key}，只统计了其中 {most} 人"),
        })
    }
}

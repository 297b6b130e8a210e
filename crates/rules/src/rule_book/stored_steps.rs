//! Steps in a form that outlives the process: steps that are due later keep the meaning they had.

use std::path::PathBuf;
use std::time::Duration;

use mynah_core::Scope;
use serde::{Deserialize, Serialize};

use crate::model::{Period, Sent, Shape, Step, Target, WebMedia};
use mynah_matching::glob::Glob;
use mynah_matching::template::Template;

/// A step that can be stored.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct StoredStep(#[serde(with = "StepForm")] pub(crate) Step);

/// Steps that can be stored.
pub(crate) fn keep(steps: &[Step]) -> Vec<StoredStep> {
    steps.iter().cloned().map(StoredStep).collect()
}

/// The steps that were stored.
pub(crate) fn kept(steps: Vec<StoredStep>) -> Vec<Step> {
    steps.into_iter().map(|kept| kept.0).collect()
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Step", rename_all = "snake_case")]
enum StepForm {
    Set {
        scope: Scope,
        key: String,
        value: Template,
    },
    Add {
        scope: Scope,
        key: String,
        by: i64,
    },
    AddValue {
        scope: Scope,
        key: String,
        by: Template,
        negative: bool,
    },
    Streak {
        key: String,
        per: Period,
    },
    Clear {
        scope: Scope,
        key: String,
    },
    ClearMembers {
        key: String,
    },
    Send {
        what: Sent,
        to: Vec<Target>,
    },
    ImageOneOf(Vec<PathBuf>),
    Recall,
    Invite(String),
    Kick,
    Accept,
    Say {
        text: Template,
        #[serde(with = "ShapeForm")]
        shape: Shape,
    },
    SayOneOf {
        texts: Vec<Template>,
        #[serde(with = "ShapeForm")]
        shape: Shape,
    },
    SayWeighted {
        texts: Vec<(Template, u32)>,
        #[serde(with = "ShapeForm")]
        shape: Shape,
    },
    Image(PathBuf),
    File(PathBuf),
    Web(WebMedia),
    Forward(Vec<Glob>),
    Save(String),
    Start(String),
    Run(String),
    RunWith {
        name: String,
        args: Vec<(String, Template)>,
    },
    Wait(Duration),
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Shape")]
struct ShapeForm {
    at_sender: bool,
    quote: bool,
}

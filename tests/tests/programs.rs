//! Handlers in other processes: what they are asked, and everything that they can do wrong.
#![cfg(unix)]

#[path = "programs/chaos.rs"]
mod chaos;
#[path = "programs/fake_model.rs"]
mod fake_model;
#[path = "programs/model.rs"]
mod model;
#[path = "programs/model_whole.rs"]
mod model_whole;
#[path = "programs/pipe.rs"]
mod pipe;
#[path = "programs/sandbox.rs"]
mod sandbox;
#[path = "programs/service.rs"]
mod service;
#[path = "programs/stage.rs"]
mod stage;
#[path = "programs/whole.rs"]
mod whole;

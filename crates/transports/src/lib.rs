#![doc = include_str!("../README.md")]

mod connector;
mod settings;
pub mod stdio;
pub mod webwx;

pub use connector::{
    CONNECTORS, Connector, STANDARD_STREAMS, SettingError, Surroundings, connector, usual_connector,
};
pub use settings::{Value, Values};

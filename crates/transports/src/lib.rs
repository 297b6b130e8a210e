#![doc = include_str!("../README.md")]

mod connector;
mod settings;
pub mod stdio;
pub mod webwx;

pub use connector::{
    CONNECTORS, Cause, Connector, Connectors, STANDARD_STREAMS, SecretSource, SettingError,
    Surroundings,
};
/// The keys of a service, for [`Connector::keys`].
pub use mynah_reader::{Key, Kind};
pub use settings::{Value, Values};
/// The written form of an event, one JSON object a line.
pub use stdio::{Line, LineError};

#![doc = include_str!("../README.md")]

mod address;
mod host;
mod resolver;

pub use address::{AddressPolicy, AddressRefused, is_private, is_public};
pub use host::{BadAddress, BadHost, HostPattern, Target};
pub use resolver::{GuardedResolver, Resolver, SystemResolver};

#![doc = include_str!("../README.md")]

mod address;
mod body;
mod cache;
mod client;
mod fetcher;
mod hops;
mod host;
mod media;
mod resolver;
mod settings;
mod written;

pub use address::{AddressPolicy, AddressRefused, is_private, is_public};
pub use client::FetchClient;
pub use fetcher::{Fetcher, LARGEST_ANSWER, MOST_AT_ONCE};
pub use host::{BadAddress, BadHost, HostPattern, Target};
pub use media::{FetchedMedia, LARGEST_MEDIA, MediaFailure, MediaKind};
pub use resolver::{GuardedResolver, Resolver, SystemResolver};
pub use settings::{FetchSettings, HostSecret, SecretText};

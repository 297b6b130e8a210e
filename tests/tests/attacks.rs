//! Attacks on a bot and its defences: each file is a topic of SECURITY.md.

#[path = "attacks/answers.rs"]
mod answers;
#[path = "attacks/commands.rs"]
mod commands;
#[path = "attacks/connections.rs"]
mod connections;
#[path = "attacks/data_folder.rs"]
mod data_folder;
#[path = "attacks/files.rs"]
mod files;
#[path = "attacks/local_failures.rs"]
mod local_failures;
#[path = "attacks/long_replies.rs"]
mod long_replies;

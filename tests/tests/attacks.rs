//! Attacks by members of a chat, web pages and servers, each of which the bot withstands.

#[path = "attacks/long_replies.rs"]
mod long_replies;

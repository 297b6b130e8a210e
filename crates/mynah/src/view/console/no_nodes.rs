//! In place of the accounts of other nodes, in a program that cannot work with a database.

use mynah_core::Timestamp;
use mynah_page::view::{AccountRow, Problem};

use super::FoundChats;
use crate::operate::Request;

/// There is no other node.
pub(crate) enum OtherNodes {}

impl OtherNodes {
    pub(super) fn rows(&self, _: impl Fn(&str) -> bool) -> Vec<AccountRow> {
        match *self {}
    }

    pub(super) async fn order(&self, _: &str, _: Request) -> Result<String, Problem> {
        match *self {}
    }

    pub(super) async fn chats(
        &self,
        _: &str,
        _: Timestamp,
        _: impl Fn(&str) -> bool,
    ) -> Result<FoundChats, Problem> {
        match *self {}
    }
}

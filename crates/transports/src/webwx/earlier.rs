//! The results of earlier tries of actions: the service's answers, and the files uploaded already.
//!
//! Kept in memory only. A process that starts anew uploads again and counts from the beginning.

use std::collections::VecDeque;

use mynah_core::ActionId;
use mynah_webwx::Uploaded;

/// The earlier tries of the last actions.
#[derive(Debug, Default)]
pub(super) struct EarlierTries(VecDeque<(ActionId, Tries)>);

/// The earlier tries of one action.
#[derive(Debug, Default)]
pub(super) struct Tries {
    /// So often the service refused it with a code that may pass.
    pub(super) declined: u32,
    /// The doubt about the session that its first refusal for want of a session raised.
    pub(super) doubt: Option<u64>,
    uploads: Vec<(u32, UploadedPart)>,
    /// The parts that were shown, with the ids of their messages.
    shown: Vec<(u32, String)>,
}

/// A part of an action that the service has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UploadedPart {
    pub(crate) name: String,
    pub(crate) uploaded: Uploaded,
}

impl EarlierTries {
    /// More actions than can be tried at the same time.
    const KEPT: usize = 200;

    /// The tries of an action.
    pub(super) fn of(&mut self, action: &ActionId) -> &mut Tries {
        let known = self.0.iter().position(|(known, _)| known == action);
        let at = known.unwrap_or_else(|| {
            if self.0.len() == Self::KEPT {
                self.0.pop_front();
            }
            self.0.push_back((action.clone(), Tries::default()));
            self.0.len() - 1
        });
        &mut self.0[at].1
    }

    /// The action was done or given up.
    pub(super) fn forget(&mut self, action: &ActionId) {
        self.0.retain(|(known, _)| known != action);
    }

    /// Another session begins: uploads of the last one, and doubts about it, mean nothing.
    pub(super) fn forget_session(&mut self) {
        for (_, tries) in &mut self.0 {
            tries.doubt = None;
            tries.uploads.clear();
        }
    }
}

impl Tries {
    pub(super) fn uploaded(&self, part: u32) -> Option<&UploadedPart> {
        self.uploads.iter().find(|(known, _)| *known == part).map(|(_, upload)| upload)
    }

    pub(super) fn shown(&self, part: u32) -> Option<&str> {
        self.shown.iter().find(|(known, _)| *known == part).map(|(_, id)| id.as_str())
    }

    pub(super) fn remember_shown(&mut self, part: u32, message: &str) {
        self.shown.push((part, message.to_owned()));
    }

    pub(super) fn remember_uploaded(&mut self, part: u32, upload: UploadedPart) {
        self.uploads.push((part, upload));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn action(n: u32) -> ActionId {
        ActionId { event: "m1".into(), n }
    }

    #[test]
    fn the_tries_of_an_action_are_its_own_until_it_is_forgotten() {
        let mut earlier = EarlierTries::default();
        earlier.of(&action(1)).declined += 1;
        earlier.of(&action(1)).declined += 1;
        earlier.of(&action(2)).doubt = Some(7);
        assert_eq!((earlier.of(&action(1)).declined, earlier.of(&action(2)).declined), (2, 0));
        earlier.forget_session();
        assert_eq!((earlier.of(&action(1)).declined, earlier.of(&action(2)).doubt), (2, None));
        earlier.forget(&action(1));
        assert_eq!(earlier.of(&action(1)).declined, 0);
    }

    #[test]
    fn no_more_actions_are_remembered_than_can_be_under_way() {
        let mut earlier = EarlierTries::default();
        let many = u32::try_from(EarlierTries::KEPT).unwrap() + 1;
        for n in 0..many {
            earlier.of(&action(n)).declined = 1;
        }
        assert_eq!(earlier.0.len(), EarlierTries::KEPT);
        assert_eq!(earlier.of(&action(0)).declined, 0, "the oldest is gone");
    }
}

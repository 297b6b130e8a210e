//! Removing people from groups, and inviting them: section 10 of the protocol reference.

use mynah_core::{ChatId, Person, Receipt, SendError};
use mynah_webwx::{GroupChange, Wanted};

use super::WebWxService;
use super::verdict::Failed;

/// The end of the reason where the account may not remove members.
pub(super) const NOT_OWNER: &str = "only the owner of a group can remove its members";

impl WebWxService {
    /// Removes a person from a group that the account owns.
    pub(super) async fn kick(&self, group: &ChatId, person: &Person) -> Result<Receipt, Failed> {
        let name = self.user_name(group)?;
        let member = self.member(person)?;
        let (is_me, owns) = {
            let directory = self.shared.directory();
            (directory.is_me(&member), directory.owns(&name))
        };
        if is_me {
            return Err(refused("the account does not remove itself".to_owned()));
        }
        if owns == Some(false) {
            return Err(refused(NOT_OWNER.to_owned()));
        }
        self.change(&name, GroupChange::Remove(vec![member])).await
    }

    /// Adds a friend to a group; from the size on that the service names, the friend gets an invitation.
    pub(super) async fn invite(&self, group: &ChatId, person: &Person) -> Result<Receipt, Failed> {
        let name = self.user_name(group)?;
        let friend = self.member(person)?;
        if self.shared.directory().has_member(&name, &friend) {
            let reason = format!("{} is a member of the group already", person.name);
            return Err(refused(reason));
        }
        let is_large = self.size(&name).await? >= self.shared.invite_start();
        let change = if is_large { GroupChange::Invite } else { GroupChange::Add };
        self.change(&name, change(vec![friend])).await
    }

    async fn change(&self, group: &str, change: GroupChange) -> Result<Receipt, Failed> {
        self.shared.client.update_group(group, &change).await.map_err(Failed::Call)?;
        self.shared.not_throttled();
        Ok(Receipt::default())
    }

    /// The service's present name for a person. Unlike a chat, a person who is not known now is not waited for: later
    /// actions of the group would wait as well.
    fn member(&self, person: &Person) -> Result<String, Failed> {
        let directory = self.shared.directory();
        let name = directory.user_name_of_person(person.id.as_str()).map(str::to_owned);
        name.ok_or_else(|| {
            refused(format!("{} has not been seen since the last login", person.name))
        })
    }

    /// The number of members of a group; the service is asked if it is not known.
    async fn size(&self, group: &str) -> Result<usize, Failed> {
        if let Some(size) = self.shared.directory().size_of_group(group) {
            return Ok(size);
        }
        let wanted = [Wanted::contact(group)];
        let found = self.shared.client.batch_contacts(&wanted).await.map_err(Failed::Upload)?;
        let now = self.shared.clock.now();
        let mut directory = self.shared.directory();
        directory.learn_groups(&found, now);
        Ok(directory.size_of_group(group).unwrap_or_default())
    }
}

fn refused(reason: String) -> Failed {
    Failed::Settled(SendError::Refused { reason })
}

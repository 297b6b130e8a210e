//! The data of an account, for commands that read it or change it while no bot runs.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use mynah_core::{
    Batch, Clock, Content, LogPage, LogQuery, Person, PersonId, Records, Service, Source, Store,
    StoreError, StoreReader, Stores, SystemClock, Timestamp,
};
use mynah_page::Condition;
use mynah_page::view::NameRow;
use mynah_runtime::say;
use mynah_transports::{Connector, Connectors, Surroundings, Value, Values};

use super::{
    AccountStatus, Answer, Request, all_chats, deleted, find_chat, freed, muted, muting, new_id,
};
use crate::names::name_rows;
use crate::{Ended, Report, fleet, log_pages};

/// The record with the name of the account's service.
const SERVICE: &str = "mynah.service";

/// The data of the account that a command is about.
#[derive(Debug, Clone)]
pub(crate) struct AccountData {
    /// Where the data is, for people.
    pub(super) place: String,
    pub(super) stores: Arc<dyn Stores>,
    /// The account's name in the stores.
    pub(super) name: String,
    /// The folders in which its process may listen.
    pub(super) folders: Vec<PathBuf>,
    /// Whether the data is in a database, which other accounts and other machines use too.
    pub(super) is_shared: bool,
    /// Its name in the settings and the folders of the other accounts there, if it is from the settings.
    pub(super) in_settings: Option<(String, Vec<PathBuf>)>,
}

impl AccountData {
    /// Where the data is, for people.
    pub(crate) fn place(&self) -> &str {
        &self.place
    }

    /// Asks the process that works with the account, on this machine or another; `None` if there is none.
    pub(crate) async fn ask(&self, request: &Request) -> Result<Option<Answer>, Report> {
        let account = self.is_shared.then_some(self.name.as_str());
        for folder in &self.folders {
            if let Some(answer) = super::ask(folder, account, request).await? {
                return Ok(Some(answer));
            }
        }
        let held = fleet::is_held(&*self.stores, &self.name).await;
        if !held.map_err(|error| self.failed("look into", error))? {
            return Ok(None);
        }
        fleet::ask(&*self.stores, &self.name, request).await.map(Some)
    }

    /// Asks how the account is: its process, else a process of other accounts of the settings or the fleet, which know why it
    /// could not start.
    pub(crate) async fn ask_status(&self) -> Result<Option<Answer>, Report> {
        if let Some(answer) = self.ask(&Request::Status).await? {
            return Ok(Some(answer));
        }
        let (name, beside) = self.in_settings.clone().unwrap_or_default();
        for folder in beside {
            // A process that does not answer says nothing about this account.
            let answer = super::ask(&folder, Some(&name), &Request::Status).await;
            if let Some(answer) = answer.ok().flatten() {
                return Ok(Some(answer));
            }
        }
        let trouble = fleet::trouble(&*self.stores, &self.name).await;
        let trouble = trouble.map_err(|error| self.failed("look into", error))?;
        Ok(trouble.map(|reason| {
            let status = AccountStatus::of(Condition::NotStarted { reason });
            Answer { status: Some(status), ..Answer::done("") }
        }))
    }

    /// Reads the data, also while another process works with it.
    pub(crate) async fn inspect(&self) -> Result<Arc<dyn StoreReader>, Report> {
        self.reader("look into").await
    }

    /// Works with the data, and closes it, so that the next process need not wait for it. Refused while a bot runs with it.
    async fn with_store<T>(
        &self,
        work: impl AsyncFnOnce(&dyn Store) -> Result<T, Report>,
    ) -> Result<T, Report> {
        self.must_exist().await?;
        let opened = self.stores.open(&self.name).await;
        let store = opened.map_err(|error| self.failed("open", error))?;
        let done = work(&*store).await;
        if let Err(error) = store.close().await {
            tracing::debug!(error = &error as &dyn std::error::Error, "the data was not closed");
        }
        done
    }

    /// Refuses an account without data.
    pub(crate) async fn must_exist(&self) -> Result<(), Report> {
        self.reader("open").await.map(drop)
    }

    /// Opens the data for reading. `what` names the operation in the report of a failure.
    async fn reader(&self, what: &str) -> Result<Arc<dyn StoreReader>, Report> {
        let reader = self.stores.reader(&self.name).await;
        reader.map_err(|error| self.failed(what, error))?.ok_or_else(|| {
            let hint = "name the folder that `mynah run` was given with --data; with several bots it is DIR/NAME";
            Report::new(Ended::No, format!("there is no data in {}", self.place)).hint(hint)
        })
    }

    /// The report about a failure.
    pub(crate) fn failed(&self, what: &str, error: StoreError) -> Report {
        let is_in_use = matches!(error, StoreError::InUse { .. });
        let report = Report::of_store(&format!("{what} the data in {}", self.place), error);
        match is_in_use && self.is_shared {
            true => report.hint(
                "run this command on the machine where the account runs, or stop it there first",
            ),
            false => report,
        }
    }

    /// The service of the account: the one that it ran on last, else the one whose session is stored.
    pub(crate) fn service(
        &self,
        records: &Records,
        services: &Connectors,
    ) -> Result<&'static dyn Connector, Report> {
        let Some(name) = records.get(SERVICE) else {
            let stored = services.iter().find(|connector| connector.has_session(records));
            return Ok(stored.unwrap_or_else(|| services.usual()));
        };
        services.named(name).ok_or_else(|| {
            let names: Vec<_> = services.names().collect();
            let what = format!("the data in {} belongs to the service {name}", self.place);
            let hint =
                format!("this program has {}; use the one that ran the bot", names.join(", "));
            Report::new(Ended::Usage, what).hint(hint)
        })
    }

    /// Queues something to be said at the next start.
    pub(crate) async fn send(
        &self,
        chat: &str,
        text: &str,
        services: &Connectors,
    ) -> Result<Answer, Report> {
        self.with_store(async |store| {
            let records = store.records().await.map_err(|error| self.failed("read", error))?;
            let (_, service) = connect(self.service(&records, services)?, records, None)?;
            let now = SystemClock.now();
            // The list may have grown since the bot ran.
            let event = match find_chat(&service.chats(), chat, false) {
                Ok(chat) => say(new_id(now), chat.clone(), Content::text(text), now),
                Err(why) => return Ok(Answer::refused(why)),
            };
            let batch = Batch { events: vec![event], ..Batch::default() };
            store.accept(batch, now).await.map_err(|error| self.failed("write", error))?;
            Ok(Answer::done("no bot runs with this data: the message is sent at the next start"))
        })
        .await
    }

    /// Mutes a chat for so many seconds, or with 0 ends that, from the next start on.
    pub(crate) async fn mute(
        &self,
        chat: &str,
        seconds: u64,
        services: &Connectors,
    ) -> Result<Answer, Report> {
        let reader = self.reader("look into").await?;
        self.with_store(async |store| {
            let records = store.records().await.map_err(|error| self.failed("read", error))?;
            let (_, service) = connect(self.service(&records, services)?, records, None)?;
            let chats = all_chats(Some(&*service), &*reader).await;
            let chats = chats.map_err(|error| self.failed("read", error))?;
            let now = SystemClock.now();
            let (event, name) = match find_chat(&chats, chat, false) {
                Ok(chat) => (muting(chat, seconds, now, None), &chat.name),
                Err(why) => return Ok(Answer::refused(why)),
            };
            let batch = Batch { events: vec![event], ..Batch::default() };
            store.accept(batch, now).await.map_err(|error| self.failed("write", error))?;
            let Answer { text, .. } = muted(name, seconds);
            Ok(Answer::done(format!("{text}: no bot runs with this data, the next start sees it")))
        })
        .await
    }

    /// Ends the stored session on the service.
    pub(crate) async fn log_out(
        &self,
        server: Option<String>,
        services: &Connectors,
    ) -> Result<Answer, Report> {
        self.with_store(async |store| {
            let records = store.records().await.map_err(|error| self.failed("read", error))?;
            let connector = self.service(&records, services)?;
            if !connector.has_login() {
                let title = connector.title().en;
                return Ok(Answer::done(format!("{title} has no login: there is nothing to end")));
            }
            if !connector.has_session(&records) {
                return Ok(Answer::done("no session is stored: there is nothing to end"));
            }
            let (mut source, _) = connect(connector, records, server)?;
            let batch = Batch { records: source.log_out().await, ..Batch::default() };
            let stored = store.accept(batch, SystemClock.now()).await;
            stored.map_err(|error| self.failed("write", error))?;
            Ok(Answer::done("logged out; the next start asks for a login"))
        })
        .await
    }

    /// Ends the binding of a name of the rule file.
    pub(crate) async fn unbind(&self, name: String) -> Result<Answer, Report> {
        let unbind = async |store: &dyn Store| {
            store.unbind(&name).await.map_err(|error| self.failed("write", error))
        };
        Ok(freed(&name, self.with_store(unbind).await?.as_ref()))
    }

    /// The names that are bound to people, and whether they still mean them as far as the stored contacts say.
    pub(crate) async fn names(
        &self,
        reader: &dyn StoreReader,
        records: &Records,
        connector: &'static dyn Connector,
    ) -> Result<Vec<NameRow>, Report> {
        let failed = |error| self.failed("look into", error);
        let bindings = reader.bindings().await.map_err(failed)?;
        let (_, service) = connect(connector, records.clone(), None)?;
        Ok(name_rows(None, &bindings, |name| service.person_called(name)))
    }

    /// Deletes a person's data.
    pub(crate) async fn forget(&self, person: PersonId) -> Result<Answer, Report> {
        let forget = async |store: &dyn Store| {
            store.forget(&person).await.map_err(|error| self.failed("delete from", error))
        };
        Ok(deleted(person.as_str(), self.with_store(forget).await?))
    }

    /// The one person of that id or name in the log.
    pub(crate) async fn person(&self, wanted: &str) -> Result<PersonId, Report> {
        let people = self.people(|person| {
            person.id.as_str() == wanted
                || person.name == wanted
                || person.is_certainly(wanted)
                || person.chose(wanted)
        });
        let people = people.await?;
        if people.len() < 2 || people.contains_key(&PersonId::from(wanted)) {
            // A person whose messages are deleted already may still have state; the id is enough for that.
            return Ok(people.into_keys().next().unwrap_or_else(|| PersonId::from(wanted)));
        }
        let ids: Vec<String> = people.iter().map(|(id, name)| format!("{id} ({name})")).collect();
        Err(Report::new(Ended::No, format!("{} people are called {wanted}", ids.len()))
            .hint(format!("give one of their ids: {}", ids.join(", "))))
    }

    async fn people(
        &self,
        wanted: impl Fn(&Person) -> bool,
    ) -> Result<BTreeMap<PersonId, String>, Report> {
        let reader = self.inspect().await?;
        let mut people = BTreeMap::new();
        let collect = |page: LogPage| {
            let found = page.entries.iter().filter_map(|logged| logged.event.person());
            let found = found.filter(|one| wanted(one));
            people.extend(found.map(|person| (person.id.clone(), person.name.clone())));
        };
        let read = log_pages::each_page(&*reader, LogQuery::from_the_start(), collect).await;
        read.map_err(|error| self.failed("read", error))?;
        Ok(people)
    }
}

/// An open connection.
type Connection = (Box<dyn Source>, Arc<dyn Service>);

/// The connection as it was left. Nothing is sent by this.
fn connect(
    connector: &dyn Connector,
    records: Records,
    server: Option<String>,
) -> Result<Connection, Report> {
    let mut values = Values::default();
    if let (Some(key), Some(server)) =
        (connector.keys().iter().find(|key| key.name == "server"), server)
    {
        values.set(key.name, Value::Text(server));
    }
    let around = Surroundings { is_at_rest: true, ..Surroundings::default() };
    let transport = connector.open(&values, &around).map_err(|error| {
        Report::new(Ended::Usage, "failed to look at the account").because(error)
    })?;
    Ok(transport.open(records))
}

/// Keeps the name of the account's service, for the commands that work on the data of a stopped bot.
pub(crate) async fn keep_service(
    store: &dyn Store,
    connector: &dyn Connector,
    now: Timestamp,
) -> Result<(), StoreError> {
    if store.records().await?.get(SERVICE).is_some_and(|kept| kept == connector.name()) {
        return Ok(());
    }
    let records = Records::from([(SERVICE.to_owned(), connector.name().to_owned())]);
    store.accept(Batch { records, ..Batch::default() }, now).await.map(drop)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::account_args::of_folder;
    use super::*;

    #[test]
    fn the_service_is_the_one_that_ran_last() {
        let (folder, services) = (of_folder(Path::new("d")), Connectors::default());
        let kept = |name: &str| Records::from([(SERVICE.to_owned(), name.to_owned())]);
        for name in services.names() {
            assert_eq!(folder.service(&kept(name), &services).unwrap().name(), name);
        }
        let usual = folder.service(&Records::new(), &services).unwrap();
        assert_eq!(usual.name(), services.usual().name());
        let report = folder.service(&kept("telegraph"), &services).unwrap_err();
        assert!(report.to_string().contains("belongs to the service telegraph"));
    }

    #[tokio::test]
    async fn a_folder_without_data_is_reported() {
        let folder = of_folder(Path::new("no/such/folder"));
        let report = folder.inspect().await.map(drop).unwrap_err();
        assert_eq!(report.ended(), Ended::No);
        assert!(report.to_string().contains("there is no data in no/such/folder"));
    }
}

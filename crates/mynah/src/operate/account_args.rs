//! Which account a command is about: the one of a data folder, or one by its name.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use mynah_core::Stores;
use mynah_transports::Connectors;

use super::AccountData;
use crate::cli::common::Common;
use crate::config::{Config, DATA, DataPlaces};
use crate::stores::{self, AccountFolder, ONLY};
use crate::{Ended, Report, report};

/// Which account.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct AccountArgs {
    /// The folder that keeps everything of the account, by default ./data; with several bots it is DIR/NAME.
    #[arg(long, value_name = "DIR", env = "MYNAH_DATA")]
    data: Option<PathBuf>,
    /// The account of this name in the settings, or in their database; there it can be left out if it is the only one.
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
    /// The operating settings; by default config/mynah.toml, if it is there.
    #[arg(long, value_name = "FILE", env = "MYNAH_CONFIG")]
    config: Option<PathBuf>,
}

impl AccountArgs {
    /// Whether the command line names a folder or an account.
    pub(crate) fn is_typed(&self) -> bool {
        self.account.is_some() || is_typed(self.data.as_deref(), "MYNAH_DATA")
    }

    /// Finds the account.
    pub(crate) async fn find(
        &self,
        services: &Connectors,
        common: &Common,
    ) -> Result<AccountData, Report> {
        if self.is_by_folder() {
            return Ok(of_folder(self.folder()));
        }
        let places = self.places(services, common)?;
        if places.store.url.is_some() {
            return self.in_database(&places).await;
        }
        let Some(name) = &self.account else { return Ok(of_folder(self.folder())) };
        if !places.accounts.iter().any(|(account, _)| account == name) {
            let names = places.accounts.iter().map(|(account, _)| account.as_str());
            let what = format!("the settings have no account {name}");
            return Err(Report::new(Ended::Usage, what).hint(there_are(names)));
        }
        let in_settings = Some((name.clone(), self.folders_beside(name, &places)));
        Ok(AccountData { in_settings, ..of_folder(&self.folder_of(name, &places)) })
    }

    /// The folders of the other accounts of the settings.
    fn folders_beside(&self, name: &str, places: &DataPlaces) -> Vec<PathBuf> {
        let others = places.accounts.iter().filter(|(account, _)| account != name);
        others.map(|(account, _)| self.folder_of(account, places)).collect()
    }

    /// Whether a folder is named on the command line, and nothing that could mean another account.
    fn is_by_folder(&self) -> bool {
        self.account.is_none()
            && is_typed(self.data.as_deref(), "MYNAH_DATA")
            && !is_typed(self.config.as_deref(), "MYNAH_CONFIG")
    }

    fn places(&self, services: &Connectors, common: &Common) -> Result<DataPlaces, Report> {
        data_places(self.config.as_deref(), services, common)
    }

    fn folder(&self) -> &Path {
        self.data.as_deref().unwrap_or(Path::new(DATA))
    }

    fn folder_of(&self, name: &str, places: &DataPlaces) -> PathBuf {
        let of_settings = places.accounts.iter().find(|(account, _)| account == name);
        let own = of_settings.and_then(|(_, folder)| folder.clone());
        own.unwrap_or_else(|| self.folder().join(name))
    }

    /// Finds all accounts of the settings, or of their database.
    pub(crate) async fn find_all(
        &self,
        services: &Connectors,
        common: &Common,
    ) -> Result<Vec<AccountData>, Report> {
        let places = self.places(services, common)?;
        if places.store.url.is_some() {
            let (stores, names) = accounts_of(&places).await?;
            let of = |name| self.of_database(name, Arc::clone(&stores), &places);
            return Ok(names.into_iter().map(of).collect());
        }
        let folders = places.accounts.iter().map(|(name, _)| self.folder_of(name, &places));
        let found: Vec<AccountData> = folders
            .filter(|folder| AccountFolder::new(folder).has_data())
            .map(|folder| of_folder(&folder))
            .collect();
        if found.is_empty() {
            return Err(Report::new(Ended::No, "no account of the settings has data"));
        }
        Ok(found)
    }

    /// The account in the database of the settings.
    async fn in_database(&self, places: &DataPlaces) -> Result<AccountData, Report> {
        let (stores, names) = accounts_of(places).await?;
        let name = chosen(self.account.as_deref(), &names)?;
        Ok(self.of_database(name, stores, places))
    }

    fn of_database(
        &self,
        name: String,
        stores: Arc<dyn Stores>,
        places: &DataPlaces,
    ) -> AccountData {
        AccountData {
            place: format!("account {name} of the database"),
            folders: vec![self.folder_of(&name, places), self.folder().to_owned()],
            in_settings: Some((name.clone(), self.folders_beside(&name, places))),
            stores,
            name,
            is_shared: true,
        }
    }
}

/// The database of the settings, and its accounts.
async fn accounts_of(places: &DataPlaces) -> Result<(Arc<dyn Stores>, Vec<String>), Report> {
    let stores = stores::of_database(&places.store)?;
    let names = stores.accounts().await;
    let names = names.map_err(|error| Report::of_store("look into the database", error))?;
    Ok((stores, names))
}

/// The places of the data in the settings.
pub(crate) fn data_places(
    config: Option<&Path>,
    services: &Connectors,
    common: &Common,
) -> Result<DataPlaces, Report> {
    Config::load_places(config, services).map_err(|problems| {
        report::say(&problems.render(common.lang(), Common::colours_on_stderr()));
        let what = format!("{} cannot be used", Config::file(config).display());
        Report::new(Ended::No, what)
            .hint("correct it, or name the folder of the account with --data")
    })
}

/// Whether a path is from the command line and not from this variable.
fn is_typed(given: Option<&Path>, variable: &str) -> bool {
    given.is_some_and(|path| std::env::var_os(variable).as_deref() != Some(path.as_os_str()))
}

/// The account of that name in the database, or the only one.
fn chosen(name: Option<&str>, names: &[String]) -> Result<String, Report> {
    let all = || there_are(names.iter().map(String::as_str));
    match (name, names) {
        (Some(name), _) if names.iter().any(|one| one == name) => Ok(name.to_owned()),
        (Some(name), _) => {
            let what = format!("there is no data of account {name} in the database");
            Err(Report::new(Ended::No, what).hint(all()))
        }
        (None, [only]) => Ok(only.clone()),
        (None, []) => Err(Report::new(Ended::No, "there is no data in the database")
            .hint("an account is added to it when it is first run")),
        (None, _) => {
            let what = format!("the database has {} accounts", names.len());
            Err(Report::new(Ended::Usage, what).hint(format!("name one with --account: {}", all())))
        }
    }
}

/// Lists names, not without end.
fn there_are<'n>(names: impl Iterator<Item = &'n str>) -> String {
    const MOST: usize = 20;
    let names: Vec<&str> = names.collect();
    match names.len() {
        0 => "there is none".to_owned(),
        many if many > MOST => {
            format!("there are {} and {} more", names[..MOST].join(", "), many - MOST)
        }
        1 => format!("there is {}", names[0]),
        _ => format!("there are {}", names.join(", ")),
    }
}

/// The account of a data folder.
pub(super) fn of_folder(folder: &Path) -> AccountData {
    AccountData {
        place: folder.display().to_string(),
        stores: Arc::clone(&stores::of_folder(folder)),
        name: ONLY.to_owned(),
        folders: vec![folder.to_owned()],
        is_shared: false,
        in_settings: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_of_a_database_is_named_or_the_only_one() {
        let names =
            |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let failure = |name, all: &[&str]| chosen(name, &names(all)).unwrap_err();
        assert_eq!(chosen(None, &names(&["faq"])).unwrap(), "faq");
        assert_eq!(chosen(Some("b"), &names(&["a", "b"])).unwrap(), "b");
        let several = failure(None, &["a", "b"]);
        assert_eq!(several.ended(), Ended::Usage);
        assert!(
            several.to_string().contains("name one with --account: there are a, b"),
            "{several}"
        );
        assert!(failure(Some("c"), &["a"]).to_string().contains("there is a"));
        assert_eq!(failure(None, &[]).ended(), Ended::No);
        let many: Vec<String> = (0..500).map(|n| n.to_string()).collect();
        let many = chosen(None, &many).unwrap_err().to_string();
        assert!(many.ends_with("19 and 480 more"), "{many}");
    }
}

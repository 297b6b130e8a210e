//! What the command does.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use mynah_core::{Clock, MovingStore, StoreError, Stores, SystemClock};
use serde::Serialize;

use super::{Args, To};
use crate::cli::{Common, print};
use crate::config::{DATA, DataPlaces};
use crate::data_move::{
    Counts, MoveError, Moved, Side, check_source, delete_source, give_up, move_data,
};
use crate::operate::data_places;
use crate::stores;
use crate::{Bot, Ended, Report, report};

/// Progress is shown after so many rows, and whenever their number has doubled.
const FIRST_SHOWN: u64 = 1_000;

/// The two stores, each with all accounts.
struct Both {
    folders: Arc<dyn Stores>,
    database: Arc<dyn Stores>,
    /// The place of the database: accounts of the same name in two databases are two accounts.
    database_place: String,
    places: DataPlaces,
    data: Option<PathBuf>,
}

impl Both {
    /// The stores of the settings.
    async fn open(args: &Args, bot: &Bot, common: &Common) -> Result<Self, Report> {
        let places = data_places(args.config.as_deref(), bot.services(), common)?;
        let named = args.account.clone().into_iter();
        let of_settings = places.accounts.iter().map(|(name, _)| name.clone());
        let mut names: BTreeSet<String> = named.chain(of_settings).collect();
        let (database, database_place) = stores::placed_database(&places.store)?;
        if args.all {
            names.extend(database.accounts().await.map_err(|error| looked(error, "the database"))?);
        }
        let (folders, data) = (Arc::clone(&database), args.data.clone());
        let mut both = Self { folders, database, database_place, places, data };
        both.folders =
            stores::of_folders(names.iter().map(|name| (name.clone(), both.folder(name))));
        Ok(both)
    }

    fn folder(&self, name: &str) -> PathBuf {
        let of_settings = self.places.accounts.iter().find(|(account, _)| account == name);
        let own = of_settings.and_then(|(_, folder)| folder.clone());
        let all = || std::env::var_os("MYNAH_DATA").map_or_else(|| DATA.into(), PathBuf::from);
        self.data.clone().or(own).unwrap_or_else(|| all().join(name))
    }

    /// The store of one side, and its place for people.
    fn side(&self, of: To, name: &str) -> (&Arc<dyn Stores>, String) {
        match of {
            To::Database => {
                let place = format!("account {name} of the database {}", self.database_place);
                (&self.database, place)
            }
            To::Folder => (&self.folders, self.folder(name).display().to_string()),
        }
    }

    /// The accounts to move.
    async fn names(&self, args: &Args, from: To) -> Result<Vec<String>, Report> {
        if let Some(name) = &args.account {
            let (stores, place) = self.side(from, name);
            let reader = stores.reader(name).await.map_err(|error| looked(error, &place))?;
            if reader.is_none() {
                let what = format!("there is no data in {place}");
                let hint = "name the account as in the settings, or its folder with --data";
                return Err(Report::new(Ended::No, what).hint(hint));
            }
            return Ok(vec![name.clone()]);
        }
        let stores = if from == To::Database { &self.database } else { &self.folders };
        let mut names = stores.accounts().await.map_err(|error| looked(error, "the old place"))?;
        // The database leaves out an account whose move is nearly complete.
        for (name, _) in &self.places.accounts {
            let reader = stores.reader(name).await.map_err(|error| looked(error, name))?;
            if reader.is_some() && !names.contains(name) {
                names.push(name.clone());
            }
        }
        if names.is_empty() {
            return Err(Report::new(Ended::No, "there is no data to move"));
        }
        Ok(names)
    }
}

fn looked(error: StoreError, place: &str) -> Report {
    Report::of_store(&format!("look into {place}"), error)
}

pub(super) async fn execute(args: Args, bot: &Bot, common: &Common) -> Result<Ended, Report> {
    let both = Both::open(&args, bot, common).await?;
    let from = if args.to == To::Database { To::Folder } else { To::Database };
    if let Some(name) = args.account.as_ref().filter(|_| args.give_up) {
        return give_up_one(&both, &args, from, name).await;
    }
    for name in both.names(&args, from).await? {
        let moved = move_one(&both, &args, from, &name).await?;
        show(&both, &args, &name, moved)?;
    }
    Ok(Ended::Fine)
}

/// Gives the unfinished move of an account up.
async fn give_up_one(both: &Both, args: &Args, from: To, name: &str) -> Result<Ended, Report> {
    let (of, from_place) = both.side(from, name);
    let (into, to_place) = both.side(args.to, name);
    // Opening creates what is not there; a place that was removed from outside may be created, its move is given up.
    if of.reader(name).await.map_err(|error| looked(error, &from_place))?.is_none() {
        return Err(nothing_unfinished(name, &to_place));
    }
    let (source, target) = (open(of, name, &from_place).await?, open(into, name, &to_place).await?);
    let from = Side { store: &*source, place: &from_place };
    let given_up = give_up(from, Side { store: &*target, place: &to_place }).await;
    for store in [&source, &target] {
        store.close().await.map_err(|error| looked(error, name))?;
    }
    if !given_up.map_err(|error| failed(name, error))? {
        return Err(nothing_unfinished(name, &to_place));
    }
    let given_up = GivenUp { account: name, given_up: &to_place, data: &from_place };
    print::to_stdout(|out| match args.json {
        true => print::json(out, &given_up),
        false => {
            writeln!(out, "the move of {name} to {to_place} is given up; it runs with {from_place}")
        }
    })?;
    Ok(Ended::Fine)
}

fn nothing_unfinished(name: &str, place: &str) -> Report {
    Report::new(
        Ended::No,
        format!("no move of {name} to {place} is unfinished: nothing was changed"),
    )
    .hint("name the direction and the place of the unfinished move")
}

/// A move that was given up.
#[derive(Serialize)]
struct GivenUp<'a> {
    account: &'a str,
    given_up: &'a str,
    /// Where the data is.
    data: &'a str,
}

async fn move_one(both: &Both, args: &Args, from: To, name: &str) -> Result<Moved, Report> {
    let (of, from_place) = both.side(from, name);
    let (into, to_place) = both.side(args.to, name);
    let source = open(of, name, &from_place).await?;
    let from = Side { store: &*source, place: &from_place };
    let there = into.reader(name).await.map_err(|error| looked(error, &to_place))?;
    if there.is_none()
        && let Err(error) = check_source(from).await
    {
        source.close().await.map_err(|error| looked(error, name))?;
        return Err(failed(name, error));
    }
    let target = open(into, name, &to_place).await?;
    let to = Side { store: &*target, place: &to_place };
    let id = format!("{:x}-{:x}", SystemClock.now().as_millis(), std::process::id());
    let mut next = FIRST_SHOWN;
    let progress = |rows: u64| {
        if rows >= next {
            next = rows * 2;
            report::say(&format!("{name}: {rows} rows are copied\n"));
        }
    };
    let moved = async {
        let moved = move_data(from, to, &id, progress).await?;
        if args.delete_source {
            delete_source(from).await?;
        }
        Ok(moved)
    };
    let moved = moved.await.map_err(|error| failed(name, error));
    for store in [source, target] {
        store.close().await.map_err(|error| looked(error, name))?;
    }
    moved
}

async fn open(
    stores: &Arc<dyn Stores>,
    name: &str,
    place: &str,
) -> Result<Arc<dyn MovingStore>, Report> {
    stores.open_to_move(name).await.map_err(|error| {
        let is_in_use = matches!(error, StoreError::InUse { .. });
        let report = Report::of_store(&format!("open the data in {place}"), error);
        match is_in_use {
            true => report.hint("stop the bot first: an account that runs cannot be moved"),
            false => report,
        }
    })
}

fn failed(name: &str, error: MoveError) -> Report {
    let hint = match &error {
        MoveError::Store { source, .. } => source.remedy(),
        MoveError::HasData { .. } => {
            "nothing was changed; move that data elsewhere, or remove it, if it is not needed"
        }
        MoveError::Differs(_) => "this is a mistake of the program: please report it",
    };
    let what = format!("failed to move the data of account {name}");
    Report::new(Ended::Storage, what).because(error).hint(hint)
}

/// An account that was moved.
#[derive(Serialize)]
struct Shown<'a> {
    account: &'a str,
    to: &'a str,
    /// Absent if it was moved before.
    #[serde(flatten)]
    counts: Option<Counts>,
}

fn show(both: &Both, args: &Args, name: &str, moved: Moved) -> Result<(), Report> {
    let (_, place) = both.side(args.to, name);
    let counts = match moved {
        Moved::Now(counts) => Some(counts),
        Moved::Before => None,
    };
    print::to_stdout(|out| match (args.json, counts) {
        (true, counts) => print::json(out, &Shown { account: name, to: &place, counts }),
        (false, None) => writeln!(out, "{name} was moved to {place} before"),
        (false, Some(Counts { events, actions, ids, values, timers, records, hits })) => writeln!(
            out,
            "{name} is moved to {place}, and every row was compared: {events} events, {actions} actions, {ids} ids, \
             {values} values, {timers} timers, {records} records, {hits} counts of rules"
        ),
    })
}

//! The accounts of a sandbox, and the choice of one by the path of a request.
//!
//! Clients of WeChat Web build addresses from hosts, and a client with one base address for all hosts keeps its path. So
//! each of several accounts is a path, `/a/NAME`, on the one port; everything behind it is as in a sandbox with one account.

use std::{fmt, net::SocketAddr, sync::Arc};

use axum::{
    Extension,
    extract::{Request, State},
    http::{StatusCode, Uri, uri::PathAndQuery},
    middleware::Next,
    response::{IntoResponse, Response},
};
use tokio_util::sync::CancellationToken;

use crate::{Account, Options, hub::Hub};

/// The path before the name of an account.
const PREFIX: &str = "/a/";

/// The names of the accounts of a sandbox: letters, digits, `-`, `_` and `.`, each name once.
///
/// ```
/// use mynah_sandbox::AccountNames;
///
/// assert_eq!(AccountNames::numbered(3), AccountNames::new(["a1", "a2", "a3"])?);
/// assert!(AccountNames::new(["a/b"]).is_err());
/// # Ok::<(), mynah_sandbox::BadAccountName>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountNames(Vec<String>);

/// A name that no account can have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadAccountName {
    /// It has other characters than those of a path segment.
    #[error("an account cannot be named {0:?}: use letters, digits, `-`, `_` and `.`")]
    Characters(String),
    /// Two accounts have it.
    #[error("two accounts are named {0:?}")]
    Twice(String),
}

impl AccountNames {
    /// These names.
    ///
    /// # Errors
    ///
    /// Fails if a name has other characters, or if two names are the same.
    pub fn new<N: Into<String>>(
        names: impl IntoIterator<Item = N>,
    ) -> Result<Self, BadAccountName> {
        let names: Vec<String> = names.into_iter().map(Into::into).collect();
        let fits = |name: &str| {
            let of_a_path = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
            !name.trim_matches('.').is_empty() && name.chars().all(of_a_path)
        };
        if let Some(bad) = names.iter().find(|name| !fits(name)) {
            return Err(BadAccountName::Characters(bad.clone()));
        }
        let mut sorted: Vec<_> = names.iter().collect();
        sorted.sort_unstable();
        match sorted.windows(2).find(|two| two[0] == two[1]) {
            Some(two) => Err(BadAccountName::Twice(two[0].clone())),
            None => Ok(Self(names)),
        }
    }

    /// The names `a1` to the one with this number.
    #[must_use]
    pub fn numbered(count: usize) -> Self {
        Self((1..=count).map(|number| format!("a{number}")).collect())
    }

    /// The number of names.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns true without a name: the sandbox then has one account, at its root.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for AccountNames {
    /// All names, or the first and the last of many.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_slice() {
            [first, _, .., last] if self.len() > 3 => write!(formatter, "{first} … {last}"),
            few => formatter.write_str(&few.join(", ")),
        }
    }
}

/// All accounts of a sandbox: one at the root, or several, each at the path with its name.
#[derive(Debug)]
pub(crate) struct Accounts {
    names: AccountNames,
    list: Vec<Account>,
}

/// The account of a request.
pub(crate) type Shared = Extension<Arc<Hub>>;

impl Accounts {
    pub(crate) fn new(address: SocketAddr, options: &Options, stop: &CancellationToken) -> Self {
        let names = options.accounts.clone();
        let account = |home: String, name: &str, number: u32| {
            let url = format!("http://{address}{home}");
            let hub = Arc::new(Hub::new(address, home, number, options, stop.clone()));
            Account::new(name.to_owned(), url, hub)
        };
        let list = if names.is_empty() {
            vec![account(String::new(), "", 0)]
        } else {
            let named = (0..).zip(&names.0);
            named.map(|(number, name)| account(format!("{PREFIX}{name}"), name, number)).collect()
        };
        Self { names, list }
    }

    pub(crate) fn names(&self) -> &AccountNames {
        &self.names
    }

    pub(crate) fn list(&self) -> &[Account] {
        &self.list
    }

    pub(crate) fn find(&self, name: &str) -> Option<&Account> {
        self.list.iter().find(|account| account.name() == name)
    }

    /// The account at a path, and the path that it sees.
    fn at<'a>(&self, path: &'a str) -> Option<(&Account, &'a str)> {
        if self.names.is_empty() {
            return Some((self.list.first()?, path));
        }
        let rest = path.strip_prefix(PREFIX)?;
        let (name, below) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        Some((self.find(name)?, if below.is_empty() { "/" } else { below }))
    }
}

/// Passes a request to its account, with the path that it would have in a sandbox with one account.
pub(crate) async fn choose(
    State(accounts): State<Arc<Accounts>>,
    mut request: Request,
    next: Next,
) -> Response {
    let path = request.uri().path().to_owned();
    let chosen = match accounts.at(&path) {
        // The list of all accounts is a call of each of them, and of the sandbox.
        None if path == "/sandbox/accounts" => accounts.list.first().map(|it| (it, path.as_str())),
        chosen => chosen,
    };
    let Some((account, below)) = chosen else {
        let error = format!(
            "no account is here: the accounts of this sandbox are {}, at {PREFIX}NAME\n",
            accounts.names
        );
        return (StatusCode::NOT_FOUND, error).into_response();
    };
    if below.len() < path.len() {
        *request.uri_mut() = with_path(request.uri(), below);
    }
    request.extensions_mut().insert(Arc::clone(account.hub()));
    request.extensions_mut().insert(Arc::clone(&accounts));
    next.run(request).await
}

/// The same address with another path.
fn with_path(uri: &Uri, path: &str) -> Uri {
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    let mut parts = uri.clone().into_parts();
    // It was a part of a valid path.
    parts.path_and_query = PathAndQuery::try_from(format!("{path}{query}")).ok();
    Uri::from_parts(parts).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_a_path_and_differ() {
        for bad in ["", "a/b", "张三", "a b", ".", "..", "a%2f"] {
            let error = AccountNames::new(["fine", bad]).unwrap_err();
            assert_eq!(error, BadAccountName::Characters(bad.to_owned()));
        }
        let twice = AccountNames::new(["b", "a", "b"]);
        assert_eq!(twice, Err(BadAccountName::Twice("b".to_owned())));
    }

    #[test]
    fn many_names_are_shown_as_a_range() {
        assert_eq!(AccountNames::numbered(3).to_string(), "a1, a2, a3");
        assert_eq!(AccountNames::numbered(500).to_string(), "a1 … a500");
    }

    #[test]
    fn a_path_names_its_account() {
        let address = SocketAddr::from(([127, 0, 0, 1], 1));
        let accounts = |names| {
            let options = Options { accounts: names, ..Options::default() };
            Accounts::new(address, &options, &CancellationToken::new())
        };
        let found = |accounts: &Accounts, path: &str| {
            accounts.at(path).map(|(account, below)| (account.name().to_owned(), below.to_owned()))
        };
        let several = accounts(AccountNames::numbered(11));
        for (path, name, below) in [
            ("/a/a1", "a1", "/"),
            ("/a/a1/", "a1", "/"),
            ("/a/a11/jslogin", "a11", "/jslogin"),
            ("/a/a1/a/a2/x", "a1", "/a/a2/x"),
        ] {
            assert_eq!(found(&several, path), Some((name.to_owned(), below.to_owned())));
        }
        for nowhere in ["/", "/jslogin", "/a", "/a/", "/a/a12/jslogin", "/b/a1/jslogin", "*"] {
            assert_eq!(found(&several, nowhere), None, "{nowhere}");
        }
        let one = accounts(AccountNames::default());
        assert_eq!(found(&one, "/a/a1"), Some((String::new(), "/a/a1".to_owned())));
    }

    #[test]
    fn the_query_stays() {
        let uri = "http://host:1/a/a1/x?y=/a/z&%20".parse().unwrap();
        assert_eq!(with_path(&uri, "/x"), "http://host:1/x?y=/a/z&%20");
        assert_eq!(with_path(&"/a/a1".parse().unwrap(), "/"), "/");
    }
}

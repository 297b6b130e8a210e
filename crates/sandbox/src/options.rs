//! Options of a sandbox.

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use crate::{AccountNames, fault::Fault, world::World};

/// The options of a sandbox. The default listens on a free loopback port and uses the built-in world.
#[derive(Debug, Clone)]
pub struct Options {
    /// The address to listen on; port 0 picks a free port.
    pub listen: SocketAddr,
    /// The accounts, each with a copy of the world, at the path `/a/NAME`. Without a name there is one account, at the root.
    pub accounts: AccountNames,
    /// The people and groups of each account.
    pub world: World,
    /// The time for which a poll without news is held. The real server holds for about 25 s.
    pub hold: Duration,
    /// Confirms every login automatically, as if the phone's owner always agreed.
    pub auto_confirm: bool,
    /// The address to which a confirmed login is redirected, for example `https://wx2.qq.com`. `None`: derived from
    /// the `Host` header, so that clients which reach the sandbox under the service's own names are sent to those
    /// names.
    pub redirect_base: Option<String>,
    /// Delivers the client's own messages back to it, as the real server sometimes does.
    pub echo: bool,
    /// Answers a send with the client's id of an earlier one with the id of that message, like the service does. Without,
    /// each send is a message.
    pub drops_repeats: bool,
    /// The number of entries that one `webwxsync` delivers before it sets `ContinueFlag`.
    pub sync_batch: usize,
    /// The maximum number of sends in this window; further sends get code 1205.
    pub send_limit: Option<(usize, Duration)>,
    /// Refuses logins with code 1203 and this text.
    pub refuse_login: Option<String>,
    /// Refuses logins without the headers of the desktop client with code 1203, like the service does for most
    /// accounts.
    pub desktop_only: bool,
    /// Faults that are active from the start.
    pub faults: Vec<Fault>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            accounts: AccountNames::default(),
            world: World::default(),
            hold: Duration::from_secs(25),
            auto_confirm: false,
            redirect_base: None,
            echo: false,
            drops_repeats: true,
            sync_batch: 50,
            send_limit: None,
            refuse_login: None,
            desktop_only: false,
            faults: Vec::new(),
        }
    }
}

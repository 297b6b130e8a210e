//! How a sandbox is set up.

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use crate::{fault::Fault, world::World};

/// How a sandbox is set up. The default listens on a free loopback port and plays the built-in world.
#[derive(Debug, Clone)]
pub struct Options {
    /// The address to listen on; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Who lives there.
    pub world: World,
    /// How long a poll is held when nothing happens. The real server holds for about 25 s.
    pub hold: Duration,
    /// Confirms every login by itself, as if the phone's owner always agreed.
    pub auto_confirm: bool,
    /// Where the confirmed login is sent, for example `https://wx2.qq.com`. `None`: decided by the `Host` header, so that
    /// clients which reach the sandbox under the service's own names are sent to those names.
    pub redirect_base: Option<String>,
    /// Sends the client's own messages back to it, as the real server sometimes does.
    pub echo: bool,
    /// How many entries one `webwxsync` hands out before it sets `ContinueFlag`.
    pub sync_batch: usize,
    /// Sends answer 1205 beyond this many in this window.
    pub send_limit: Option<(usize, Duration)>,
    /// Logins are refused with code 1203 and this text.
    pub refuse_login: Option<String>,
    /// Logins without the desktop client's headers are refused with code 1203, as those of most real accounts are.
    pub desktop_only: bool,
    /// Faults that wait from the start.
    pub faults: Vec<Fault>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            world: World::default(),
            hold: Duration::from_secs(25),
            auto_confirm: false,
            redirect_base: None,
            echo: false,
            sync_batch: 50,
            send_limit: None,
            refuse_login: None,
            desktop_only: false,
            faults: Vec::new(),
        }
    }
}

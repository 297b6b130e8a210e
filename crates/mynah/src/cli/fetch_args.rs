//! The hosts that a command line opens to rules.

use mynah_fetch::{FetchSettings, HostPattern};

/// The hosts that a command line opens to rules.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct FetchArgs {
    /// Let rules send requests to this host, beside those of [fetch] in the settings: HOST or HOST:PORT.
    #[arg(long = "fetch", value_name = "HOST")]
    hosts: Vec<HostPattern>,
}

impl FetchArgs {
    /// The settings with these hosts opened, too.
    pub(crate) fn over(&self, settings: &FetchSettings) -> FetchSettings {
        let mut settings = settings.clone();
        for host in &self.hosts {
            settings.open(host.clone());
        }
        settings
    }
}

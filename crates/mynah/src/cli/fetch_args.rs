//! The hosts that a command line opens to rules.

use mynah_fetch::{FetchSettings, HostPattern};

/// The hosts that a command line opens to rules.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct FetchArgs {
    /// Let rules send requests to this host, beside those of [fetch] in the settings: HOST or HOST:PORT.
    #[arg(long = "fetch", value_name = "HOST", value_parser = host)]
    hosts: Vec<HostPattern>,
}

/// A host that can be opened: one that is not public needs its port.
fn host(text: &str) -> Result<HostPattern, String> {
    let host: HostPattern = text.parse().map_err(|why: mynah_fetch::BadHost| why.to_string())?;
    if host.may_be_public() || host.port().is_some() {
        return Ok(host);
    }
    Err(format!("{host} is not public: name its port, as in {host}:8000"))
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

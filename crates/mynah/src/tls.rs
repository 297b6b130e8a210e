//! The TLS provider of the process.

use std::sync::Once;

/// Installs ring as the provider of rustls, so that a handler's own `reqwest` client finds one: `reqwest` is built without
/// a provider here, and panics where none is installed.
pub(crate) fn provide() {
    static PROVIDER: Once = Once::new();
    // A provider that the author of the bot installed before stays.
    PROVIDER.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));
}

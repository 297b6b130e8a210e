//! Encrypted connections: the certificate is verified, and so is its name.

use std::time::{Duration, Instant};

use mynah_core::{StoreError, Stores, with_causes};
use mynah_store_postgres::{PostgresStores, Settings, migrate};

use crate::cluster::{Cluster, runtime};

/// Connects to the server under this name, with the certificate in this file.
async fn connect(
    cluster: &Cluster,
    host: &str,
    file: &str,
    password: &str,
) -> Result<(), StoreError> {
    let address = format!("postgres://mynah@{host}:{}/bots", cluster.port());
    let settings = Settings::new(&address, Some(password), Some(&cluster.read(file))).unwrap();
    migrate(&settings).await?;
    // A refused certificate is not tried again and again.
    PostgresStores::new(settings, "test").open(host).await.map(drop)
}

#[test]
fn only_the_right_certificate_for_the_right_host_is_accepted() {
    let Some(cluster) = Cluster::start_encrypted() else { return };
    cluster.admin_runs("bots", "ALTER ROLE mynah PASSWORD 'hunter2'");
    let refusal = |host: &str, file: &str, password: &str| {
        let since = Instant::now();
        let refused = runtime().block_on(connect(&cluster, host, file, password)).err();
        assert!(since.elapsed() < Duration::from_secs(20), "{refused:?}");
        refused.map(|error| with_causes(&error)).unwrap_or_default()
    };
    assert_eq!(refusal("localhost", "ours.pem", "hunter2"), "");
    for (host, file) in [("localhost", "foreign.pem"), ("127.0.0.1", "ours.pem")] {
        let refused = refusal(host, file, "hunter2");
        assert!(refused.contains("certificate"), "{host}, {file}: {refused}");
    }
    let refused = refusal("localhost", "ours.pem", "hunter3");
    assert!(refused.contains("password authentication failed"), "{refused}");
    assert!(!refused.contains("hunter"), "{refused}");
}

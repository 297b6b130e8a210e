//! A pool of connections between the process and the server.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use mynah_core::{StoreError, Stores};
use mynah_store_postgres::{PostgresStores, Settings};
use tokio::time::timeout;

use crate::cluster::{Cluster, as_other_user, line, runtime, skip};
use crate::fleet::database;
use crate::restarts::{NOW, answer, batch, claim};

/// Runs a pool in a folder of its own, reports the folder, and ends with its input.
const SCRIPT: &str = r#"
set -e
folder=$(mktemp -d /tmp/mynah-pool.XXXXXX)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/pool.ini" <<END
[databases]
pools = host=$1 port=5432 user=mynah
[pgbouncer]
listen_addr =
unix_socket_dir = $folder
auth_type = any
pool_mode = $2
END
pgbouncer -q "$folder/pool.ini" >/dev/null 2>&1 &
while ! [ -S "$folder/.s.PGSQL.6432" ]; do kill -0 $!; sleep 0.05; done
echo "$folder"
cat >/dev/null
kill $!
wait
"#;

/// A pool before the database `pools` of a server. Ends when it is dropped.
struct Pool {
    shell: Child,
    folder: String,
}

impl Pool {
    fn start(cluster: &Cluster, mode: &str) -> Self {
        let socket = cluster.socket();
        let mut shell = as_other_user()
            .args(["sh", "-c", SCRIPT, "sh"])
            .arg(socket.parent().unwrap())
            .arg(mode)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let folder = line(shell.stdout.take().unwrap());
        assert!(!folder.is_empty(), "the pool did not start");
        Self { shell, folder }
    }

    fn stores(&self) -> PostgresStores {
        let address = format!("postgres://mynah@/pools?host={}&port=6432", self.folder);
        PostgresStores::new(Settings::new(&address, None, None).unwrap(), "pooled")
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        drop(self.shell.wait());
    }
}

#[test]
fn a_pool_of_sessions_works_and_one_of_transactions_is_refused() {
    let Some(cluster) = Cluster::shared() else { return };
    if Command::new("pgbouncer").arg("--version").output().is_err() {
        return skip("pgbouncer is not installed");
    }
    let story = async {
        drop(database(cluster, "pools").await);
        let pool = Pool::start(cluster, "session");
        let stores = pool.stores();
        let store = stores.open("main").await.unwrap();
        store.recover(NOW).await.unwrap();
        store.accept(batch("1"), NOW).await.unwrap();
        answer(&*store).await.unwrap();
        claim(&*store, 1).await.unwrap();
        store.close().await.unwrap();

        let pool = Pool::start(cluster, "transaction");
        let refused = pool.stores().open("main").await.err().unwrap();
        let StoreError::Unreachable { source, .. } = &refused else { panic!("{refused:?}") };
        assert!(source.to_string().contains("pool_mode = session"), "{source}");
    };
    runtime().block_on(async { timeout(Duration::from_secs(60), story).await.unwrap() });
}

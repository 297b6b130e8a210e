//! Connections that a test can slow down, hold and break.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::sync::watch;

/// The condition of a line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Condition {
    Open,
    /// Every piece is late.
    Slow(Duration),
    /// Nothing passes, not even the end of a connection; it arrives later.
    Held,
    /// All connections break, and new ones too.
    Broken,
}

/// A line from a node to the database.
#[derive(Debug)]
pub(crate) struct Line(watch::Sender<Condition>);

impl Line {
    /// Listens in the folder like the server whose socket this is.
    pub(crate) fn to_database(folder: &Path, server: &Path) -> Self {
        let listener = UnixListener::bind(folder.join(".s.PGSQL.5432")).unwrap();
        let (condition, of_connections) = watch::channel(Condition::Open);
        let server = server.to_owned();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (server, condition) = (server.clone(), of_connections.clone());
                tokio::spawn(async move {
                    let server = UnixStream::connect(server).await?;
                    pass(client.into_split(), server.into_split(), condition).await
                });
            }
        });
        Self(condition)
    }

    pub(crate) fn set(&self, condition: Condition) {
        self.0.send_replace(condition);
    }
}

/// Who used a port of this machine since when.
type Users = BTreeMap<u16, Vec<(SystemTime, usize)>>;

/// The ways of the nodes to the service, by which the record distinguishes the nodes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ways(Arc<Mutex<Users>>);

impl Ways {
    /// A way for this node; it is a proxy for HTTP.
    pub(crate) async fn add(&self, node: usize, service: SocketAddr) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let users = Arc::clone(&self.0);
        let open = watch::channel(Condition::Open);
        tokio::spawn(async move {
            let (_open, condition) = open;
            while let Ok((client, _)) = listener.accept().await {
                let (users, condition) = (Arc::clone(&users), condition.clone());
                tokio::spawn(async move {
                    let server = TcpStream::connect(service).await?;
                    let port = server.local_addr()?.port();
                    let since = (SystemTime::now(), node);
                    users.lock().unwrap().entry(port).or_default().push(since);
                    pass(client.into_split(), server.into_split(), condition).await
                });
            }
        });
        address
    }

    /// The node that used the port at this time.
    pub(crate) fn node(&self, port: u16, at: SystemTime) -> Option<usize> {
        let users = self.0.lock().unwrap();
        let of_port = users.get(&port)?.iter().rev();
        of_port.filter(|(since, _)| *since <= at).map(|(_, node)| *node).next()
    }
}

async fn pass<R: AsyncRead + Unpin, W: AsyncWrite + Unpin>(
    (from_client, to_client): (R, W),
    (from_server, to_server): (R, W),
    mut condition: watch::Receiver<Condition>,
) -> io::Result<()> {
    let there = copy(from_client, to_server, condition.clone());
    let back = copy(from_server, to_client, condition.clone());
    tokio::select! {
        ended = async { tokio::try_join!(there, back) } => ended.map(|_| ()),
        _ = condition.wait_for(|condition| *condition == Condition::Broken) => Ok(()),
    }
}

async fn copy<R: AsyncRead + Unpin, W: AsyncWrite + Unpin>(
    mut from: R,
    mut to: W,
    mut condition: watch::Receiver<Condition>,
) -> io::Result<()> {
    let mut piece = vec![0; 16 << 10];
    loop {
        let read = from.read(&mut piece).await;
        let passed = condition.wait_for(|condition| *condition != Condition::Held).await;
        let passed = *passed.map_err(io::Error::other)?;
        if let Condition::Slow(late) = passed {
            tokio::time::sleep(late).await;
        }
        match read? {
            0 => return to.shutdown().await,
            read => to.write_all(&piece[..read]).await?,
        }
    }
}

//! The connection breaks after a call has taken effect and before its answer arrives: at each answer of a story.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use mynah_core::{
    Claim, ClaimRequest, ClaimToken, Committed, Lane, Outcome, Store, StoreError, Stores,
};
use mynah_store_postgres::{PostgresStores, Settings};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::time::timeout;

use crate::cluster::{Cluster, runtime};
use crate::restarts::{NOW, answer, batch, claim, reply};

/// The type of the message that ends an answer of the server.
const READY: u8 = b'Z';

/// Swallows the answer with this number and all that follow on its connection.
async fn pass(
    mut client: UnixStream,
    server: PathBuf,
    left: Arc<AtomicI64>,
) -> std::io::Result<()> {
    let server = UnixStream::connect(server).await?;
    let (mut from_server, mut to_server) = server.into_split();
    let (mut from_client, mut to_client) = client.split();
    let asking = async { tokio::io::copy(&mut from_client, &mut to_server).await.map(drop) };
    let answering = async {
        loop {
            let kind = from_server.read_u8().await?;
            let length = from_server.read_u32().await?;
            let mut body = vec![0; usize::try_from(length).unwrap() - 4];
            from_server.read_exact(&mut body).await?;
            if kind == READY && left.fetch_sub(1, Ordering::SeqCst) == 1 {
                return Ok(());
            }
            let head = [&[kind][..], &length.to_be_bytes()].concat();
            to_client.write_all(&head).await?;
            to_client.write_all(&body).await?;
        }
    };
    tokio::select! {
        ended = asking => ended,
        ended = answering => ended,
    }
}

/// Passes connections on to a server. `left` is the number of the answer that is lost; zero loses none.
fn proxy(folder: &Path, server: PathBuf, left: &Arc<AtomicI64>) {
    let listener = UnixListener::bind(folder.join(".s.PGSQL.5432")).unwrap();
    let left = Arc::clone(left);
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            // A connection that breaks is the purpose.
            tokio::spawn(pass(client, server.clone(), Arc::clone(&left)));
        }
    });
}

/// Two messages, each answered once, with a claim that comes with its turn and one that does not.
async fn story(store: &dyn Store) -> Result<Vec<String>, StoreError> {
    let mut replies = Vec::new();
    replies.push(format!("{:?}", store.recover(NOW).await?));
    replies.push(format!("{:?}", store.accept(batch("1"), NOW).await?));
    store.sync().await?;
    answer(store).await?;
    let first = claim(store, 1).await?;
    replies.push(format!("{first:?}"));
    replies.push(format!("{:?}", store.accept(batch("2"), NOW).await?));
    answer(store).await?;
    if let Claim::Send(outgoing) = first {
        replies.push(format!("{:?}", store.settle(&outgoing.id, Outcome::Accepted, NOW).await?));
    }
    replies.push(format!("{:?}", claim(store, 2).await?));
    replies.push(format!("{:?}", store.fire(NOW).await?));
    replies.push(format!("{:?}", store.begin(&Lane::new("g"), NOW).await?.is_some()));
    replies.push(format!("{:?}", store.recent_claims(NOW, 9).await?.len()));
    Ok(replies)
}

/// The story with the answer of this number lost: all replies, the final state, and how many answers there were.
async fn tell(cluster: &'static Cluster, lost: i64) -> (Vec<String>, i64) {
    let (folder, left) = (TempDir::new().unwrap(), Arc::new(AtomicI64::new(0)));
    proxy(folder.path(), cluster.socket(), &left);
    let address = format!("postgres://mynah@/bots?host={}", folder.path().display());
    let stores = PostgresStores::new(Settings::new(&address, None, None).unwrap(), "test");
    let name = format!("lost answer {lost}");
    // Makes the connections: a new one has answers of its own.
    let warm = stores.open_store(&format!("warm {lost}")).await.unwrap();
    story(&warm).await.unwrap();
    left.store(lost, Ordering::SeqCst);
    let store = stores.open_store(&name).await.unwrap();
    let mut replies = story(&store).await.unwrap();
    let answers = lost - left.load(Ordering::SeqCst);
    left.store(0, Ordering::SeqCst);
    let reader = stores.reader(&name).await.unwrap().unwrap();
    let mut status = reader.status(NOW).await.unwrap();
    status.troubled.clear();
    replies.push(format!("{status:?}"));
    (replies, answers)
}

#[test]
fn a_message_takes_four_calls_with_pacing_and_three_without() {
    let Some(cluster) = Cluster::shared() else { return };
    let story = async {
        let (folder, left) = (TempDir::new().unwrap(), Arc::new(AtomicI64::new(0)));
        proxy(folder.path(), cluster.socket(), &left);
        let address = format!("postgres://mynah@/bots?host={}", folder.path().display());
        let stores = PostgresStores::new(Settings::new(&address, None, None).unwrap(), "test");
        let store = stores.open_store("round trips").await.unwrap();
        // Beats of the node are answers, too.
        let mut fewest = [i64::MAX; 2];
        for id in 0..6 {
            for (place, is_paced) in [true, false].into_iter().enumerate() {
                left.store(i64::MAX / 2, Ordering::SeqCst);
                message(&store, &format!("{id} {is_paced}"), is_paced).await;
                let answers = i64::MAX / 2 - left.load(Ordering::SeqCst);
                fewest[place] = fewest[place].min(answers);
            }
        }
        assert_eq!(fewest, [4, 3]);
    };
    let in_time = async { timeout(Duration::from_secs(60), story).await };
    runtime().block_on(in_time).expect("it takes too long");
}

/// Accepts a message, answers it, and sends the answer. With pacing the claim comes after a pause, else with the turn.
async fn message(store: &dyn Store, id: &str, is_paced: bool) {
    let accepted = store.accept_and_begin(batch(id), 1, NOW).await.unwrap();
    let (event, _) = accepted.begun.into_iter().next().unwrap();
    let token = ClaimToken(id.bytes().fold(0, |sum, byte| sum * 31 + u64::from(byte)));
    let request = ClaimRequest { chat: "g".into(), token, until: NOW };
    let turn = Arc::new(reply(event));
    let claim = if is_paced {
        store.commit_and_claim(turn, None, NOW).await.unwrap();
        store.claim(&request.chat, token, NOW, NOW).await.unwrap()
    } else {
        match store.commit_and_claim(turn, Some(request), NOW).await.unwrap() {
            Committed::Done { claim: Some(claim), .. } => *claim,
            other => panic!("{other:?}"),
        }
    };
    let Claim::Send(outgoing) = claim else { panic!("{claim:?}") };
    store.settle(&outgoing.id, Outcome::Accepted, NOW).await.unwrap();
}

#[test]
fn no_lost_answer_changes_a_story() {
    let Some(cluster) = Cluster::shared() else { return };
    let all = async {
        let (expected, answers) = tell(cluster, 0).await;
        assert!(answers > 12, "{answers} answers");
        for lost in 1..=answers {
            assert_eq!(tell(cluster, lost).await.0, expected, "answer {lost} is lost");
        }
    };
    let in_time = async { timeout(Duration::from_secs(120), all).await };
    runtime().block_on(in_time).expect("it takes too long");
}

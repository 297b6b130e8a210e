use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::Mutex;

use mynah_core::Timestamp;
use mynah_fetch::FetchSettings;

use super::*;

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n0123456789";

/// Takes every action.
#[derive(Default)]
struct Taken(Mutex<Vec<Outgoing>>);

#[async_trait]
impl Service for Taken {
    fn capabilities(&self) -> Arc<Capabilities> {
        Arc::new(Capabilities::everything("test"))
    }

    fn chats(&self) -> Arc<[Chat]> {
        Arc::new([])
    }

    async fn perform(&self, outgoing: &Outgoing) -> Result<Receipt, SendError> {
        self.0.lock().unwrap().push(outgoing.clone());
        Ok(Receipt::default())
    }

    async fn media(&self, _: &MediaRef, _: u64) -> Result<Bytes, MediaError> {
        Err(MediaError::Unavailable)
    }
}

/// A server with a picture, on 127.0.0.1. It ends with the process of the tests.
fn server() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, mut head) = (stream.unwrap(), [0; 4096]);
            let length = stream.read(&mut head).unwrap();
            let is_picture = head[..length].starts_with(b"GET /cat");
            let status = if is_picture { "200 OK" } else { "404 Not Found" };
            let head =
                format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: 18\r\n\r\n");
            stream.write_all(&[head.as_bytes(), PNG].concat()).unwrap();
        }
    });
    address
}

fn service(private: &[String], data: &Path) -> (FetchingService, Arc<Taken>) {
    let private = private.iter().map(|host| host.parse().unwrap()).collect();
    let client = FetchClient::new(FetchSettings { private, ..FetchSettings::default() });
    let (inner, folder) = (Arc::new(Taken::default()), data.join(FETCHED));
    let permits = Semaphore::new(MOST_AT_ONCE);
    let media = UrlMedia { client, folder, permits };
    (FetchingService { inner: Arc::clone(&inner) as _, media }, inner)
}

fn picture(url: &str) -> Outgoing {
    Outgoing {
        id: ActionId { event: "m1".into(), n: 0 },
        chat: ChatId::new("c"),
        action: Action::Send {
            content: Content::text("a").with(Segment::Image(MediaRef::url(url))),
        },
        queued: Timestamp::from_secs(1),
        attempt: 1,
    }
}

#[tokio::test]
async fn a_service_gets_a_picture_of_the_web_as_a_file() {
    let (folder, server) = (tempfile::tempdir().unwrap(), server());
    let (service, inner) = service(&[server.to_string()], folder.path());
    for _ in 0..2 {
        service.perform(&picture(&format!("http://{server}/cat.png?size=1"))).await.unwrap();
    }
    let taken = inner.0.lock().unwrap();
    let Action::Send { content } = &taken[0].action else { panic!("a message") };
    assert_eq!(content.plain_text(), "a");
    let media = content.0[1].media().unwrap();
    assert_eq!((media.name.as_deref(), media.size), (Some("cat.png"), Some(18)));
    assert_eq!(fs::read(media.source.path().unwrap()).unwrap(), PNG);
    assert_eq!(taken[0], taken[1], "each try sends the same file");
    assert_eq!(fs::read_dir(folder.path().join(FETCHED)).unwrap().count(), 1);
}

#[tokio::test]
async fn a_picture_that_is_not_fetched_is_a_refused_action() {
    let (folder, server) = (tempfile::tempdir().unwrap(), server());
    let (opened, taken) = service(&[server.to_string()], folder.path());
    let (closed, _) = service(&[], folder.path());
    for (service, url, expected) in [
        (&opened, format!("http://{server}/dog.png?k=s3cret"), "status 404"),
        (&closed, format!("http://{server}/cat.png?k=s3cret"), "is not public"),
        (&closed, "http://[::ffff:7f00:1]/?k=s3cret".to_owned(), "is not public"),
        (&closed, "file:///s3cret".to_owned(), "http://"),
        (&closed, "s3cret".to_owned(), "not valid"),
    ] {
        let Err(SendError::Refused { reason }) = service.perform(&picture(&url)).await else {
            panic!("{url} is refused")
        };
        assert!(reason.contains(expected) && !reason.contains("s3cret"), "{reason}");
    }
    assert!(taken.0.lock().unwrap().is_empty());
    assert_eq!(fs::read_dir(folder.path().join(FETCHED)).unwrap().count(), 0, "nothing is left");
}

#[tokio::test]
async fn slow_servers_do_not_take_all_places() {
    let (folder, silent) =
        (tempfile::tempdir().unwrap(), TcpListener::bind("127.0.0.1:0").unwrap());
    let address = silent.local_addr().unwrap();
    let (service, inner) = service(&[address.to_string()], folder.path());
    let service = Arc::new(service);
    let mut waiting = Vec::new();
    for n in 0..MOST_AT_ONCE {
        let (service, outgoing) = (Arc::clone(&service), picture(&format!("http://{address}/{n}")));
        waiting.push(tokio::spawn(async move { service.perform(&outgoing).await }));
    }
    // These connections get no answer.
    for _ in 0..MOST_AT_ONCE {
        let silent = silent.try_clone().unwrap();
        let (accepted, _) = spawn_blocking(move || silent.accept().unwrap()).await.unwrap();
        std::mem::forget(accepted);
    }
    let busy = service.perform(&picture(&format!("http://{address}/late"))).await;
    assert!(matches!(busy, Err(SendError::NotSent { .. })), "{busy:?}");
    let text = Action::Send { content: Content::text("x") };
    service.perform(&Outgoing { action: text, ..picture("") }).await.unwrap();
    assert_eq!(inner.0.lock().unwrap().len(), 1);
    waiting.iter().for_each(tokio::task::JoinHandle::abort);
}

#[test]
fn the_folder_has_a_bound() {
    let folder = tempfile::tempdir().unwrap();
    for n in 0..5 {
        let file = fs::File::create(folder.path().join(n.to_string())).unwrap();
        file.set_len(MOST_BYTES / 4).unwrap();
        let age = Duration::from_secs(if n == 4 { 2 * 24 * 3600 } else { 60 - n });
        file.set_modified(SystemTime::now() - age).unwrap();
    }
    let file = fs::File::create(folder.path().join("last")).unwrap();
    file.set_len(1).unwrap();
    prepare(folder.path()).unwrap();
    let mut left: Vec<_> =
        fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["1", "2", "3", "last"]);
}

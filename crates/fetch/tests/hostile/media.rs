//! Media at addresses of the web.

use std::time::Duration;

use mynah_core::FetchFailure;
use mynah_fetch::{FetchClient, FetchSettings, FetchedMedia, MediaFailure, MediaKind};

use crate::server::{Received, Server, Step, answer, ok, raw, redirect};
use crate::{Names, client_for, within};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n0123456789";

async fn media(
    client: &FetchClient,
    url: &str,
    kind: MediaKind,
) -> Result<(FetchedMedia, Vec<u8>), MediaFailure> {
    let mut bytes = Vec::new();
    let media = within(client.media(url, kind, &mut bytes)).await;
    media.map(|media| (media, bytes))
}

#[tokio::test]
async fn a_picture_is_one_by_its_type_and_its_bytes() {
    let webp = b"RIFF\x10\0\0\0WEBPVP8 ";
    for (kind, content_type, body, expected) in [
        (MediaKind::Image, "image/png", PNG, Some("x.png")),
        (MediaKind::Image, "Image/PNG; charset=binary", PNG, Some("x.png")),
        (MediaKind::Image, "application/octet-stream", PNG, Some("x.png")),
        (MediaKind::Image, "image/jpeg", b"\xff\xd8\xff\xe0 jpeg data", Some("x.jpg")),
        (MediaKind::Image, "image/gif", b"GIF89a 0123456789", Some("x.gif")),
        (MediaKind::Image, "image/webp", webp, Some("x.webp")),
        (MediaKind::Image, "text/html", PNG, None),
        (MediaKind::Image, "image/png", b"<html>0123456789", None),
        (MediaKind::Image, "image/png", b"\x89PN", None),
        (MediaKind::Image, "image/png", b"", None),
        (MediaKind::Image, "image/svg+xml", b"<svg xmlns='...'/>", None),
        (MediaKind::Image, "application/octet-stream", b"MZ 0123456789", None),
        (MediaKind::Video, "video/mp4", b"\0\0\0\x18ftypmp42", Some("x")),
        (MediaKind::Video, "text/plain", b"\0\0\0\x18ftypmp42", None),
        (MediaKind::File, "application/pdf", b"%PDF", Some("x")),
        (MediaKind::File, "text/plain", b"x", Some("x")),
        (MediaKind::File, "text/html; charset=utf-8", b"<html>", None),
        (MediaKind::File, "application/pdf", b"", None),
    ] {
        let headers = format!("connection: close\r\ncontent-type: {content_type}\r\n");
        let server = Server::always(answer(200, &headers, body)).await;
        let found = media(&client_for(&server), &server.url("/x?y.png"), kind).await;
        let name = found.as_ref().ok().map(|(media, bytes)| {
            assert_eq!((bytes.as_slice(), media.size), (body, body.len() as u64));
            media.name.as_str()
        });
        assert_eq!(name, expected, "{kind:?} {content_type} {found:?}");
    }
    let page = answer(200, "content-type: text/html\r\n", "<html>");
    let server = Server::always(page).await;
    media(&client_for(&server), &server.url("/x.html"), MediaKind::File).await.unwrap();
}

#[tokio::test]
async fn media_has_an_end_at_20_mb() {
    let announced = vec![raw("HTTP/1.1 200 OK\r\ncontent-length: 20971521\r\n\r\n"), Step::Hang];
    let head = raw("HTTP/1.1 200 OK\r\ncontent-type: image/png\r\n\r\n");
    let endless = vec![head, raw(PNG), Step::Repeat(vec![0; 0x10000], Duration::ZERO)];
    for steps in [announced, endless] {
        let server = Server::always(steps).await;
        let failed = media(&client_for(&server), &server.url("/x"), MediaKind::Image).await;
        assert!(matches!(failed, Err(MediaFailure::TooLarge)), "{failed:?}");
    }
    let packed = answer(200, "content-encoding: gzip\r\n", PNG);
    let broken = vec![raw("HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n"), raw(PNG)];
    for steps in [packed, broken, answer(404, "", PNG), answer(302, "", PNG), vec![]] {
        let server = Server::always(steps).await;
        let failed = media(&client_for(&server), &server.url("/x"), MediaKind::Image).await;
        assert!(matches!(failed, Err(MediaFailure::Fetch(_))), "{failed:?}");
    }
}

#[tokio::test]
async fn media_is_fetched_from_public_addresses_only() {
    let trap = Server::always(ok(PNG)).await;
    let inside = trap.url("/x.png");
    let named = format!("http://{}/x.png", trap.host("evil.test"));
    let targets =
        [inside.clone(), named.clone(), inside.replace("127.0.0.1", "[::ffff:127.0.0.1]")];
    let to = targets.clone();
    let server = Server::start(move |request: &Received| match request.path() {
        "/loop" => redirect(302, "/loop"),
        "/good" => redirect(302, "/good.png"),
        "/good.png" => ok(PNG),
        path => redirect(302, &to[path[1..].parse::<usize>().unwrap()]),
    })
    .await;
    let private = crate::hosts(&[&server.address.to_string()]);
    let settings = FetchSettings { private, ..FetchSettings::default() };
    let names = Names::new(&[("evil.test", &["127.0.0.1"])]);
    let client = FetchClient::with_resolver(settings, names);
    for (n, target) in targets.iter().enumerate() {
        for url in [target.clone(), server.url(&format!("/{n}"))] {
            let failed = media(&client, &url, MediaKind::Image).await.unwrap_err();
            let refused =
                matches!(failed, MediaFailure::Fetch(FetchFailure::AddressRefused { .. }));
            assert!(refused, "{url} {failed}");
        }
    }
    for url in ["file:///etc/passwd", "http://me@evil.test/", "evil.test", &server.url("/loop")] {
        let failed = media(&client, url, MediaKind::Image).await.unwrap_err();
        assert!(matches!(failed, MediaFailure::Fetch(FetchFailure::Address(_))), "{url} {failed}");
    }
    assert_eq!(trap.connections(), 0);
    let (good, _) = media(&client, &server.url("/good"), MediaKind::Image).await.unwrap();
    assert_eq!(good.name, "good.png");
}

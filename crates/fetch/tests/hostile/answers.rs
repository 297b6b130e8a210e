//! Answers that are slow, endless, broken or not text.

use std::io::Write;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use mynah_core::{Fetch, FetchFailure, FetchRequest, FetchStatus};
use mynah_fetch::LARGEST_ANSWER;

use crate::server::{Server, Step, answer, ok, raw};
use crate::{client_for, get, within};

/// The text of the one answer of a server.
async fn text_of(steps: Vec<Step>) -> Result<String, FetchFailure> {
    within(async {
        let server = Server::always(steps).await;
        let fetched = client_for(&server).fetcher().fetch(&get(server.url("/"))).await;
        fetched.map(|answer| answer.body)
    })
    .await
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn chunked(chunks: &str) -> Vec<Step> {
    vec![raw(format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{chunks}"))]
}

#[tokio::test]
async fn a_good_answer_is_its_text() {
    assert_eq!(text_of(ok("晴")).await.unwrap(), "晴");
    assert_eq!(text_of(ok("")).await.unwrap(), "");
    assert_eq!(text_of(chunked("3\r\nabc\r\n0\r\n\r\n")).await.unwrap(), "abc");
    let whole = "x".repeat(LARGEST_ANSWER);
    assert_eq!(text_of(ok(&whole)).await.unwrap().len(), LARGEST_ANSWER);
}

#[tokio::test]
async fn a_server_that_is_too_slow_is_left_at_the_time_out() {
    let head = "HTTP/1.1 200 OK\r\ncontent-length: 900000\r\n\r\n";
    let drip = Duration::from_millis(5);
    for (case, steps) in [
        ("silent", vec![Step::Hang]),
        ("half a head", vec![raw("HTTP/1.1 200 OK\r\nx: "), Step::Hang]),
        ("a head that drips", vec![raw("HTTP/1.1 200 OK\r\n"), Step::Repeat(b"x".into(), drip)]),
        ("no body", vec![raw(head), Step::Hang]),
        ("a body that drips", vec![raw(head), Step::Repeat(b"x".into(), drip)]),
        ("endless interim answers", vec![Step::Repeat(b"HTTP/1.1 103 X\r\n\r\n".into(), drip)]),
    ] {
        let server = Server::always(steps).await;
        let fetcher = client_for(&server).fetcher();
        let timeout = Duration::from_millis(300);
        let request = FetchRequest { timeout, ..get(server.url("/")) };
        let begun = Instant::now();
        let fetched = within(fetcher.fetch(&request)).await;
        assert_eq!(fetched, Err(FetchFailure::TimedOut), "{case}");
        assert!(begun.elapsed() >= timeout, "{case}");
        // The connection ends with the request, or when the server writes again.
        within(server.until_open(0)).await;
    }
}

#[tokio::test]
async fn the_redirects_have_one_time_out_together() {
    let server = Server::start(|request| match request.path() {
        "/3" => ok("late"),
        path => {
            let n: u32 = path[1..].parse().unwrap();
            let text =
                format!("HTTP/1.1 302 X\r\nlocation: /{}\r\ncontent-length: 0\r\n\r\n", n + 1);
            let drip = |byte: &u8| [Step::Write(vec![*byte]), Step::Wait];
            text.as_bytes().iter().flat_map(drip).collect()
        }
    })
    .await;
    let timeout = Duration::from_millis(300);
    let request = FetchRequest { timeout, ..get(server.url("/0")) };
    let fetcher = client_for(&server).fetcher();
    assert_eq!(within(fetcher.fetch(&request)).await, Err(FetchFailure::TimedOut));
}

#[tokio::test]
async fn an_endless_answer_ends_at_its_bound() {
    let plain = "HTTP/1.1 200 OK\r\n\r\n";
    let announced = "HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n";
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    let text = vec![b'x'; 0x4000];
    let chunk = [b"4000\r\n".as_slice(), &text, b"\r\n"].concat();
    for (head, more) in [(plain, &text), (announced, &text), (chunked, &chunk)] {
        let server =
            Server::always(vec![raw(head), Step::Repeat(more.clone(), Duration::ZERO)]).await;
        let fetched = within(client_for(&server).fetcher().fetch(&get(server.url("/")))).await;
        assert_eq!(fetched, Err(FetchFailure::TooLarge), "{head}");
        within(server.until_open(0)).await;
        // Beyond the bound there are only the buffers of the connection.
        assert!(server.written() < 16 << 20, "{head} {}", server.written());
    }
    let too_large = "x".repeat(LARGEST_ANSWER + 1);
    assert_eq!(text_of(ok(too_large)).await, Err(FetchFailure::TooLarge));
}

#[tokio::test]
async fn a_compressed_bomb_ends_at_its_bound() {
    let zeros = vec![0; 40 << 20];
    let bomb = gzip(&zeros);
    assert!(bomb.len() < LARGEST_ANSWER);
    let twice = gzip(&bomb);
    let mut deflate = ZlibEncoder::new(Vec::new(), Compression::best());
    deflate.write_all(&zeros[..20 << 20]).unwrap();
    for (coding, body) in [
        ("gzip", bomb.clone()),
        ("x-gzip", bomb),
        ("gzip, gzip", twice),
        ("deflate", deflate.finish().unwrap()),
    ] {
        let steps = answer(200, &format!("content-encoding: {coding}\r\n"), body);
        assert_eq!(text_of(steps).await, Err(FetchFailure::TooLarge), "{coding}");
    }
}

#[tokio::test]
async fn compressed_text_is_read() {
    for (coding, body, expected) in [
        ("gzip", gzip("晴".as_bytes()), Some("晴")),
        ("GZIP", gzip("晴".as_bytes()), Some("晴")),
        ("identity", "晴".into(), Some("晴")),
        ("gzip, gzip", gzip(&gzip(b"x")), Some("x")),
        ("gzip, gzip, gzip", gzip(&gzip(&gzip(b"x"))), None),
        ("gzip", gzip("晴".as_bytes())[..15].to_vec(), None),
        ("gzip", b"plain".to_vec(), None),
        ("br", b"plain".to_vec(), None),
        ("\u{e9}", b"plain".to_vec(), None),
    ] {
        let steps = answer(200, &format!("content-encoding: {coding}\r\n"), body);
        let text = text_of(steps).await;
        assert_eq!(text.as_deref().ok(), expected, "{coding} {text:?}");
    }
}

#[tokio::test]
async fn a_broken_answer_is_a_failure() {
    let mut many_headers = String::from("HTTP/1.1 200 OK\r\n");
    (0..20_000).for_each(|n| many_headers.push_str(&format!("x-{n}: y\r\n")));
    let long_header = format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "y".repeat(4 << 20));
    for (case, steps) in [
        ("nothing", vec![]),
        ("no HTTP", vec![raw("SSH-2.0-OpenSSH_9.6\r\n")]),
        ("no status", vec![raw("HTTP/1.1 \r\n\r\n")]),
        ("a short body", vec![raw("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc")]),
        (
            "two lengths",
            vec![raw("HTTP/1.1 200 OK\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\nabcd")],
        ),
        ("a negative length", vec![raw("HTTP/1.1 200 OK\r\ncontent-length: -3\r\n\r\nabc")]),
        ("no chunk size", chunked("zz\r\nabc\r\n")),
        ("a negative chunk size", chunked("-3\r\nabc\r\n0\r\n\r\n")),
        ("a huge chunk size", chunked("ffffffffffffffffff\r\nabc\r\n")),
        ("a short chunk", chunked("9\r\nabc")),
        ("no last chunk", chunked("3\r\nabc\r\n")),
        (
            "a long chunk extension",
            chunked(&format!("3;{}\r\nabc\r\n0\r\n\r\n", "x".repeat(1 << 20))),
        ),
        ("many headers", vec![raw(many_headers + "\r\n")]),
        ("a long header", vec![raw(long_header)]),
    ] {
        let text = text_of(steps).await;
        assert!(
            matches!(text, Err(FetchFailure::Connection(_) | FetchFailure::Damaged(_))),
            "{case}: {text:?}"
        );
    }
}

#[tokio::test]
async fn text_is_decoded_as_the_answer_says() {
    for (kind, body, expected) in [
        ("text/html; charset=gbk", &b"\xcc\xec\xc6\xf8"[..], Some("天气")),
        ("text/html;charset=\"GB2312\"", b"\xcc\xec\xc6\xf8", Some("天气")),
        ("text/plain; a=b; Charset=gb18030", b"\xcc\xec", Some("天")),
        ("text/plain; charset=big5", b"\xa4\xd1\xae\xf0", Some("天氣")),
        ("application/json", "\"晴\"".as_bytes(), Some("\"晴\"")),
        ("text/plain; charset=utf-8", b"\xef\xbb\xbfx", Some("x")),
        ("text/plain", b"\xff\xfex\0", Some("x")),
        ("text/plain; charset=", b"x", Some("x")),
        ("text/plain; charset=no-such", b"x", None),
        ("text/plain", b"\xcc\xec\xc6\xf8", None),
        ("text/plain; charset=utf-8", b"\xff", None),
        ("text/plain; charset=gbk", b"\xff\xff", None),
        ("image/png", b"\x89PNG\r\n\x1a\n", None),
    ] {
        let text = text_of(answer(200, &format!("content-type: {kind}\r\n"), body)).await;
        match expected {
            Some(expected) => assert_eq!(text.as_deref(), Ok(expected), "{kind}"),
            None => assert_eq!(text, Err(FetchFailure::NotText), "{kind}"),
        }
    }
    // A character of two bytes becomes three.
    let body = b"\xcc\xec".repeat(LARGEST_ANSWER / 2);
    let text = text_of(answer(200, "content-type: text/plain; charset=gbk\r\n", body)).await;
    assert_eq!(text, Err(FetchFailure::TooLarge));
}

#[tokio::test]
async fn only_the_statuses_of_the_rule_are_answers() {
    let expected = |first, last| vec![FetchStatus { first, last }];
    for (status, accepted, is_good) in [
        (200, vec![], true),
        (204, vec![], true),
        (299, vec![], true),
        (304, vec![], false),
        (302, vec![], false),
        (404, vec![], false),
        (500, vec![], false),
        (404, expected(404, 404), true),
        (200, expected(404, 404), false),
        (302, expected(302, 302), true),
        (503, expected(500, 599), true),
    ] {
        let server = Server::always(answer(status, "", "")).await;
        let request = FetchRequest { status: accepted, ..get(server.url("/")) };
        let fetched = within(client_for(&server).fetcher().fetch(&request)).await;
        match is_good {
            true => assert_eq!(fetched.unwrap().status, status),
            false => assert_eq!(fetched, Err(FetchFailure::Status(status))),
        }
    }
}

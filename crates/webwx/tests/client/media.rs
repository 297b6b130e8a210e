use std::io::{Seek as _, SeekFrom, Write as _};
use std::sync::Arc;

use bytes::Bytes;
use mynah_webwx::{
    AvatarWanted, Client, ClientMsgId, Content, DownloadError, FileWanted, ImageSize, OutgoingFile,
    OutgoingMedia, OutgoingSticker, Progress, Sticker, Upload, UploadError, UploadKind, Uploaded,
};

use crate::responder::{Asked, Reply, Responder, ok, status};
use crate::{logged_in, well};

const MIB: usize = 1024 * 1024;

fn upload(name: &str, kind: UploadKind, content: Content) -> Upload {
    Upload { to: "@alice".to_owned(), name: name.to_owned(), kind, content }
}

fn memory(length: usize) -> Content {
    Content::Bytes(Bytes::from(vec![7; length]))
}

fn taking_uploads(asked: &Asked) -> Reply {
    match asked.call() {
        "webwxuploadmedia" => ok(include_bytes!("../../fixtures/uploaded.json")),
        "webwxcheckupload" => {
            ok(r#"{"BaseResponse":{"Ret":0},"MediaId":"","AESKey":"aes","Signature":"sig"}"#)
        }
        _ => well(asked),
    }
}

async fn uploaded(
    client: &Client,
    upload: &Upload,
) -> Result<(Uploaded, Vec<Progress>), UploadError> {
    let mut seen = Vec::new();
    let uploaded = client.upload(upload, &mut |progress| seen.push(progress)).await?;
    Ok((uploaded, seen))
}

/// The text fields of a form, in order.
fn fields(asked: &Asked) -> Vec<(String, String)> {
    let body = String::from_utf8_lossy(&asked.body).into_owned();
    let boundary =
        asked.header("content-type").unwrap().split_once("boundary=").unwrap().1.to_owned();
    body.split(&format!("--{boundary}"))
        .filter_map(|part| part.split_once("name=\"")?.1.split_once("\"\r\n\r\n"))
        .map(|(name, value)| (name.to_owned(), value.trim_end_matches("\r\n").to_owned()))
        .collect()
}

fn field(asked: &Asked, name: &str) -> Option<String> {
    fields(asked).into_iter().find(|(key, _)| key == name).map(|(_, value)| value)
}

#[tokio::test]
async fn a_small_picture_goes_in_one_piece() {
    let server = Responder::start(taking_uploads).await;
    let client = logged_in(&server).await;
    let content = Content::Bytes(Bytes::from_static(b"\x89PNG\0\r\n--x"));
    let (picture, progress) =
        uploaded(&client, &upload("图 1.png", UploadKind::Picture, content)).await.unwrap();
    assert_eq!((picture.media_id.as_str(), picture.size), ("@crypt_0123456789abcdef", 10));
    assert_eq!(progress, [Progress { done: 10, total: 10 }]);
    let asked = server.asked().pop().unwrap();
    let names: Vec<_> = fields(&asked).into_iter().map(|(name, _)| name).collect();
    assert_eq!(
        names,
        [
            "id",
            "name",
            "type",
            "lastModifiedDate",
            "size",
            "mediatype",
            "uploadmediarequest",
            "webwx_data_ticket",
            "pass_ticket"
        ]
    );
    let body = String::from_utf8_lossy(&asked.body).into_owned();
    assert!(body.contains("name=\"filename\"; filename=\"图 1.png\"\r\nContent-Type: image/png\r\n\r\n\u{fffd}PNG\0\r\n--x\r\n"));
    assert_eq!(field(&asked, "webwx_data_ticket").unwrap(), "ticketticket");
    assert_eq!(field(&asked, "pass_ticket").unwrap(), "pass/ticket=");
    assert_eq!(field(&asked, "mediatype").unwrap(), "pic");
    let request: serde_json::Value =
        serde_json::from_str(&field(&asked, "uploadmediarequest").unwrap()).unwrap();
    assert_eq!(request["TotalLen"], 10);
    assert_eq!(request["MediaType"], 4);
    assert_eq!(request["UploadType"], 2);
    assert_eq!(request["FileMd5"], "32142a67c14144764b528c1471aee3ec");
    assert_eq!(request["ToUserName"], "@alice");
    assert_eq!(request.get("AESKey"), None);
}

#[tokio::test]
async fn a_larger_file_goes_in_chunks_in_order() {
    let server = Responder::start(taking_uploads).await;
    let client = logged_in(&server).await;
    let length = 512 * 1024 * 2 + 3;
    let mut file = tempfile();
    file.1.write_all(&vec![1; length]).unwrap();
    let content = Content::File(Arc::new(std::fs::File::open(&file.0).unwrap()));
    let (_, progress) =
        uploaded(&client, &upload("a.mp4", UploadKind::Video, content)).await.unwrap();
    std::fs::remove_file(&file.0).unwrap();
    let done: Vec<_> = progress.iter().map(|progress| progress.done).collect();
    assert_eq!(done, [524_288, 1_048_576, 1_048_579]);
    let asked: Vec<_> =
        server.asked().into_iter().filter(|asked| asked.call() == "webwxuploadmedia").collect();
    let chunks: Vec<_> = asked
        .iter()
        .map(|asked| (field(asked, "chunks").unwrap(), field(asked, "chunk").unwrap()))
        .collect();
    assert_eq!(
        chunks,
        [("3", "0"), ("3", "1"), ("3", "2")].map(|(all, n)| (all.to_owned(), n.to_owned()))
    );
    let requests: std::collections::BTreeSet<_> =
        asked.iter().map(|asked| field(asked, "uploadmediarequest").unwrap()).collect();
    assert_eq!(requests.len(), 1, "the same in every chunk");
    assert_eq!(field(&asked[0], "mediatype").unwrap(), "video");
}

fn tempfile() -> (std::path::PathBuf, std::fs::File) {
    let name = format!("mynah-webwx-{}-{}", std::process::id(), ClientMsgId::fresh());
    let path = std::env::temp_dir().join(name);
    let file = std::fs::File::create(&path).unwrap();
    (path, file)
}

#[tokio::test]
async fn a_large_file_is_checked_first_and_signed_when_sent() {
    let server = Responder::start(taking_uploads).await;
    let client = logged_in(&server).await;
    let (file, _) =
        uploaded(&client, &upload("a.zip", UploadKind::File, memory(25 * MIB + 1))).await.unwrap();
    let sending = OutgoingFile {
        to: "@alice".to_owned(),
        name: "a&b.zip".to_owned(),
        file,
        id: ClientMsgId::fresh(),
    };
    client.send_file(&sending).await.unwrap();
    let asked = server.asked();
    let check = asked.iter().find(|asked| asked.call() == "webwxcheckupload").unwrap().json();
    assert_eq!(
        (check["FileSize"].clone(), check["FileType"].clone()),
        ((25 * MIB + 1).into(), 7.into())
    );
    let chunk = asked.iter().find(|asked| asked.call() == "webwxuploadmedia").unwrap();
    assert!(
        field(chunk, "uploadmediarequest").unwrap().contains(r#""AESKey":"aes","Signature":"sig""#)
    );
    let sent = asked.last().unwrap();
    assert_eq!(
        (sent.call(), sent.field("fun"), sent.field("f")),
        ("webwxsendappmsg", Some("async"), Some("json"))
    );
    let msg = &sent.json()["Msg"];
    assert_eq!((msg["Type"].clone(), msg["Signature"].clone()), (6.into(), "sig".into()));
    assert!(msg["Content"].as_str().unwrap().contains("<title>a&amp;b.zip</title>"));
}

#[tokio::test]
async fn a_file_that_the_service_has_is_not_sent_again() {
    let server = Responder::start(|asked| match asked.call() {
        "webwxcheckupload" => {
            ok(r#"{"BaseResponse":{"Ret":0},"MediaId":"@there","Signature":"sig"}"#)
        }
        _ => well(asked),
    })
    .await;
    let client = logged_in(&server).await;
    let (file, _) =
        uploaded(&client, &upload("a.zip", UploadKind::File, memory(26 * MIB))).await.unwrap();
    assert_eq!(file.media_id, "@there");
    assert_eq!(server.asked().last().unwrap().call(), "webwxcheckupload");
}

#[tokio::test]
async fn files_that_the_service_refuses_are_not_sent() {
    let server = Responder::start(taking_uploads).await;
    let client = logged_in(&server).await;
    let calls = server.asked().len();
    let empty = upload("a.png", UploadKind::Picture, memory(0));
    assert!(matches!(uploaded(&client, &empty).await, Err(UploadError::Empty)));
    let large = upload("a.png", UploadKind::Picture, memory(20 * MIB + 1));
    assert!(matches!(
        uploaded(&client, &large).await,
        Err(UploadError::TooLarge { limit: 20_971_520, .. })
    ));
    assert_eq!(server.asked().len(), calls);
}

/// What an upload of three chunks comes to, if this happens to the file when the first chunk is with the service.
async fn changed_meanwhile(
    change: impl Fn(&std::fs::File) + Send + Sync,
) -> Result<(), UploadError> {
    let server = Responder::start(taking_uploads).await;
    let client = logged_in(&server).await;
    let (path, mut file) = tempfile();
    file.write_all(&vec![1; 512 * 1024 * 2 + 3]).unwrap();
    let content = Content::File(Arc::new(std::fs::File::open(&path).unwrap()));
    std::fs::remove_file(&path).unwrap();
    let mut calls = 0;
    let mut progress = |_| {
        calls += 1;
        if calls == 1 {
            change(&file);
        }
    };
    let upload = upload("a.mp4", UploadKind::Video, content);
    client.upload(&upload, &mut progress).await.map(drop)
}

#[tokio::test]
async fn a_file_that_changes_while_it_is_uploaded_is_not_sent_as_a_mixture() {
    let grows = |mut file: &std::fs::File| file.write_all(b"more").unwrap();
    let shrinks = |file: &std::fs::File| file.set_len(512 * 1024).unwrap();
    let is_rewritten = |mut file: &std::fs::File| {
        file.seek(SeekFrom::Start(512 * 1024)).unwrap();
        file.write_all(b"other").unwrap();
    };
    assert!(matches!(changed_meanwhile(grows).await, Err(UploadError::Changed)));
    assert!(matches!(changed_meanwhile(shrinks).await, Err(UploadError::Changed)));
    assert!(matches!(changed_meanwhile(is_rewritten).await, Err(UploadError::Changed)));
    changed_meanwhile(|_| {}).await.unwrap();
}

#[tokio::test]
async fn an_upload_without_a_media_id_is_an_error() {
    let server = Responder::start(well).await;
    let client = logged_in(&server).await;
    let error =
        uploaded(&client, &upload("a.png", UploadKind::Picture, memory(1))).await.unwrap_err();
    assert!(matches!(error, UploadError::NoMedia), "{error}");
}

#[tokio::test]
async fn pictures_videos_and_stickers_have_their_own_calls() {
    let server = Responder::start(well).await;
    let client = logged_in(&server).await;
    let media = OutgoingMedia {
        to: "@alice".to_owned(),
        media_id: "@m".to_owned(),
        id: ClientMsgId::new(1, 2),
    };
    client.send_image(&media).await.unwrap();
    client.send_video(&media).await.unwrap();
    for sticker in [Sticker::Uploaded("@m".to_owned()), Sticker::Known("abc".to_owned())] {
        let sticker =
            OutgoingSticker { to: "@alice".to_owned(), sticker, id: ClientMsgId::new(1, 3) };
        client.send_sticker(&sticker).await.unwrap();
    }
    let asked = server.asked();
    let sent: Vec<_> = asked[asked.len() - 4..]
        .iter()
        .map(|asked| (asked.call(), asked.json()["Msg"].clone()))
        .collect();
    assert_eq!(
        (sent[0].0, &sent[0].1["Type"], &sent[0].1["MediaId"]),
        ("webwxsendmsgimg", &3.into(), &"@m".into())
    );
    assert_eq!((sent[1].0, &sent[1].1["Type"]), ("webwxsendvideomsg", &43.into()));
    assert_eq!(
        (sent[2].0, &sent[2].1["EmojiFlag"], &sent[2].1["MediaId"]),
        ("webwxsendemoticon", &2.into(), &"@m".into())
    );
    assert_eq!((&sent[3].1["Type"], &sent[3].1["EMoticonMd5"]), (&47.into(), &"abc".into()));
    assert_eq!(sent[3].1.get("MediaId"), None);
    assert_eq!(sent[0].1["LocalID"], sent[0].1["ClientMsgId"]);
}

#[tokio::test]
async fn media_are_fetched_as_the_genuine_client_does() {
    let server = Responder::start(|asked| match asked.method.as_str() {
        "GET" if asked.call().starts_with("webwxget") => ok("bytes"),
        _ => well(asked),
    })
    .await;
    let client = logged_in(&server).await;
    client.image("12", ImageSize::Thumbnail, 100).await.unwrap();
    client.voice("12", 100).await.unwrap();
    client.video("12", 100).await.unwrap();
    let file = FileWanted {
        sender: "@alice".to_owned(),
        media_id: "@m".to_owned(),
        name: "Data%2Ejpg".to_owned(),
    };
    client.file(&file, 100).await.unwrap();
    let avatar =
        |name: &str| AvatarWanted { user_name: name.to_owned(), ..AvatarWanted::default() };
    client.avatar(&avatar("@alice"), 100).await.unwrap();
    client.avatar(&avatar("@@group"), 100).await.unwrap();
    client.avatar_at("/cgi-bin/mmwebwx-bin/webwxgeticon?seq=1&username=@a", 100).await.unwrap();
    let asked = server.asked();
    let [image, voice, video, file, icon, head, at] = &asked[4..] else { panic!("{asked:?}") };
    assert_eq!((image.field("MsgID"), image.field("type")), (Some("12"), Some("slave")));
    assert!(image.field("skey").unwrap().starts_with("%40crypt_"));
    assert_eq!(voice.header("range"), Some("bytes=0-"));
    assert_eq!((video.call(), video.header("range")), ("webwxgetvideo", Some("bytes=0-")));
    assert_eq!(file.field("encryfilename"), Some("Data%252Ejpg"));
    assert_eq!(
        (file.field("fromuser"), file.field("webwx_data_ticket")),
        (Some("3000000001"), Some("ticketticket"))
    );
    assert_eq!((icon.call(), head.call()), ("webwxgeticon", "webwxgetheadimg"));
    assert_eq!(at.field("seq"), Some("1"));
}

#[tokio::test]
async fn a_video_in_portions_is_put_together() {
    let server = Responder::start(|asked| {
        let Some(range) = asked.header("range") else { return well(asked) };
        let start: usize =
            range.trim_start_matches("bytes=").trim_end_matches('-').parse().unwrap();
        let body = b"0123456789"[start..(start + 4).min(10)].to_vec();
        let range = format!("bytes {start}-{}/10", start + body.len() - 1);
        Reply::Whole { status: 206, headers: vec![("Content-Range", range)], body }
    })
    .await;
    let client = logged_in(&server).await;
    assert_eq!(client.video("1", 10).await.unwrap(), "0123456789");
    assert!(matches!(client.video("1", 9).await, Err(DownloadError::TooLarge { limit: 9 })));
}

#[tokio::test]
async fn failed_downloads_report_the_reason() {
    for (reply, expected) in [
        (status(404, "no"), "the service does not have the media, or no longer"),
        (status(416, ""), "the service does not have the media, or no longer"),
        (ok(""), "the service does not have the media, or no longer"),
        (ok(vec![0; 101]), "the media are larger than 100 bytes"),
        (Reply::Endless, "the media are larger than 100 bytes"),
        (
            ok(r#"{"BaseResponse":{"Ret":1101}}"#),
            "webwxgetmsgimg: refused with 1101 (session replaced by another login or ended by the service)",
        ),
        (status(500, ""), "webwxgetmsgimg: HTTP status 500: "),
        (Reply::Cut(b"12".to_vec()), "the media are larger than 100 bytes"),
        (Reply::Close, "webwxgetmsgimg: the connection broke before the answer was complete"),
    ] {
        let server = Responder::start(move |asked| match asked.call() {
            "webwxgetmsgimg" => reply.clone(),
            _ => well(asked),
        })
        .await;
        let error = logged_in(&server).await.image("1", ImageSize::Full, 100).await.unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
}

#[tokio::test]
async fn a_contact_cannot_send_the_cookies_elsewhere() {
    let server = Responder::start(well).await;
    let client = logged_in(&server).await;
    for address in ["http://evil.example/x", "//evil.example/x", "@evil.example/x", ""] {
        assert!(client.avatar_at(address, 100).await.is_err(), "{address}");
    }
    assert_eq!(server.asked().len(), 4);
}

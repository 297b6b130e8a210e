//! Uploads and downloads.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::{
    client::{Answer, Client, request},
    quick, story,
};

/// One chunk of a file, in the form of a browser.
struct Upload<'a> {
    name: &'a str,
    bytes: &'a [u8],
    chunk: Option<(usize, usize)>,
    size: usize,
    md5: Option<&'a str>,
    ticket: &'a str,
}

async fn upload(client: &Client, file: &Upload<'_>) -> Value {
    let base = client.body(json!({}))["BaseRequest"].clone();
    let mut wanted = json!({ "UploadType": 2, "BaseRequest": base, "ClientMediaId": 5, "TotalLen": file.size,
        "StartPos": 0, "DataLen": file.size, "MediaType": 4, "ToUserName": "filehelper" });
    if let Some(md5) = file.md5 {
        wanted["FileMd5"] = json!(md5);
    }
    let mut fields = vec![
        ("id", "WU_FILE_0".to_owned()),
        ("name", file.name.to_owned()),
        ("size", file.size.to_string()),
        ("mediatype", "pic".to_owned()),
        ("uploadmediarequest", wanted.to_string()),
        ("webwx_data_ticket", file.ticket.to_owned()),
    ];
    if let Some((chunk, chunks)) = file.chunk {
        fields.extend([("chunks", chunks.to_string()), ("chunk", chunk.to_string())]);
    }
    let mut form = Vec::new();
    for (name, value) in fields {
        let head =
            format!("--B\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
        form.extend(head.as_bytes());
    }
    let head = format!(
        "--B\r\nContent-Disposition: form-data; name=\"filename\"; filename=\"{}\"\r\n\r\n",
        file.name
    );
    form.extend([head.as_bytes(), file.bytes, b"\r\n--B--\r\n"].concat());
    let headers = [("Content-Type", "multipart/form-data; boundary=B")];
    // Without cookies, like wxpy.
    let path = "POST /cgi-bin/mmwebwx-bin/webwxuploadmedia?f=json";
    request(&client.address, path, &headers, &form).await.expect("an answer").json()
}

fn whole<'a>(client: &'a Client, name: &'a str, bytes: &'a [u8]) -> Upload<'a> {
    let ticket = &client.cookies["webwx_data_ticket"];
    Upload { name, bytes, chunk: None, size: bytes.len(), md5: None, ticket }
}

async fn send_media(client: &Client, call: &str, message: Value) -> Value {
    let mut message = message;
    message["ToUserName"] = json!("filehelper");
    message["ClientMsgId"] = json!(call);
    client.post(call, &client.body(json!({ "Msg": message, "Scene": 0 }))).await
}

#[tokio::test]
async fn a_picture_is_uploaded_sent_and_seen() {
    story(quick(), async |sandbox| {
        let client = Client::online(&sandbox).await;
        let bytes = b"\x89PNG\r\n--Bytes\r\n not --B quite";
        let answer = upload(&client, &whole(&client, "图 片.png", bytes)).await;
        assert_eq!(answer["BaseResponse"]["Ret"], 0);
        assert_eq!(answer["StartPos"], bytes.len());
        let id = answer["MediaId"].as_str().expect("an id");
        assert!(id.starts_with("@crypt_") && id.len() > 170, "{id}");
        let sent = send_media(
            &client,
            "webwxsendmsgimg?fun=async&f=json",
            json!({ "Type": 3, "MediaId": id }),
        )
        .await;
        assert_eq!(sent["BaseResponse"]["Ret"], 0);
        assert_eq!(sandbox.sent()[0].kind, "image");
        let path = format!("/sandbox/media/{}", sent["MsgID"].as_str().expect("an id"));
        assert_eq!(client.get(&path).await.body, bytes);
    })
    .await;
}

#[tokio::test]
async fn files_come_in_chunks_and_are_sent_under_their_name() {
    story(quick(), async |sandbox| {
        let client = Client::online(&sandbox).await;
        let ticket = client.cookies["webwx_data_ticket"].clone();
        let parts: [&[u8]; 3] = [b"aaaa", b"bbbb", b"cc"];
        let mut id = Value::Null;
        for (index, bytes) in parts.into_iter().enumerate() {
            let chunk = Upload { name: "报表.pdf", bytes, chunk: Some((index, 3)), size: 10, md5: None, ticket: &ticket };
            let answer = upload(&client, &chunk).await;
            assert_eq!(answer["BaseResponse"]["Ret"], 0);
            assert_eq!(answer["MediaId"].as_str().expect("a text").is_empty(), index < 2);
            id = answer["MediaId"].clone();
        }
        let id = id.as_str().expect("an id");
        let content = format!(
            "<appmsg appid='wxeb7ec651dd0aefa9' sdkver=''><title>报表.pdf</title><type>6</type><appattach>\
             <totallen>10</totallen><attachid>{id}</attachid><fileext>pdf</fileext></appattach></appmsg>"
        );
        let sent = send_media(&client, "webwxsendappmsg?fun=async&f=json", json!({ "Type": 6, "Content": content })).await;
        assert_eq!(sent["BaseResponse"]["Ret"], 0);
        assert_eq!((sandbox.sent()[0].kind.as_str(), sandbox.sent()[0].text.as_str()), ("file", "报表.pdf"));
    })
    .await;
}

#[tokio::test]
async fn videos_and_stickers() {
    story(quick(), async |sandbox| {
        let client = Client::online(&sandbox).await;
        let id = upload(&client, &whole(&client, "a.gif", b"GIF89a...")).await["MediaId"].clone();
        for (call, message) in [
            ("webwxsendvideomsg?fun=async", json!({ "Type": 43, "MediaId": id })),
            ("webwxsendemoticon?fun=sys", json!({ "Type": 47, "EmojiFlag": 2, "MediaId": id })),
            ("webwxsendemoticon?fun=sys&f=json", json!({ "Type": 47, "EMoticonMd5": "0123" })),
        ] {
            assert_eq!(
                send_media(&client, call, message).await["BaseResponse"]["Ret"],
                0,
                "{call}"
            );
        }
        let kinds: Vec<_> = sandbox.sent().into_iter().map(|sent| sent.kind).collect();
        assert_eq!(kinds, ["video", "emoji", "emoji"]);
        let unknown =
            send_media(&client, "webwxsendmsgimg", json!({ "Type": 3, "MediaId": "@crypt_x" }))
                .await;
        assert_eq!(unknown["BaseResponse"]["Ret"], 1);
    })
    .await;
}

#[tokio::test]
async fn uploads_need_the_session_and_a_ticket() {
    story(quick(), async |sandbox| {
        let client = Client::online(&sandbox).await;
        let good = whole(&client, "a.txt", b"abc");
        let cases = [
            (Upload { ticket: "wrong", ..good }, 1),
            (Upload { size: 4, ..whole(&client, "a.txt", b"abc") }, 1),
            (Upload { md5: Some("00"), ..whole(&client, "a.txt", b"abc") }, 1),
            (
                Upload {
                    md5: Some("900150983CD24FB0D6963F7D28E17F72"),
                    ..whole(&client, "a.txt", b"abc")
                },
                0,
            ),
            (whole(&client, "empty", b""), 1),
        ];
        for (upload_, ret) in cases {
            let answer = upload(&client, &upload_).await;
            assert_eq!(answer["BaseResponse"]["Ret"], ret, "{} {:?}", upload_.ticket, upload_.md5);
        }
        sandbox.end_session(1101);
        assert_eq!(
            upload(&client, &whole(&client, "a.txt", b"abc")).await["BaseResponse"]["Ret"],
            1100
        );
        let head = "OPTIONS /cgi-bin/mmwebwx-bin/webwxuploadmedia?f=json";
        let preflight = request(&client.address, head, &[], b"").await.expect("an answer");
        assert_eq!(preflight.json()["MediaId"], "");
    })
    .await;
}

#[tokio::test]
async fn large_files_are_checked_before_the_upload() {
    story(quick(), async |sandbox| {
        let client = Client::online(&sandbox).await;
        let ask = |md5: &str| {
            client
                .body(json!({ "FileMd5": md5, "FileName": "a.bin", "FileSize": 3, "FileType": 7 }))
        };
        let md5 = "900150983cd24fb0d6963f7d28e17f72";
        let before = client.post("webwxcheckupload", &ask(md5)).await;
        assert_eq!(before["MediaId"], "");
        assert!(
            before["Signature"].as_str().is_some_and(|it| !it.is_empty())
                && before["AESKey"].is_string()
        );
        let id = upload(&client, &whole(&client, "a.bin", b"abc")).await["MediaId"].clone();
        assert_eq!(client.post("webwxcheckupload", &ask(md5)).await["MediaId"], id);
    })
    .await;
}

/// Performs an action and returns the client's copy of the message.
async fn received(client: &mut Client, act: Value) -> Value {
    assert_eq!(client.control("acts", &act).await["ok"], true, "{act}");
    client.messages().await.pop().expect("a message")
}

async fn download(client: &Client, path: &str, range: Option<&str>) -> Answer {
    let cookies: Vec<_> =
        client.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let cookies = cookies.join("; ");
    let mut headers = vec![("Cookie", cookies.as_str())];
    headers.extend(range.map(|range| ("Range", range)));
    let head = format!("GET /cgi-bin/mmwebwx-bin/{path}");
    request(&client.address, &head, &headers, b"").await.expect("an answer")
}

#[tokio::test]
async fn received_media_can_be_fetched() {
    story(quick(), async |sandbox| {
        let mut client = Client::online(&sandbox).await;
        let data = STANDARD.encode(b"some bytes");
        let picture =
            received(&mut client, json!({ "act": "picture", "from": "小红", "data": data })).await;
        assert_eq!(picture["MsgType"], 3);
        let id = picture["MsgId"].as_str().expect("an id").to_owned();
        for path in [
            format!("webwxgetmsgimg?MsgID={id}&skey="),
            format!("webwxgetmsgimg?msgid={id}&type=slave"),
        ] {
            assert_eq!(download(&client, &path, None).await.body, b"some bytes");
        }
        let voice =
            received(&mut client, json!({ "act": "voice", "from": "小红", "seconds": 1.5 })).await;
        assert_eq!((&voice["MsgType"], &voice["VoiceLength"]), (&json!(34), &json!(1500)));
        let path = format!("webwxgetvoice?msgid={}", voice["MsgId"].as_str().expect("an id"));
        assert_eq!(download(&client, &path, None).await.header("content-type"), Some("audio/mpeg"));
        assert!(
            download(&client, &format!("webwxgetvoice?msgid={id}"), None).await.body.is_empty(),
            "no voice"
        );
    })
    .await;
}

#[tokio::test]
async fn videos_are_fetched_by_range() {
    story(quick(), async |sandbox| {
        let mut client = Client::online(&sandbox).await;
        let video = received(
            &mut client,
            json!({ "act": "video", "from": "小红", "data": STANDARD.encode("0123456789") }),
        )
        .await;
        let path = format!("webwxgetvideo?msgid={}", video["MsgId"].as_str().expect("an id"));
        assert!(download(&client, &path, None).await.body.is_empty());
        let all = download(&client, &path, Some("bytes=0-")).await;
        assert_eq!((all.status, all.header("content-range")), (206, Some("bytes 0-9/10")));
        assert_eq!(download(&client, &path, Some("bytes=2-4")).await.body, b"234");
    })
    .await;
}

#[tokio::test]
async fn files_need_the_data_ticket() {
    story(quick(), async |sandbox| {
        let mut client = Client::online(&sandbox).await;
        let act = json!({ "act": "file", "from": "小红", "name": "价目 表.txt", "data": STANDARD.encode("苹果") });
        let file = received(&mut client, act).await;
        assert_eq!((&file["MsgType"], &file["AppMsgType"]), (&json!(49), &json!(6)));
        assert_eq!((&file["FileName"], &file["FileSize"]), (&json!("价目 表.txt"), &json!("6")));
        let query = format!("webwxgetmedia?sender=x&mediaid={}&filename=a&fromuser=1&pass_ticket=undefined",
            file["MediaId"].as_str().expect("an id"));
        let ticket = client.cookies.remove("webwx_data_ticket").expect("a ticket");
        assert!(download(&client, &query, None).await.body.is_empty());
        let with = format!("{query}&webwx_data_ticket={}", ticket.replace('+', "%2B").replace('=', "%3D"));
        assert_eq!(download(&client, &with, None).await.body, "苹果".as_bytes());
    })
    .await;
}

#[tokio::test]
async fn every_contact_has_a_picture() {
    story(quick(), async |sandbox| {
        let client = Client::online(&sandbox).await;
        let (friend, group) = (client.name_of("小红").await, client.name_of("水果店客户群").await);
        let one =
            download(&client, &format!("webwxgeticon?seq=0&username={friend}&skey=x"), None).await;
        let two =
            download(&client, &format!("webwxgetheadimg?userName={group}&type=big"), None).await;
        assert!(
            one.body.starts_with(b"\x89PNG")
                && two.body.starts_with(b"\x89PNG")
                && one.body != two.body
        );
        assert!(download(&client, "webwxgeticon?username=@0", None).await.body.is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_picture_is_forwarded_by_its_xml() {
    story(quick(), async |sandbox| {
        let mut client = Client::online(&sandbox).await;
        let data = STANDARD.encode(b"some bytes");
        let act = json!({ "act": "picture", "from": "小红", "data": data });
        let picture = received(&mut client, act).await;
        let xml = picture["Content"].as_str().expect("XML");
        let xml = xml.replace("<br/>", "\n").replace("&lt;", "<").replace("&gt;", ">");
        let xml = xml.replace("&quot;", "\"");
        let to = client.name_of("水果店客户群").await;
        for (content, ret) in [(xml.as_str(), 0), ("<msg><img md5=\"0\"/></msg>", 1), ("", 1)] {
            let message = json!({ "Type": 3, "MediaId": "", "Content": content, "ToUserName": to, "LocalID": content });
            let answer = send_media(&client, "webwxsendmsgimg", message).await;
            assert_eq!(answer["BaseResponse"]["Ret"], ret, "{content}");
        }
        let sent = sandbox.sent();
        assert_eq!((sent.len(), sent[0].kind.as_str()), (1, "image"));
    })
    .await;
}

#[tokio::test]
async fn a_ticket_cut_out_of_a_whole_cookie_is_the_ticket() {
    story(quick(), async |sandbox| {
        let mut client = Client::online(&sandbox).await;
        let file = received(&mut client, json!({ "act": "file", "from": "小红" })).await;
        let ticket = client.cookies["webwx_data_ticket"].clone();
        assert!(!ticket.contains('='), "{ticket}");
        let id = file["MediaId"].as_str().expect("an id");
        for (given, found) in [(format!("{ticket};%20Path"), true), (ticket[1..].to_owned(), false)]
        {
            let path = format!("webwxgetmedia?mediaid={id}&webwx_data_ticket={given}");
            assert_eq!(!download(&client, &path, None).await.body.is_empty(), found, "{given}");
        }
    })
    .await;
}

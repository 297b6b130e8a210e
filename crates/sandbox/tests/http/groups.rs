//! Contacts, members, and operations on groups and friends.

use mynah_sandbox::{Options, World};
use serde_json::{Value, json};

use super::{client::Client, quick, story};

async fn batch(client: &Client, names: &[&str]) -> Value {
    let list: Vec<_> =
        names.iter().map(|name| json!({ "UserName": name, "EncryChatRoomId": "" })).collect();
    let body = client.body(json!({ "Count": list.len(), "List": list }));
    client.post("webwxbatchgetcontact?type=ex", &body).await
}

fn names_of(list: &Value) -> Vec<&str> {
    list.as_array().expect("a list").iter().filter_map(|it| it["NickName"].as_str()).collect()
}

#[tokio::test]
async fn the_address_book_has_friends_officials_self_and_saved_groups() {
    story(quick(), async |sandbox| {
        let client = Client::online(&sandbox).await;
        let book = client.get("/cgi-bin/mmwebwx-bin/webwxgetcontact?seq=0").await.json();
        let names = names_of(&book["MemberList"]);
        for name in
            ["小助手", "小红", "水果日报", "文件传输助手", "水果店客户群", "李雷 &amp; 韩梅梅"]
        {
            assert!(names.contains(&name), "{name} in {names:?}");
        }
        assert!(
            !names.contains(&"周末爬山") && !names.contains(&"阿杰"),
            "not saved, not a friend"
        );
        assert_eq!(
            (&book["Seq"], book["MemberCount"].as_u64()),
            (&json!(0), Some(names.len() as u64))
        );
    })
    .await;
}

#[tokio::test]
async fn large_accounts_come_in_pages() {
    let world =
        World::from_toml("page = 1500\ncrowd = { contacts = 5000, groups = 4, members = 500 }")
            .expect("a world");
    story(Options { world, ..quick() }, async |sandbox| {
        let client = Client::online(&sandbox).await;
        let (mut seq, mut pages, mut names) = (0, 0, std::collections::BTreeSet::new());
        loop {
            let path = format!("/cgi-bin/mmwebwx-bin/webwxgetcontact?seq={seq}");
            let page = client.get(&path).await.json();
            names.extend(names_of(&page["MemberList"]).into_iter().map(str::to_owned));
            pages += 1;
            seq = page["Seq"].as_u64().expect("a number");
            if seq == 0 {
                break;
            }
        }
        assert_eq!(
            (pages, names.len()),
            (4, 5000 + 4 + 2),
            "contacts, specials and oneself, saved groups"
        );
        let group = client.name_of("大群000").await;
        let answer = batch(&client, &[&group]).await;
        assert_eq!(answer["ContactList"][0]["MemberList"].as_array().expect("members").len(), 500);
    })
    .await;
}

#[tokio::test]
async fn a_batch_is_answered_index_by_index() {
    story(quick(), async |sandbox| {
        let client = Client::online(&sandbox).await;
        let (friend, group) = (client.name_of("小红").await, client.name_of("水果店客户群").await);
        let names = [friend.as_str(), "@unknown", group.as_str(), friend.as_str(), "filehelper"];
        let answer = batch(&client, &names).await;
        let list = answer["ContactList"].as_array().expect("a list");
        let answered: Vec<_> =
            list.iter().map(|it| it["UserName"].as_str().expect("a name")).collect();
        assert_eq!(answered, names);
        assert_eq!(names_of(&list[2]["MemberList"])[0], "小助手", "oneself is a member");
        assert!(
            list[2]["EncryChatRoomId"].as_str().is_some_and(|id| id.len() == 33 && id != group)
        );
        assert_eq!(list[1]["MemberList"], json!([]));
        let many = vec!["filehelper"; 151];
        assert_eq!(batch(&client, &many).await["Count"], 151);
        assert_eq!(batch(&client, &[]).await["BaseResponse"]["Ret"], 0);
    })
    .await;
}

#[tokio::test]
async fn members_have_their_own_names_in_the_group() {
    story(quick(), async |sandbox| {
        let client = Client::online(&sandbox).await;
        let init = client.post("webwxinit", &client.body(json!({}))).await;
        let listed = init["ContactList"].as_array().expect("a list");
        let group = listed.iter().find(|it| it["NickName"] == "周末爬山").expect("the group");
        assert!(
            names_of(&group["MemberList"]).iter().all(|name| name.is_empty()),
            "nameless in webwxinit"
        );
        let answer = batch(&client, &[group["UserName"].as_str().expect("a name")]).await;
        let me = &answer["ContactList"][0]["MemberList"][0];
        assert_eq!(
            (&me["UserName"], &me["DisplayName"]),
            (&json!(client.me), &json!("小助手（群主的朋友）"))
        );
    })
    .await;
}

#[tokio::test]
async fn groups_are_made_and_changed() {
    story(quick(), async |sandbox| {
        let mut client = Client::online(&sandbox).await;
        let (red, alice) = (client.name_of("小红").await, client.name_of("Alice").await);
        let king = client.name_of("老王").await;
        let create = |members: Value| {
            client.body(json!({ "MemberCount": 2, "MemberList": members, "Topic": "新群" }))
        };
        let lonely =
            client.post("webwxcreatechatroom", &create(json!([{ "UserName": red }]))).await;
        assert_eq!(lonely["BaseResponse"]["Ret"], 1);
        let both = json!([{ "UserName": red }, { "UserName": alice }]);
        let made = client.post("webwxcreatechatroom?r=1", &create(both)).await;
        let group = made["ChatRoomName"].as_str().expect("a name").to_owned();
        assert!(group.starts_with("@@") && made["MemberCount"] == 3);
        for (fun, field, value, count) in [
            ("addmember", "AddMemberList", king.as_str(), 4),
            ("delmember", "DelMemberList", alice.as_str(), 3),
            ("invitemember", "InviteMemberList", alice.as_str(), 4),
            ("modtopic", "NewTopic", "改名", 4),
        ] {
            let body = client.body(json!({ "ChatRoomName": group, field: value }));
            let answer =
                client.post(&format!("webwxupdatechatroom?fun={fun}&lang=zh_CN"), &body).await;
            assert_eq!(
                (&answer["BaseResponse"]["Ret"], &answer["MemberCount"]),
                (&json!(0), &json!(count)),
                "{fun}"
            );
        }
        let lines: Vec<_> = client
            .messages()
            .await
            .iter()
            .map(|it| it["Content"].as_str().expect("a text").to_owned())
            .collect();
        let expected = [
            "你邀请\"老王\"加入了群聊  ",
            "你将\"Alice\"移出了群聊",
            "你邀请\"Alice\"加入了群聊  ",
            "你修改群名为“改名”",
        ];
        assert_eq!(lines, expected);
        assert_eq!(batch(&client, &[&group]).await["ContactList"][0]["NickName"], "改名");
        let quit = client.body(json!({ "ChatRoomName": group }));
        client.post("webwxupdatechatroom?fun=quitchatroom", &quit).await;
        assert_eq!(client.sync().await["DelContactList"][0]["UserName"], group.as_str());
        assert_eq!(client.send(&group, "在吗", 1).await["BaseResponse"]["Ret"], 1204);
    })
    .await;
}

#[tokio::test]
async fn only_the_owner_removes_members() {
    story(quick(), async |sandbox| {
        let client = Client::online(&sandbox).await;
        let (group, red) = (client.name_of("水果店客户群").await, client.name_of("小红").await);
        let body = client.body(json!({ "ChatRoomName": group, "DelMemberList": red }));
        let answer = client.post("webwxupdatechatroom?fun=delmember", &body).await;
        assert_eq!(answer["BaseResponse"]["Ret"], 1);
    })
    .await;
}

#[tokio::test]
async fn remarks_and_pins() {
    story(quick(), async |sandbox| {
        let mut client = Client::online(&sandbox).await;
        let red = client.name_of("小红").await;
        let remark = client.body(json!({ "CmdId": 2, "RemarkName": "红姐", "UserName": red }));
        assert_eq!(client.post("webwxoplog?lang=zh_CN", &remark).await["BaseResponse"]["Ret"], 0);
        assert_eq!(client.sync().await["ModContactList"][0]["RemarkName"], "红姐");
        let pin =
            client.body(json!({ "CmdId": 3, "OP": 1, "RemarkName": "红姐", "UserName": red }));
        client.post("webwxoplog", &pin).await;
        let contact = batch(&client, &[&red]).await["ContactList"][0].clone();
        assert_eq!(
            (&contact["ContactFlag"], &contact["RemarkName"]),
            (&json!(2051), &json!("红姐"))
        );
        let nonsense = client.body(json!({ "CmdId": 9, "UserName": red }));
        assert_eq!(client.post("webwxoplog", &nonsense).await["BaseResponse"]["Ret"], 1);
    })
    .await;
}

#[tokio::test]
async fn a_friend_request_is_accepted_by_its_ticket() {
    story(quick(), async |sandbox| {
        let mut client = Client::online(&sandbox).await;
        client
            .control(
                "acts",
                &json!({ "act": "friend_request", "from": "新朋友", "text": "我是 <新> 朋友" }),
            )
            .await;
        let request = client.messages().await.remove(0);
        assert_eq!(
            (&request["MsgType"], &request["FromUserName"]),
            (&json!(37), &json!("fmessage"))
        );
        let info = request["RecommendInfo"].clone();
        assert_eq!(
            (&info["NickName"], &info["Content"]),
            (&json!("新朋友"), &json!("我是 &lt;新&gt; 朋友"))
        );
        let name = info["UserName"].as_str().expect("a name");
        assert_eq!(client.send(name, "你好", 1).await["BaseResponse"]["Ret"], 1204, "not yet");
        let accept = client.body(json!({ "Opcode": 3, "VerifyUserListSize": 1,
            "VerifyUserList": [{ "Value": name, "VerifyUserTicket": info["Ticket"] }],
            "VerifyContent": "", "SceneListCount": 1, "SceneList": [33], "skey": client.skey }));
        assert_eq!(client.post("webwxverifyuser?r=1", &accept).await["BaseResponse"]["Ret"], 0);
        assert_eq!(client.send(name, "你好", 2).await["BaseResponse"]["Ret"], 0);
        let answer = client.sync().await;
        assert_eq!(answer["ModContactList"][0]["NickName"], "新朋友");
        assert_eq!(answer["AddMsgList"][0]["Content"], "你已添加了新朋友，现在可以开始聊天了。");
    })
    .await;
}

#[tokio::test]
async fn a_member_who_is_asked_becomes_a_friend() {
    story(quick(), async |sandbox| {
        let mut client = Client::online(&sandbox).await;
        let found =
            client.post("webwxsearchcontact", &client.body(json!({ "KeyWord": "阿杰" }))).await;
        let name = found["List"][0]["EncryUserName"].as_str().expect("a name").to_owned();
        let ask = client.body(json!({ "Opcode": 2, "VerifyUserListSize": 1,
            "VerifyUserList": [{ "Value": name, "VerifyUserTicket": "" }] }));
        assert_eq!(client.post("webwxverifyuser", &ask).await["BaseResponse"]["Ret"], 0);
        let said = client.messages().await.remove(0);
        assert_eq!((&said["FromUserName"], &said["MsgType"]), (&json!(name), &json!(1)));
        assert_eq!(said["Content"], "我通过了你的朋友验证请求，现在我们可以开始聊天了");
    })
    .await;
}

//! How the fixture was made: version 0.1 ran its bot against a sandbox and was killed during its work.
//!
//! `MYNAH_FIXTURE=FOLDER cargo test -p mynah-tests --test stored -- --ignored` makes another one in that folder. The
//! committed fixture stays as that version wrote it: a newer program must open the data of an older one.

use std::path::{Path, PathBuf};
use std::time::Duration;

use mynah_sandbox::{Fault, FaultKind, Options};
use mynah_tests::{Stage, story};
use rusqlite::{Connection, OpenFlags};

use crate::{BOT, FIRST, SECOND, fixture, world};

/// The open work when the bot is killed: a turn, and a send.
const TURN: &str = "event WHERE begun = 1 AND handled IS NULL";
const SEND: &str = "action WHERE claimed IS NOT NULL AND settled IS NULL";
const OPEN: &str = "action WHERE settled IS NULL";

#[tokio::test]
#[ignore = "makes another fixture, into the folder that MYNAH_FIXTURE names"]
async fn make() {
    let to = PathBuf::from(std::env::var("MYNAH_FIXTURE").expect("MYNAH_FIXTURE names a folder"));
    story(async {
        let options = Options { auto_confirm: true, world: world(), ..Options::default() };
        let stage = Stage::with(BOT, &fixture(), options).await;
        let config = fixture().join("mynah.toml").display().to_string();
        let mut t = Maker(stage.argument("--config").argument(&config));
        t.0.start().await;
        t.finished_work().await;
        t.open_work().await;
        t.0.kill().await;
        keep(t.0.data.path(), &to);
    })
    .await;
}

struct Maker(Stage);

impl Maker {
    async fn answers(&mut self, from: &str, group: Option<&str>, text: &str, answer: &str) {
        self.0.sandbox.say(from, group, text);
        self.0.expect(group.unwrap_or(from), answer).await;
    }

    /// Finished work, which leaves state, log and counters.
    async fn finished_work(&mut self) {
        self.answers("张三", Some(FIRST), "叫我 阿三", "好的，阿三").await;
        self.answers("张三", Some(FIRST), "签到", "签到成功").await;
        self.answers("张三", Some(FIRST), "抽奖", "抽到苹果").await;
        self.answers("张三", Some(FIRST), "投票", "共 1 票").await;
        self.answers("李四", Some(FIRST), "投票", "共 2 票").await;
        self.answers("张三", Some(FIRST), "留言 第一条", "记下了").await;
        self.answers("张三", Some(SECOND), "几点开门", "每天 9 点到 18 点。").await;
        self.0.sandbox.fault(Fault::new("webwxsendmsg", FaultKind::Retcode).value(1204));
        self.0.sandbox.say("孙七", None, "我是谁");
        self.until("action WHERE outcome = 'refused'", 1).await;
        self.0.sandbox.say("孙七", None, "出错");
        self.0.sandbox.say("老王", Some(SECOND), "#静音");
        self.until("state WHERE key = 'mute:until'", 1).await;
    }

    /// Work that is open when the bot is killed.
    async fn open_work(&mut self) {
        self.answers("张三", None, "进度", "第一步").await;
        self.answers("李四", None, "报名", "姓名？").await;
        self.answers("李四", None, "李四", "手机号？").await;
        self.answers("王五", None, "反馈", "请说").await;
        self.0.sandbox.say("赵六", None, "慢慢来");
        self.until(TURN, 1).await;
        self.0.sandbox.fault(Fault::new("webwxsendmsg", FaultKind::Hang).always());
        for n in 1..=3 {
            self.0.sandbox.say("张三", Some(FIRST), &format!("问 {n}"));
        }
        self.until(SEND, 1).await;
        self.until(OPEN, 4).await;
    }

    /// Waits for that many rows.
    async fn until(&self, rows: &str, count: u64) {
        while self.count(rows) < count {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    fn count(&self, rows: &str) -> u64 {
        let path = self.0.data.path().join(mynah_store::FILE);
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let database = Connection::open_with_flags(path, flags).expect("a database");
        database
            .query_row(&format!("SELECT count(*) FROM {rows}"), [], |row| row.get(0))
            .expect("rows of the store")
    }
}

/// Copies the data folder as after the kill, without the files of this machine only: sockets, and the index of the log.
fn keep(data: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for file in std::fs::read_dir(data).expect("data") {
        let file = file.expect("data");
        let name = file.file_name();
        if file.file_type().expect("data").is_file() && !name.to_string_lossy().ends_with("-shm") {
            std::fs::copy(file.path(), to.join(name)).expect("it can be copied");
        }
    }
}

//! The names that a template may use at its place.

use std::collections::{BTreeMap, BTreeSet};

use crate::computed::BadComputed;
use crate::problem::Capture;
use mynah_matching::pattern::CaptureName;

/// The names that every template knows.
const BUILT_IN: [&str; 9] =
    ["sender", "at", "group", "text", "rest", "joined", "date", "time", "weekday"];

/// A name that is built in, but may be that of a capture as well: rule files had it before it was.
pub(super) const SOMEONE: &str = "someone";

/// Names of other programs and in Chinese, with the name that is built in.
const FOREIGN: &[(&[&str], &str)] = &[
    (
        &[
            "user",
            "name",
            "nickname",
            "nick",
            "username",
            "user_name",
            "sender_name",
            "from",
            "who",
            "member",
            "display_name",
            "昵称",
            "用户",
            "名字",
            "用户名",
            "发送者",
            "发送人",
            "姓名",
        ],
        "sender",
    ),
    (&["at_sender", "at_user", "mention", "atuser", "艾特"], "at"),
    (&["group_name", "groupname", "room", "chat", "chatroom", "群", "群名", "群聊"], "group"),
    (&["message", "msg", "content", "input", "内容", "消息", "文本"], "text"),
    (&["args", "arg", "argument", "remainder", "参数"], "rest"),
    (&["new_member", "newcomer", "joiner", "新人", "新成员"], "joined"),
    (&["today", "day", "日期", "今天"], "date"),
    (&["now", "clock", "时间"], "time"),
    (
        &["random", "rand", "dice", "roll", "random_number", "random_int", "随机", "随机数"],
        "random:1-6",
    ),
    (
        &[
            "random_user",
            "random_member",
            "randomuser",
            "anyone",
            "somebody",
            "随机成员",
            "随机群友",
            "随机群员",
            "某人",
            "群友",
        ],
        SOMEONE,
    ),
    (&["leaderboard", "ranking", "top", "toplist", "排行", "排行榜", "榜单"], "top:points"),
    (&["rank", "position", "排名", "名次"], "rank:points"),
    (&["count", "total", "人数"], "count:points"),
    (&["names", "members", "名单", "成员"], "who:points"),
    (&["winner", "winners", "pick", "lucky", "中奖", "中奖者"], "pick:points"),
    (&["week", "dayofweek", "星期", "周几"], "weekday"),
];

/// Names that no capture and no answer may have.
pub(super) fn is_built_in(name: &str) -> bool {
    BUILT_IN.contains(&name)
}

/// The names that a template may use.
#[derive(Debug, Clone, Default)]
pub(super) struct Names {
    built_in: Vec<&'static str>,
    /// Captures and saved answers; those that are not always set say why.
    captured: BTreeMap<String, Option<Capture>>,
    /// Those among them that are taken out of an answer of a web service.
    taken: BTreeSet<String>,
    /// Whether some names could not be found out, so that an unknown one may be one of them.
    is_partial: bool,
    /// Whether the text is addressed to no person in particular.
    is_impersonal: bool,
    /// Whether an earlier question keeps its answer under no name.
    asks_unsaved: bool,
    /// Whether no variables may be used.
    has_no_variables: bool,
    /// Whether the text is only for private chats, which have no members.
    is_private: bool,
}

/// The known facts about a name.
#[derive(Debug, Clone, Copy)]
pub(super) enum Known<'n> {
    /// It always has its meaning.
    Yes,
    /// It is a variable.
    Variable,
    /// It is not set by every way to match.
    NotAlways(&'n Capture),
    /// It may be one that could not be found out.
    Perhaps,
    /// There is no such name.
    No,
}

impl Names {
    /// The names of a reply to a person.
    pub(super) fn of_a_reply() -> Self {
        let built_in = BUILT_IN.into_iter().chain([SOMEONE]).collect();
        Self { built_in, ..Self::default() }
    }

    /// The names of an announcement, which answers no message.
    pub(super) fn of_an_announcement() -> Self {
        Self {
            built_in: vec!["group", "date", "time", "weekday", SOMEONE],
            is_impersonal: true,
            ..Self::default()
        }
    }

    /// The same; `is_private` if the texts are for private chats only.
    pub(super) fn placed(mut self, is_private: bool) -> Self {
        self.is_private = is_private;
        self
    }

    /// The same, but some names could not be found out.
    pub(super) fn partial(mut self) -> Self {
        self.is_partial = true;
        self
    }

    /// Adds a name that is always set.
    pub(super) fn add(&mut self, name: &str) {
        self.captured.insert(name.to_owned(), None);
    }

    /// Adds a value that is taken out of an answer of a web service.
    pub(super) fn add_taken(&mut self, name: &str) {
        self.add(name);
        self.taken.insert(name.to_owned());
    }

    /// Whether a name is such a value.
    pub(super) fn is_taken(&self, name: &str) -> bool {
        self.taken.contains(name)
    }

    /// Adds the answer to a question that some way through a dialog leaves out.
    pub(super) fn add_skipped(&mut self, name: &str) {
        let skipped = Capture::Skipped { name: name.to_owned() };
        self.captured.insert(name.to_owned(), Some(skipped));
    }

    /// Adds the captures of a list of patterns or regexes, of which one has matched. If some of its `written` items could
    /// not be read, not all names are known, nor which of them are always set.
    pub(super) fn add_captures(
        &mut self,
        key: &'static str,
        written: usize,
        items: &[Vec<CaptureName>],
    ) {
        if items.len() < written {
            self.is_partial = true;
            return items.iter().flatten().for_each(|capture| self.add(&capture.name));
        }
        let names = items.iter().flatten().map(|capture| capture.name.as_str());
        for name in names {
            let lack = items.iter().enumerate().find_map(|(index, captures)| {
                match captures.iter().find(|capture| capture.name == name) {
                    Some(capture) if capture.always => None,
                    Some(_) => Some(Capture::Optional { name: name.to_owned() }),
                    None => Some(Capture::NotIn { name: name.to_owned(), key, nth: index + 1 }),
                }
            });
            // Set by another condition of the same rule is set as well.
            let known = self.captured.entry(name.to_owned()).or_insert_with(|| lack.clone());
            if lack.is_none() {
                *known = None;
            }
        }
    }

    /// The same names, but of those that are built in only the text and the rest, and no variables: a sentence that is searched
    /// again must not hold stored words.
    pub(super) fn of_a_sentence(&self) -> Self {
        Self { built_in: vec!["text", "rest"], has_no_variables: true, ..self.clone() }
    }

    /// Whether a capture or an answer has this name.
    pub(super) fn is_captured(&self, name: &str) -> bool {
        self.captured.contains_key(name)
    }

    pub(super) fn look_up(&self, name: &str) -> Known<'_> {
        if let Some(captured) = self.captured.get(name) {
            return captured.as_ref().map_or(Known::Yes, Known::NotAlways);
        }
        match name.split_once('.') {
            Some(_) if self.has_no_variables => return Known::No,
            Some(("user" | "person", _)) if self.is_impersonal => return Known::No,
            Some(("user" | "person" | "chat" | "bot", _)) => return Known::Variable,
            _ => {}
        }
        match self.built_in.contains(&name) {
            true => Known::Yes,
            false if self.is_partial => Known::Perhaps,
            false => Known::No,
        }
    }

    /// All names, the nearest first.
    pub(super) fn list(&self) -> Vec<String> {
        let captured = self.captured.keys().cloned();
        captured.chain(self.built_in.iter().map(|name| (*name).to_owned())).collect()
    }

    /// The only name that is captured or saved here, if there is just one.
    pub(super) fn only_captured(&self) -> Option<&str> {
        let mut names = self.captured.keys().map(String::as_str);
        names.next().filter(|_| self.captured.len() == 1)
    }

    /// How the variables are written that a text may use here.
    pub(super) fn owners(&self) -> &'static [&'static str] {
        if self.has_no_variables {
            return &[];
        }
        if self.is_impersonal { &["chat", "bot"] } else { &["user", "chat", "bot", "person"] }
    }

    /// Why a name about all people in the chat cannot be used here.
    pub(super) fn not_of_members(&self, name: &str) -> Option<BadComputed> {
        if self.is_private {
            return Some(BadComputed::InPrivate { name: name.to_owned() });
        }
        (self.is_impersonal && name.starts_with("rank:")).then_some(BadComputed::RankOfNoOne)
    }

    /// Whether a text here may use variables.
    pub(super) fn have_variables(&self) -> bool {
        !self.has_no_variables
    }

    /// From here on, an unknown name may be the answer to a question that keeps it under no name.
    pub(super) fn asked_unsaved(&mut self) {
        self.asks_unsaved = true;
    }

    pub(super) fn asks_unsaved(&self) -> bool {
        self.asks_unsaved
    }

    /// The name that is built in for a name of another program: `{nickname}` is `{sender}`.
    pub(super) fn meant_by(&self, name: &str) -> Option<&'static str> {
        let name = name.to_lowercase();
        let (_, meant) = FOREIGN.iter().find(|(others, _)| others.contains(&name.as_str()))?;
        let is_about_members =
            *meant == SOMEONE || (meant.contains(':') && !meant.starts_with("random"));
        let is_wrong_here = self.is_private || self.has_no_variables;
        if (is_about_members && is_wrong_here) || (meant.starts_with("rank") && self.is_impersonal)
        {
            return None;
        }
        (self.built_in.contains(meant) || meant.contains(':')).then_some(*meant)
    }
}

//! The system lines of the service, as listed in section 12.6 of the protocol reference.

/// The language of the system lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    Chinese,
    English,
}

/// The subject of a line: the account itself or a person by name.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Who<'a> {
    Me,
    Other(&'a str),
}

impl Language {
    /// The value of the cookie `mm_lang`.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Chinese => "zh_CN",
            Self::English => "en_US",
        }
    }

    fn pick(self, chinese: String, english: String) -> String {
        match self {
            Self::Chinese => chinese,
            Self::English => english,
        }
    }

    /// The placeholder in a quote for a message without text.
    pub(crate) fn thing(self, kind: &str) -> String {
        let (chinese, english) = match kind {
            "image" => ("图片", "Photo"),
            "voice" => ("语音", "Voice"),
            "video" => ("视频", "Video"),
            "emoji" => ("表情", "Sticker"),
            "card" => ("名片", "Contact Card"),
            _ => ("消息", "Message"),
        };
        self.pick(chinese.to_owned(), english.to_owned())
    }

    pub(crate) fn invited(self, by: Who<'_>, whom: &str) -> String {
        match by {
            Who::Me => self.pick(
                format!("你邀请\"{whom}\"加入了群聊  "),
                format!("You invited {whom} to the group chat  "),
            ),
            Who::Other(by) => self.pick(
                format!("\"{by}\"邀请\"{whom}\"加入了群聊"),
                format!("{by} invited {whom} to the group chat"),
            ),
        }
    }

    pub(crate) fn invited_me(self, by: &str, others: &str) -> String {
        self.pick(
            format!("\"{by}\"邀请你加入了群聊，群聊参与人还有：{others}"),
            format!("{by} invited you to a group chat with {others}"),
        )
    }

    pub(crate) fn joined_by_code(self, whom: &str, of: Who<'_>) -> String {
        match of {
            Who::Me => self.pick(
                format!("\" {whom}\"通过扫描你分享的二维码加入群聊"),
                format!("\"{whom}\" joined group chat via the QR code you shared"),
            ),
            Who::Other(of) => self.pick(
                format!("\" {whom}\"通过扫描\"{of}\"分享的二维码加入群聊"),
                format!("\"{whom}\" joined the group chat via the QR Code shared by \"{of}\""),
            ),
        }
    }

    /// The title and the text of an invitation card.
    pub(crate) fn invitation(self, topic: &str) -> (String, String) {
        let title = self.pick("邀请你加入群聊".to_owned(), "Group Chat Invitation".to_owned());
        let text = self.pick(
            format!("邀请你加入群聊\"{topic}\"，进入可查看详情。"),
            format!("You are invited to the group chat \"{topic}\". Enter to view details."),
        );
        (title, text)
    }

    pub(crate) fn i_removed(self, whom: &str) -> String {
        self.pick(
            format!("你将\"{whom}\"移出了群聊"),
            format!("You removed \"{whom}\" from the group chat"),
        )
    }

    pub(crate) fn i_was_removed(self, by: &str) -> String {
        self.pick(
            format!("你被\"{by}\"移出群聊"),
            format!("You were removed from the group chat by \"{by}\""),
        )
    }

    pub(crate) fn renamed(self, by: Who<'_>, topic: &str) -> String {
        match by {
            Who::Me => self.pick(
                format!("你修改群名为“{topic}”"),
                format!("You changed the group name to \"{topic}\""),
            ),
            Who::Other(by) => self.pick(
                format!("\"{by}\"修改群名为“{topic}”"),
                format!("\"{by}\" changed the group name to \"{topic}\""),
            ),
        }
    }

    pub(crate) fn i_added(self, whom: &str) -> String {
        self.pick(
            format!("你已添加了{whom}，现在可以开始聊天了。"),
            format!("You have added {whom} as your WeChat contact. Start chatting!"),
        )
    }

    pub(crate) fn added_me(self, who: &str) -> String {
        self.pick(
            format!("{who}刚刚把你添加到通讯录，现在可以开始聊天了。"),
            format!(
                "{who} just added you to his/her contacts list. Send a message to him/her now!"
            ),
        )
    }

    pub(crate) fn accepted(self) -> &'static str {
        match self {
            Self::Chinese => "我通过了你的朋友验证请求，现在我们可以开始聊天了",
            Self::English => "I've accepted your friend request. Now let's chat!",
        }
    }

    pub(crate) fn red_packet(self) -> &'static str {
        match self {
            Self::Chinese => "收到红包，请在手机上查看",
            Self::English => "Red packet received. View on phone.",
        }
    }

    pub(crate) fn patted(self, by: Who<'_>, whom: Who<'_>, suffix: &str) -> String {
        // The English client writes "tickled"; its exact lines are not known.
        let (verb, me) = match self {
            Self::Chinese => (" 拍了拍 ", "我"),
            Self::English => (" tickled ", "me"),
        };
        let by = quoted(by, me);
        let whom = quoted(whom, me);
        // The account itself has no quotes and, in Chinese, no spaces beside them.
        let line = format!("{by}{verb}{whom}{suffix}");
        match self {
            Self::Chinese => line.replace("拍了拍 我", "拍了拍我").replace("我 拍了拍", "我拍了拍"),
            Self::English => line,
        }
    }

    pub(crate) fn recalled(self, by: Who<'_>) -> String {
        match by {
            Who::Me => {
                self.pick("你撤回了一条消息".to_owned(), "You recalled a message".to_owned())
            }
            Who::Other(by) => self.pick(
                format!("\"{by}\" 撤回了一条消息"),
                format!("\"{by}\" has recalled a message."),
            ),
        }
    }

    pub(crate) fn throttled(self) -> &'static str {
        match self {
            Self::Chinese => "发送消息过于频繁，可稍后再试。",
            Self::English => "Messages are sent too often. Try again later.",
        }
    }

    pub(crate) fn call(self) -> &'static str {
        match self {
            Self::Chinese => "收到一条视频/语音聊天消息，请在手机上查看",
            Self::English => "Video or voice call received. View on phone.",
        }
    }

    pub(crate) fn transfer(self) -> &'static str {
        match self {
            Self::Chinese => "微信转账",
            Self::English => "WeChat Transfer",
        }
    }
}

fn quoted(who: Who<'_>, me: &str) -> String {
    match who {
        Who::Me => me.to_owned(),
        Who::Other(name) => format!("\"{name}\""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_in_english() {
        let en = Language::English;
        for (line, expected) in [
            (en.invited(Who::Other("Ann"), "Bob"), "Ann invited Bob to the group chat"),
            (en.invited_me("Ann", "Bob"), "Ann invited you to a group chat with Bob"),
            (
                en.joined_by_code("Bob", Who::Me),
                "\"Bob\" joined group chat via the QR code you shared",
            ),
            (en.renamed(Who::Me, "T"), "You changed the group name to \"T\""),
            (en.recalled(Who::Other("Ann")), "\"Ann\" has recalled a message."),
            (en.patted(Who::Other("Ann"), Who::Me, ""), "\"Ann\" tickled me"),
            (en.i_was_removed("Ann"), "You were removed from the group chat by \"Ann\""),
        ] {
            assert_eq!(line, expected);
        }
    }

    #[test]
    fn pats_have_the_wording_of_the_service() {
        let cases = [
            (Who::Other("甲"), Who::Other("乙"), "\"甲\" 拍了拍 \"乙\"的头"),
            (Who::Other("甲"), Who::Me, "\"甲\" 拍了拍我的头"),
            (Who::Me, Who::Other("乙"), "我拍了拍 \"乙\"的头"),
        ];
        for (by, whom, line) in cases {
            assert_eq!(Language::Chinese.patted(by, whom, "的头"), line);
        }
    }
}

//! The losses and changes of an import: place, reason, and the words of the file.

use std::sync::Arc;

use mynah_reader::Lang;

/// A place in a file that is imported.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) file: Arc<str>,
    pub(crate) line: usize,
    /// The number of the item at this place, from 1; 0 for a remark that is about no item. Many items can be in one line.
    pub(crate) item: usize,
}

impl Place {
    /// A place for remarks that are about no item.
    pub(crate) fn new(file: impl Into<Arc<str>>, line: usize) -> Self {
        Self { file: file.into(), line, item: 0 }
    }
}

impl Default for Place {
    fn default() -> Self {
        Self::new("", 0)
    }
}

/// A thing that is not in the result, or that means something else there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    pub(crate) place: Place,
    /// The reason.
    pub reason: Reason,
    /// The words of the file, shortened.
    pub subject: String,
}

/// The longest subject, in characters.
const LONGEST: usize = 80;

impl Remark {
    pub(crate) fn new(place: Place, reason: Reason, subject: &str) -> Self {
        let mut words: String = subject.split_whitespace().collect::<Vec<_>>().join(" ");
        if words.chars().count() > LONGEST {
            words = words.chars().take(LONGEST - 1).chain(['…']).collect();
        }
        Self { place, reason, subject: words }
    }

    /// The file.
    #[must_use]
    pub fn file(&self) -> &str {
        &self.place.file
    }

    /// The line, from 1; 0 if the whole file is meant.
    #[must_use]
    pub fn line(&self) -> usize {
        self.place.line
    }

    /// Whether the thing is not in the result; else it is there and means something else.
    #[must_use]
    pub fn is_loss(&self) -> bool {
        self.reason.is_loss()
    }
}

/// Declares the reasons: code, whether something is lost, and the text in both languages.
macro_rules! reasons {
    ($($name:ident $code:literal $lost:literal $en:literal $zh:literal,)*) => {
        /// Why something is not in the result, or means something else there.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Reason {
            $(#[doc = concat!("The reason `", $code, "`: see [`Reason::text`].")] $name,)*
        }

        impl Reason {
            /// Every reason.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// Its code: stable, for tools.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// Whether the thing is not in the result.
            #[must_use]
            pub const fn is_loss(self) -> bool {
                match self { $(Self::$name => $lost,)* }
            }

            /// Its text.
            #[must_use]
            pub const fn text(self, lang: Lang) -> &'static str {
                match (self, lang) {
                    $((Self::$name, Lang::En) => $en, (Self::$name, Lang::Zh) => $zh,)*
                }
            }
        }
    };
}

reasons! {
    Code "code" true "code in a file is not run" "文件里的代码不会执行",
    Form "form" true "this form has no counterpart in bot.toml" "bot.toml 里没有对应的写法",
    Unreadable "unreadable" true "it cannot be read" "读不懂",
    Empty "empty" true "it has no question or no answer" "没有问题或没有回答",
    Replaced "replaced" false "a later one for the same sentence replaces it, as in the original" "后面有同一句话的另一条，以后面的为准（与原来一致）",
    Stored "stored" true "a stored value cannot choose the next sentence: only words of the message can" "存下的值不能决定转到哪句话：只有消息里的字可以",
    SeveralRedirects "redirects" true "the answer needs several other answers in one" "一条回答要拼接几条别的回答",
    Math "math" true "variables can be added to, not multiplied or divided" "变量只能加减，不能乘除",
    OwnWords "own-words" true "the bot's own or earlier words cannot be used in an answer" "回答里不能引用机器人自己或更早说过的话",
    Pronouns "pronouns" false "the pronouns in repeated words are not swapped (I, you)" "复述时不会互换人称（我、你）",
    Case "case" false "the words stay as typed: a name is not put into capitals" "保留原样，不改成首字母大写",
    NoSuchReply "no-such-reply" true "it follows a sentence that the bot never says" "它要接在机器人从不会说的话后面",
    ManyReplies "many-replies" false "it follows any of very many sentences: it now follows only the first of them" "可接在很多句话后面：现在只接在前面一部分之后",
    Topic "topic" true "the name of a topic has a wildcard" "话题名里有通配符",
    TooLong "too-long" true "the sentence is too long for a pattern" "句子太长，写不进 pattern",
    Refused "refused" true "mynah check refuses the rule" "mynah check 不接受这条规则",
    Loop "loop" true "it leads back to itself" "转来转去又回到自己",
    Unset "unset" false "a property of the bot has no value: fill it in under [bot] vars" "机器人的属性没有值：请在 [bot] vars 里填写",
    Markup "markup" false "marks of a web page are left out" "去掉了网页标记",
    Separate "separate" false "two messages instead of one" "原来的一条消息变成两条",
    SideEffect "side-effect" false "what another answer would do silently is left out" "去掉了另一条回答悄悄做的事",
    Frozen "frozen" false "who may change it is not kept" "不保留谁可以修改它",
    Groups "groups" false "groups are written as their numbers: put their names there" "群写的是号码：请改成群名",
    Options "options" false "an option without a counterpart is left out" "去掉了没有对应写法的选项",
    Values "values" false "the handler gets the words that were said, not their value" "处理函数得到的是说的字，不是对应的值",
    Template "template" false "the text of the answer is made by the handler: it needs the state of a device" "回答由处理函数给出：它要用到设备的状态",
    Context "context" false "a condition on the context is left out" "去掉了对上下文的条件",
    Address "address" false "a picture or file is sent as its address" "图片或文件以网址发送",
    Media "media" true "media cannot be sent from here" "这里的媒体不能发送",
    AnyText "any-text" false "a list that is not in the files takes any text" "文件里没有的列表可以是任何文字",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique() {
        let mut codes: Vec<_> = Reason::ALL.iter().map(|reason| reason.code()).collect();
        codes.sort_unstable();
        assert!(codes.windows(2).all(|pair| pair[0] != pair[1]), "{codes:?}");
    }

    #[test]
    fn a_long_subject_is_cut() {
        let remark = Remark::new(Place::default(), Reason::Code, &"字".repeat(100));
        assert_eq!(remark.subject.chars().count(), LONGEST);
    }
}

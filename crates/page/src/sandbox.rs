//! The sandbox in the browser: its calls, and the trait of the program that answers them.

use std::time::Duration;

use async_trait::async_trait;
use axum::body::Bytes;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::answer::{Answered, answered};
use crate::view::{
    ChatRow, Checked, CreatedChat, FaultRow, FileText, LoginRow, MessagePage, Page, Problem,
    TestDraft, TestPlayed, Why,
};

/// A sandbox and its bot, for their page.
#[async_trait]
pub trait SandboxPage: Page {
    /// All chats.
    async fn chats(&self) -> Result<Vec<ChatRow>, Problem>;

    /// Messages of a chat: the newest, or those before the message with this id.
    async fn messages(&self, chat: &str, before: Option<&str>) -> Result<MessagePage, Problem>;

    /// Sends a text to the bot.
    async fn say(&self, say: Say) -> Result<(), Problem>;

    /// Sends a picture to the bot.
    async fn picture(&self, picture: Upload) -> Result<(), Problem>;

    /// Sends a file to the bot.
    async fn attachment(&self, file: Upload) -> Result<(), Problem>;

    /// Does an action other than sending, as a person of the sandbox.
    async fn act(&self, action: PageAction) -> Result<CreatedChat, Problem>;

    /// Explains why the bot answered a message or did not. `lang` is the language of the reasons: `zh`, `en`, or empty.
    async fn why(&self, message: &str, lang: &str) -> Result<Why, Problem>;

    /// Moves the clock ahead.
    async fn advance(&self, by: Duration) -> Result<(), Problem>;

    /// The rule file.
    async fn file(&self) -> Result<FileText, Problem>;

    /// Checks a text as a rule file. `lang` is the language of the diagnostics: `zh`, `en`, or empty.
    async fn check(&self, text: &str, lang: &str) -> Result<Checked, Problem>;

    /// Writes the rule file and lets the bot load it.
    async fn save(&self, save: Save) -> Result<Checked, Problem>;

    /// The conversation of a chat, or the part between two of its lines, as a `[[test]]`.
    async fn draft_test(
        &self,
        chat: &str,
        first: Option<&str>,
        last: Option<&str>,
    ) -> Result<TestDraft, Problem>;

    /// Runs a `[[test]]`, and appends it to the rule file if it passes.
    async fn play_test(&self, test: Test) -> Result<TestPlayed, Problem>;

    /// Whether the bot is logged in, and the code to scan if not.
    async fn login(&self) -> Result<LoginRow, Problem>;

    /// Plays the phone: `scan`, `confirm`, `cancel`, `logout`.
    async fn phone(&self, action: &str) -> Result<(), Problem>;

    /// The pending faults.
    async fn faults(&self) -> Result<Vec<FaultRow>, Problem>;

    /// Makes the server fail, or ends all faults.
    async fn inject(&self, order: FaultOrder) -> Result<(), Problem>;

    /// The picture, voice or file of a message: type and bytes.
    fn media(&self, message: &str) -> Option<(&'static str, Bytes)>;
}

/// A text that a person of the sandbox sends.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Say {
    /// The chat.
    pub chat: String,
    /// The name of the sender.
    pub from: String,
    /// The text.
    pub text: String,
}

/// A picture or file that a person of the sandbox sends.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Upload {
    /// The chat.
    pub chat: String,
    /// The name of the sender.
    pub from: String,
    /// The name of the file.
    pub name: String,
    /// Its bytes in base64.
    pub data: String,
}

/// An action of a person of the sandbox other than sending a message.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct PageAction {
    /// `person`, `group`, or the word of an event in rules.
    pub what: String,
    /// The chat, for an event of a chat.
    pub chat: String,
    /// The name of the person.
    pub from: String,
    /// The name that the action needs: of the new person, of the group, or its new title.
    pub name: String,
    /// The text that the action needs: the greeting.
    pub text: String,
    /// The message that the action concerns; absent: the last one.
    pub message: String,
}

/// A text to write as the rule file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Save {
    /// The text.
    pub text: String,
    /// The expected text of the file: if the file has another text, nothing is written. Absent: any text.
    #[serde(default)]
    pub was: Option<String>,
    /// Write the text even if it has mistakes; otherwise a text with mistakes is only checked.
    #[serde(default)]
    pub anyway: bool,
    /// The language of the diagnostics: `zh`, `en`, or empty.
    #[serde(default)]
    pub lang: String,
}

/// A `[[test]]` for the rule file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Test {
    /// The text of the test, as it will appear in the file.
    pub text: String,
    /// Append the test even if it fails.
    #[serde(default)]
    pub anyway: bool,
    /// The language of the report: `zh`, `en`, or empty.
    #[serde(default)]
    pub lang: String,
}

/// A fault for the server, or the end of all faults.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct FaultOrder {
    /// End all faults.
    #[serde(default)]
    pub clear: bool,
    /// The fault, in the form of the sandbox's fault files.
    #[serde(flatten)]
    pub fault: Map<String, Value>,
}

/// A call of the sandbox. Method and path are the tag; query and body together are the fields.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(tag = "call")]
pub(crate) enum SandboxCall {
    #[serde(rename = "GET session")]
    Session,
    #[serde(rename = "GET chats")]
    Chats,
    #[serde(rename = "GET messages")]
    Messages {
        chat: String,
        #[serde(default)]
        before: Option<String>,
    },
    #[serde(rename = "POST say")]
    Say(Say),
    #[serde(rename = "POST picture")]
    Picture(Upload),
    #[serde(rename = "POST attachment")]
    Attachment(Upload),
    #[serde(rename = "POST act")]
    Act(PageAction),
    #[serde(rename = "GET why")]
    Why {
        message: String,
        #[serde(default)]
        lang: String,
    },
    #[serde(rename = "POST clock")]
    Clock { advance_ms: u64 },
    #[serde(rename = "GET file")]
    File,
    #[serde(rename = "POST check")]
    Check {
        text: String,
        #[serde(default)]
        lang: String,
    },
    #[serde(rename = "PUT file")]
    Save(Save),
    #[serde(rename = "GET draft-test")]
    DraftTest {
        chat: String,
        /// The id of the first line; absent: from the beginning.
        #[serde(default)]
        first: Option<String>,
        /// The id of the last line; absent: up to the end.
        #[serde(default)]
        last: Option<String>,
    },
    #[serde(rename = "POST test")]
    Test(Test),
    #[serde(rename = "GET login")]
    Login,
    #[serde(rename = "POST login")]
    Phone { r#do: String },
    #[serde(rename = "GET faults")]
    Faults,
    #[serde(rename = "POST faults")]
    Inject(FaultOrder),
}

impl SandboxCall {
    pub(crate) async fn answer(self, page: &dyn SandboxPage) -> Answered {
        match self {
            Self::Session => answered(page.session().await),
            Self::Chats => answered(page.chats().await),
            Self::Messages { chat, before } => {
                answered(page.messages(&chat, before.as_deref()).await)
            }
            Self::Say(say) => answered(page.say(say).await),
            Self::Picture(picture) => answered(page.picture(picture).await),
            Self::Attachment(file) => answered(page.attachment(file).await),
            Self::Act(action) => answered(page.act(action).await),
            Self::Why { message, lang } => answered(page.why(&message, &lang).await),
            Self::Clock { advance_ms } => {
                answered(page.advance(Duration::from_millis(advance_ms)).await)
            }
            Self::File => answered(page.file().await),
            Self::Check { text, lang } => answered(page.check(&text, &lang).await),
            Self::Save(save) => answered(page.save(save).await),
            Self::DraftTest { chat, first, last } => {
                answered(page.draft_test(&chat, first.as_deref(), last.as_deref()).await)
            }
            Self::Test(test) => answered(page.play_test(test).await),
            Self::Login => answered(page.login().await),
            Self::Phone { r#do } => answered(page.phone(&r#do).await),
            Self::Faults => answered(page.faults().await),
            Self::Inject(order) => answered(page.inject(order).await),
        }
    }
}

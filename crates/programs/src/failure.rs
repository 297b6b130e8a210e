//! Why a call of a handler has no answer.

use std::time::Duration;

use mynah_core::Words;
use thiserror::Error;

/// Why a call of a handler failed. Its turn has no effects then.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Failure {
    /// The handler answered with an error.
    #[error("the handler reports: {0}")]
    Error(String),
    /// The answer has an unknown field or a wrong value.
    #[error("the answer is wrong: {0}")]
    Answer(String),
    /// There was no answer in time.
    #[error("no answer within {0:?}")]
    TimedOut(Duration),
    /// The program ended twice while it had the request.
    #[error("the program ended twice with this request: {0}")]
    Ended(String),
    /// The program cannot be started, or ends at every start.
    #[error("the program is not running: {0}")]
    NotRunning(String),
    /// The request is longer than a line may be.
    #[error(
        "the request has {0} bytes; at most 4 MiB are possible, give the handler less with `reads` and `settings`"
    )]
    TooLong(usize),
    /// The service cannot be reached, or did not answer with a JSON object.
    #[error("the service failed: {0}")]
    Service(String),
    /// The language model answered without a text.
    #[error("the answer is empty")]
    Empty,
    /// The handler was stopped.
    #[error("the handler was stopped")]
    Stopped,
}

impl Failure {
    /// The failure in both languages. Texts of the handler and of the system stay as they are.
    #[must_use]
    pub fn words(&self) -> Words {
        let zh = match self {
            Self::Error(why) => format!("处理器报告：{why}"),
            Self::Answer(why) => format!("回答有误：{why}"),
            Self::TimedOut(time) => format!("{time:?} 内没有回答"),
            Self::Ended(why) => format!("程序处理这个请求时退出了两次：{why}"),
            Self::NotRunning(why) => format!("程序没有运行：{why}"),
            Self::TooLong(bytes) => {
                format!("请求有 {bytes} 字节，最多 4 MiB；请用 `reads` 和 `settings` 少给一些")
            }
            Self::Service(why) => format!("服务出错：{why}"),
            Self::Empty => "回答是空的".to_owned(),
            Self::Stopped => "处理器已停止".to_owned(),
        };
        Words::new(self.to_string(), zh)
    }

    /// A word for metrics.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Error(_) => "error",
            Self::Answer(_) => "answer",
            Self::TimedOut(_) => "timeout",
            Self::Ended(_) => "ended",
            Self::NotRunning(_) => "not_running",
            Self::TooLong(_) => "too_long",
            Self::Service(_) => "service",
            Self::Empty => "empty",
            Self::Stopped => "stopped",
        }
    }
}

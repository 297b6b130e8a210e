//! Captures of a type, and answers in place of errors.

use thiserror::Error;

use crate::{Context, Words};

/// The longest part of a person's text that an answer quotes, in characters.
const LONGEST: usize = 40;

/// A type of captures.
///
/// ```
/// use mynah_core::{Arg, Words};
///
/// enum Size {
///     Small,
///     Large,
/// }
///
/// impl Arg for Size {
///     fn read(text: &str) -> Option<Self> {
///         match text {
///             "small" => Some(Self::Small),
///             "large" => Some(Self::Large),
///             _ => None,
///         }
///     }
///
///     fn expected() -> Words {
///         Words::fixed("small or large", "small 或 large")
///     }
/// }
/// ```
pub trait Arg: Sized {
    /// The value that a text means; `None` if it means none.
    fn read(text: &str) -> Option<Self>;

    /// A phrase for the expected texts, such as "a whole number".
    fn expected() -> Words;
}

/// An error that is an answer: the person gets these words, in the language of the bot, in place of the effects of the
/// handler, and the turn ends. It is not a failure of the handler: nothing is logged, and the brakes of the rule hold.
///
/// ```
/// use mynah_core::{Context, Flow, HandlerError, Message, Rejection, Words};
///
/// fn order(ctx: &mut Context, message: &Message) -> Result<Flow, HandlerError> {
///     let pieces: u32 = ctx.arg("pieces")?.unwrap_or(1);
///     if pieces > 100 {
///         return Err(Rejection(Words::fixed("At most 100.", "最多 100。")).into());
///     }
///     ctx.reply(format!("{pieces} pieces"));
///     Ok(Flow::Stop)
/// }
/// # let _ = mynah_core::handler_fn(order);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{}", .0.en)]
pub struct Rejection(pub Words);

impl Context {
    /// One capture as a value of a type; `None` if the rule has no such capture or its text is empty.
    ///
    /// # Errors
    ///
    /// If the text is not of the type: an answer to the person that names the capture and the expected texts.
    pub fn arg<T: Arg>(&self, name: &str) -> Result<Option<T>, Rejection> {
        let Some(text) = self.capture(name).map(str::trim).filter(|text| !text.is_empty()) else {
            return Ok(None);
        };
        T::read(text).map(Some).ok_or_else(|| {
            let Words { en, zh } = T::expected();
            let mut shown: String = text.chars().take(LONGEST).collect();
            if shown.len() < text.len() {
                shown.push('…');
            }
            Rejection(Words::new(
                format!("{name} should be {en}, not “{shown}”"),
                format!("{name} 应为{zh}，不能是“{shown}”"),
            ))
        })
    }
}

impl Arg for String {
    fn read(text: &str) -> Option<Self> {
        Some(text.to_owned())
    }

    fn expected() -> Words {
        Words::fixed("a text", "文字")
    }
}

/// The text with full-width digits and signs as their usual forms.
fn narrow(text: &str) -> String {
    let usual = |c| match c {
        '０'..='９' | '＋' | '－' | '．' => char::from_u32(c as u32 - 0xFEE0).unwrap_or(c),
        _ => c,
    };
    text.chars().map(usual).collect()
}

macro_rules! numbers {
    ($($type:ty: $en:literal, $zh:literal;)*) => { $(
        impl Arg for $type {
            fn read(text: &str) -> Option<Self> {
                narrow(text).parse().ok()
            }

            fn expected() -> Words {
                Words::fixed($en, $zh)
            }
        }
    )* };
}

numbers! {
    u8: "a whole number from 0 to 255", " 0 到 255 的整数";
    u16: "a whole number from 0 to 65535", " 0 到 65535 的整数";
    u32: "a whole number that is not negative", "不为负的整数";
    u64: "a whole number that is not negative", "不为负的整数";
    usize: "a whole number that is not negative", "不为负的整数";
    i8: "a whole number from -128 to 127", " -128 到 127 的整数";
    i16: "a whole number from -32768 to 32767", " -32768 到 32767 的整数";
    i32: "a whole number", "整数";
    i64: "a whole number", "整数";
    isize: "a whole number", "整数";
}

macro_rules! floats {
    ($($type:ty)*) => { $(
        impl Arg for $type {
            fn read(text: &str) -> Option<Self> {
                narrow(text).parse().ok().filter(|number: &Self| number.is_finite())
            }

            fn expected() -> Words {
                Words::fixed("a number", "数字")
            }
        }
    )* };
}

floats! { f32 f64 }

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Captures, Event, EventBody, Frame, Timestamp};

    fn with(text: &str) -> Context {
        let event = Event { id: "e".into(), time: Timestamp::default(), body: EventBody::Started };
        let mut ctx = Context::new(Frame::of(&event, Timestamp::default()));
        let _ = ctx.begin_call(Captures::from([("n".to_owned(), text.to_owned())]));
        ctx
    }

    #[test]
    fn a_capture_is_read_as_its_type() {
        assert_eq!(with("１2").arg::<u8>("n"), Ok(Some(12)));
        assert_eq!(with(" -3 ").arg::<i64>("n"), Ok(Some(-3)));
        assert_eq!(with("－１．５").arg::<f64>("n"), Ok(Some(-1.5)));
        assert_eq!(with("tea").arg::<String>("n"), Ok(Some("tea".to_owned())));
        assert_eq!(with("").arg::<u8>("n"), Ok(None));
        assert_eq!(with("1").arg::<u8>("m"), Ok(None));
        assert!(with("NaN").arg::<f64>("n").is_err() && with("inf").arg::<f32>("n").is_err());
    }

    #[test]
    fn a_text_of_another_type_is_an_answer_in_both_languages() {
        let Rejection(words) = with("256").arg::<u8>("n").unwrap_err();
        assert_eq!(words.en, "n should be a whole number from 0 to 255, not “256”");
        assert_eq!(words.zh, "n 应为 0 到 255 的整数，不能是“256”");
        let Rejection(words) = with(&"九".repeat(100)).arg::<i32>("n").unwrap_err();
        assert!(words.en.ends_with("九…”") && words.en.chars().count() < 80, "{}", words.en);
    }
}

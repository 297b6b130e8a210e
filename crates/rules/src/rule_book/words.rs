//! The words that answers take from the program, in the language of the bot.

use jiff::civil::Weekday;
use mynah_reader::Lang;

/// The language of a bot that names none: bots of earlier versions speak Chinese.
pub(crate) const USUAL: Lang = Lang::Zh;

/// The value of `{weekday}`.
pub(crate) fn weekday(day: Weekday, lang: Lang) -> &'static str {
    let (en, zh) = match day {
        Weekday::Monday => ("Monday", "星期一"),
        Weekday::Tuesday => ("Tuesday", "星期二"),
        Weekday::Wednesday => ("Wednesday", "星期三"),
        Weekday::Thursday => ("Thursday", "星期四"),
        Weekday::Friday => ("Friday", "星期五"),
        Weekday::Saturday => ("Saturday", "星期六"),
        Weekday::Sunday => ("Sunday", "星期日"),
    };
    match lang {
        Lang::En => en,
        Lang::Zh => zh,
    }
}

/// Names of people as a list.
pub(crate) fn list<'n>(names: impl Iterator<Item = &'n str>, lang: Lang) -> String {
    let comma = match lang {
        Lang::En => ", ",
        Lang::Zh => "、",
    };
    names.collect::<Vec<_>>().join(comma)
}

//! Emoji in the private-use area, as phones wrote them before Unicode had emoji. The numbers are those of SoftBank;
//! `EmojiSources.txt` of Unicode maps them to characters.

use std::borrow::Cow;

/// The first number of each block, and its emoji in order, separated by blanks.
#[rustfmt::skip]
const BLOCKS: [(u32, &str); 6] = [
    (0xe001, "\
        👦 👧 💋 👨 👩 👕 👟 📷 ☎ 📱 📠 💻 👊 👍 ☝ ✊ ✌ ✋ 🎿 ⛳ 🎾 ⚾ 🏄 ⚽ 🐟 🐴 🚗 ⛵ ✈ 🚃 \
        🚅 ❓ ❗ ❤ 💔 🕐 🕑 🕒 🕓 🕔 🕕 🕖 🕗 🕘 🕙 🕚 🕛 🌸 🔱 🌹 🎄 💍 💎 🏠 ⛪ 🏢 🚉 ⛽ 🗻 🎤 \
        🎥 🎵 🔑 🎷 🎸 🎺 🍴 🍸 ☕ 🍰 🍺 ⛄ ☁ ☀ ☔ 🌙 🌄 👼 🐱 🐯 🐻 🐶 🐭 🐳 🐧 😊 😃 😞 😠 💩"),
    (0xe101, "\
        📫 📮 📩 📲 😜 😍 😱 😓 🐵 🐙 🐷 👽 🚀 👑 💡 🍀 💏 🎁 🔫 🔍 🏃 🔨 🎆 🍁 🍂 👿 👻 💀 🔥 💼 \
        💺 🍔 ⛲ ⛺ ♨ 🎡 🎫 💿 📀 📻 📼 📺 👾 〽 🀄 🆚 💰 🎯 🏆 🏁 🎰 🐎 🚤 🚲 🚧 🚹 🚺 🚼 💉 💤 \
        ⚡ 👠 🛀 🚽 🔊 📢 🎌 🔒 🔓 🌆 🍳 📖 💱 💹 📡 💪 🏦 🚥 🅿 🚏 🚻 👮 🏣 🏧 🏥 🏪 🏫 🏨 🚌 🚕"),
    (0xe201, "\
        🚶 🚢 🈁 💟 ✴ ✳ 🔞 🚭 🔰 ♿ 📶 ♥ ♦ ♠ ♣ #\u{20e3} ➿ 🆕 🆙 🆒 🈶 🈚 🈷 🈸 🔴 🔲 🔳 1\u{20e3} 2\u{20e3} 3\u{20e3} \
        4\u{20e3} 5\u{20e3} 6\u{20e3} 7\u{20e3} 8\u{20e3} 9\u{20e3} 0\u{20e3} 🉐 🈹 🈂 🆔 🈵 🈳 🈯 🈺 👆 👇 👈 👉 ⬆ ⬇ ➡ ⬅ ↗ ↖ ↘ ↙ ▶ ◀ ⏩ \
        ⏪ 🔯 ♈ ♉ ♊ ♋ ♌ ♍ ♎ ♏ ♐ ♑ ♒ ♓ ⛎ 🔝 🆗 \u{a9} \u{ae} 📳 📴 ⚠ 💁"),
    (0xe301, "\
        📝 👔 🌺 🌷 🌻 💐 🌴 🌵 🚾 🎧 🍶 🍻 ㊗ 🚬 💊 🎈 💣 🎉 ✂ 🎀 ㊙ 💽 📣 👒 👗 👡 👢 💄 💅 💆 \
        💇 💈 👘 👙 👜 🎬 🔔 🎶 💓 💗 💘 💙 💚 💛 💜 ✨ ⭐ 💨 💦 ⭕ ❌ 💢 🌟 ❔ ❕ 🍵 🍞 🍦 🍟 🍡 \
        🍘 🍚 🍝 🍜 🍛 🍙 🍢 🍣 🍎 🍊 🍓 🍉 🍅 🍆 🎂 🍱 🍲"),
    (0xe401, "\
        😥 😏 😔 😁 😉 😣 😖 😪 😝 😌 😨 😷 😳 😒 😰 😲 😭 😂 😢 ☺ 😄 😡 😚 😘 👀 👃 👂 👄 🙏 👋 \
        👏 👌 👎 👐 🙅 🙆 💑 🙇 🙌 👫 👯 🏀 🏈 🎱 🏊 🚙 🚚 🚒 🚑 🚓 🎢 🚇 🚄 🎍 💝 🎎 🎓 🎒 🎏 🌂 \
        💒 🌊 🍧 🎇 🐚 🎐 🌀 🌾 🎃 🎑 🍃 🎅 🌅 🌇 🌃 🌈"),
    (0xe501, "\
        🏩 🎨 🎩 🏬 🏯 🏰 🎦 🏭 🗼 \u{e50a} 🇯🇵 🇺🇸 🇫🇷 🇩🇪 🇮🇹 🇬🇧 🇪🇸 🇷🇺 🇨🇳 🇰🇷 👱 👲 👳 👴 👵 👶 👷 👸 🗽 💂 \
        💃 🐬 🐦 🐠 🐤 🐹 🐛 🐘 🐨 🐒 🐑 🐺 🐮 🐰 🐍 🐔 🐗 🐫 🐸 🅰 🅱 🆎 🅾 👣 \u{2122}"),
];

/// The same text with private-use emoji replaced.
pub(super) fn replaced(text: Cow<'_, str>) -> Cow<'_, str> {
    if !text.contains(|c| emoji(c).is_some()) {
        return text;
    }
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match emoji(c) {
            Some(emoji) => out.push_str(emoji),
            None => out.push(c),
        }
    }
    Cow::Owned(out)
}

fn emoji(c: char) -> Option<&'static str> {
    let number = u32::from(c);
    // Nearly every character is outside: this avoids the search.
    if !(0xe001..=0xe537).contains(&number) {
        return None;
    }
    let (first, block) = BLOCKS.iter().rev().find(|(first, _)| *first <= number)?;
    block.split(' ').nth(usize::try_from(number - first).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_and_the_last_of_every_block_are_known() {
        for (old, new) in [
            ('\u{e001}', Some("\u{1f466}")),
            ('\u{e05a}', Some("\u{1f4a9}")),
            ('\u{e05b}', None),
            ('\u{e101}', Some("\u{1f4eb}")),
            ('\u{e15a}', Some("\u{1f695}")),
            ('\u{e15b}', None),
            ('\u{e201}', Some("\u{1f6b6}")),
            ('\u{e253}', Some("\u{1f481}")),
            ('\u{e254}', None),
            ('\u{e301}', Some("\u{1f4dd}")),
            ('\u{e34d}', Some("\u{1f372}")),
            ('\u{e34e}', None),
            ('\u{e401}', Some("\u{1f625}")),
            ('\u{e44c}', Some("\u{1f308}")),
            ('\u{e44d}', None),
            ('\u{e501}', Some("\u{1f3e9}")),
            ('\u{e537}', Some("\u{2122}")),
            ('\u{e538}', None),
            ('\u{e415}', Some("\u{1f604}")),
            ('\u{e412}', Some("\u{1f602}")),
            ('\u{e022}', Some("\u{2764}")),
            ('\u{e210}', Some("\u{23}\u{20e3}")),
            ('\u{e50b}', Some("\u{1f1ef}\u{1f1f5}")),
            ('\u{e50a}', Some("\u{e50a}")),
            ('\u{e000}', None),
            ('\u{f8ff}', None),
            ('a', None),
        ] {
            assert_eq!(emoji(old), new, "{:x}", u32::from(old));
        }
    }

    #[test]
    fn text_around_them_stays() {
        assert_eq!(replaced("a\u{e415}b\u{f000}".into()), "a\u{1f604}b\u{f000}");
    }
}

//! Rule sets and messages like those of real bots, the same for the same seed: 60 % keywords (Chinese words of 2 to 6
//! characters, English words), 10 % exact texts, 10 % prefixes, 20 % regexes with captures; 5 % of all for groups only.
//! In the mix with case, 85 % of the rules and a third of the English words distinguish case.

use std::collections::HashSet;
use std::fmt::Write;
use std::sync::LazyLock;

use mynah_core::Random;

/// Characters that Chinese words are made of.
const HAN: &str = "的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会可主发年动同工也能下过子说产种面而方\
    后多定行学法所民得经十三之进着等部度家电力里如水化高自二理起小物现实加量都两体制机当使点从业本去把性好应开它合还因由其些然前\
    外天政四日那社义事平形相全表间样与关各重新线内数正心反你明看原又么利比或但质气第向道命此变条只没结解问意建月公无系军很情者最\
    立代想已通并提直题党程展五果料象员革位入常文总次品式活设及管特件长求老头基资边流路级少图山统接知较将组见计别她手角期根论运农";

const SYLLABLES: [&str; 24] = [
    "ba", "co", "der", "fi", "gan", "hol", "in", "jo", "ker", "lo", "mi", "nor", "op", "pra",
    "que", "ris", "sto", "tu", "un", "ver", "wim", "ex", "yo", "zen",
];

/// What distinguishes one table of the benchmark from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mix {
    /// No rule distinguishes case; short messages have 5 to 45 characters.
    NoCase,
    /// Most rules say `case = true`; short messages have 77 bytes on average.
    WithCase,
}

/// One rule, in the terms of `bot.toml` and in those of a bare loop of regexes.
pub(crate) struct Rule {
    pub(crate) toml: String,
    pub(crate) regex: String,
    pub(crate) group_only: bool,
    /// A text that it answers.
    pub(crate) hit: String,
}

/// Something said.
pub(crate) struct Sample {
    pub(crate) text: String,
    pub(crate) in_group: bool,
}

/// So many rules.
pub(crate) fn rules(mix: Mix, count: usize, seed: u64) -> Vec<Rule> {
    let mut random = Random::from_seed(seed);
    (0..count).map(|n| rule(mix, n, &mut random)).collect()
}

fn rule(mix: Mix, n: usize, random: &mut Random) -> Rule {
    let word = word(mix, random);
    let case = mix == Mix::WithCase && random.below(20) < 17;
    let flags = if case { "" } else { "(?i)" };
    let edge = |word: &str| if word.is_ascii() { r"(?-u:\b)" } else { "" };
    let (key, value, regex, hit) = match random.below(10) {
        0..6 => {
            let regex = format!("{flags}{0}{word}{0}", edge(&word));
            ("keyword", format!("\"{word}\""), regex, word.clone())
        }
        6 => ("exact", format!("\"{word}\""), format!(r"{flags}^\s*{word}\s*$"), word.clone()),
        7 => {
            let regex = format!("{flags}^{word}{}(.*)$", edge(&word));
            ("prefix", format!("\"{word}\""), regex, format!("{word} 北京"))
        }
        _ => {
            let (regex, hit) = expression(&word, random);
            ("regex", format!("'{regex}'"), format!("{flags}{regex}"), hit)
        }
    };
    let group_only = random.below(20) == 0;
    let mut toml = format!("[[rule]]\n{key} = {value}\nreply = \"回答 {n}\"\n");
    if group_only {
        toml.push_str("in = \"group\"\n");
    }
    if case {
        toml.push_str("case = true\n");
    }
    Rule { toml, regex, group_only, hit }
}

fn expression(word: &str, random: &mut Random) -> (String, String) {
    let digits = 10_000 + random.below(1_000_000);
    match random.below(5) {
        0 => (format!(r"{word}号?\s*[:：]?\s*(?<no>\d{{4,12}})"), format!("{word}：{digits}")),
        1 => (format!(r"^{word}\s+(\S+)\s+(\d+)"), format!("{word} 苹果 {digits}")),
        2 => (format!(r"(?:{word}|{word}们)(?:的|in)(?<what>\w{{1,8}})"), format!("{word}的书")),
        3 => (format!(r"(\d+)\s*(?:个|份|pcs)?\s*{word}"), format!("{digits} 个{word}")),
        _ => (format!("{word}.{{0,6}}(价|cost|多少)"), format!("{word}现在多少")),
    }
}

fn chinese(random: &mut Random) -> String {
    let length = 2 + random.below(5);
    (0..length).map(|_| han(random)).collect()
}

fn han(random: &mut Random) -> char {
    static ALL: LazyLock<Vec<char>> =
        LazyLock::new(|| HAN.chars().filter(|c| !c.is_whitespace()).collect());
    // Words of the same kind of bot are alike: a few characters are common.
    let count = ALL.len() as u64;
    let at = random.below(count).min(random.below(count));
    ALL[usize::try_from(at).unwrap_or(0)]
}

fn english(random: &mut Random) -> String {
    let length = 2 + random.below(3);
    (0..length).map(|_| SYLLABLES[usize::try_from(random.below(24)).unwrap_or(0)]).collect()
}

fn word(mix: Mix, random: &mut Random) -> String {
    let word = if random.below(3) == 0 { english(random) } else { chinese(random) };
    if mix == Mix::NoCase || !word.is_ascii() || random.below(3) != 0 {
        return word;
    }
    let (first, rest) = word.split_at(1);
    first.to_ascii_uppercase() + rest
}

/// So many messages, all different, half of which some rule answers.
pub(crate) fn messages(
    mix: Mix,
    rules: &[Rule],
    count: usize,
    long: bool,
    seed: u64,
) -> Vec<Sample> {
    let mut random = Random::from_seed(seed ^ 0x5eed);
    let mut known = HashSet::new();
    let all = std::iter::repeat_with(|| match (mix, long) {
        (Mix::WithCase, false) => message_of_bytes(rules, 40 + random.below(75), &mut random),
        _ => message(rules, long, &mut random),
    });
    all.filter(|said| known.insert(said.text.clone())).take(count).collect()
}

fn message(rules: &[Rule], long: bool, random: &mut Random) -> Sample {
    let length = if long { 2_000 + random.below(18_000) } else { 5 + random.below(40) };
    let mut text = String::new();
    let mut characters = 0;
    while characters < length {
        let word =
            if random.below(3) == 0 { format!(" {} ", english(random)) } else { chinese(random) };
        characters += word.chars().count() as u64;
        text.push_str(&word);
        if random.below(6) == 0 {
            text.push(['，', '。', '！', ' '][usize::try_from(random.below(4)).unwrap_or(0)]);
        }
    }
    if random.below(2) == 0 {
        let rule = &rules[usize::try_from(random.below(rules.len() as u64)).unwrap_or(0)];
        text = match random.below(3) {
            0 => rule.hit.clone(),
            1 => format!("{} {text}", rule.hit),
            _ => format!("{text} {}", rule.hit),
        };
    }
    Sample { text, in_group: random.below(2) == 0 }
}

/// A message of about so many bytes, half of them begun or ended by a text that a rule answers.
fn message_of_bytes(rules: &[Rule], bytes: u64, random: &mut Random) -> Sample {
    let rule = &rules[usize::try_from(random.below(rules.len() as u64)).unwrap_or(0)];
    let hit = if random.below(2) == 0 { rule.hit.as_str() } else { "" };
    let begins = random.below(2) == 0;
    let mut text = if begins { format!("{hit} ") } else { String::new() };
    while ((text.len() + hit.len()) as u64) < bytes {
        let word = word(Mix::WithCase, random);
        if word.is_ascii() {
            let _ = write!(text, " {word} ");
        } else {
            text.push_str(&word);
        }
        if random.below(6) == 0 {
            text.push(['，', '。', '！', ' '][usize::try_from(random.below(4)).unwrap_or(0)]);
        }
    }
    if !begins {
        let _ = write!(text, " {hit}");
    }
    Sample { text, in_group: random.below(2) == 0 }
}

/// Rule sets that are hard, by name.
pub(crate) fn hard(count: usize) -> Vec<(&'static str, String)> {
    let each = |rule: fn(usize) -> String| {
        (0..count).fold(String::new(), |mut all, n| {
            let _ = writeln!(all, "[[rule]]\n{}\nreply = \"{n}\"", rule(n));
            all
        })
    };
    vec![
        ("one literal in all regexes", each(|n| format!(r"regex = '订单(\d+)第{n}号'"))),
        ("one literal in the middle", each(|n| format!(r"regex = '(\d+)元订单\D+{n}$'"))),
        (
            "keywords everywhere",
            each(|n| format!("keyword = \"{}\"\nin = \"private\"", "啊".repeat(1 + n % 24))),
        ),
        (
            "prefixes of one another",
            each(|n| format!("prefix = \"{}{n}\"", "啊".repeat(1 + n % 300))),
        ),
        (
            "regexes without literals",
            each(|n| format!(r"regex = '^\d{{{}}}\s\S{{{}}}$'", 1 + n % 9, 1 + n / 9 % 50)),
        ),
        ("evil patterns", each(|n| format!("regex = '(啊+)+{n}$'"))),
    ]
}

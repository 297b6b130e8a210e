//! The kinds of files, and how one is recognised.

use mynah_reader::Lang;

use crate::{ImportError, Input};

/// A kind of file that can be imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// Tables of questions and answers: CSV, TSV, JSON, XLSX, ODS.
    Table,
    /// The word bank of Koishi's word-core, or a plain JSON object of questions and answers.
    WordBank,
    /// `config.json` of the plugins of CowAgent (chatgpt-on-wechat).
    CowAgent,
    /// Rows of Koishi's dialogue plugin, as JSON.
    Koishi,
    /// Conversations of ChatterBot, as YAML.
    Chatterbot,
    /// RiveScript.
    Rivescript,
    /// AIML 1 and 2.
    Aiml,
    /// Sentences of Home Assistant, as YAML.
    HomeAssistant,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 8] = [
        Self::Table,
        Self::WordBank,
        Self::CowAgent,
        Self::Koishi,
        Self::Chatterbot,
        Self::Rivescript,
        Self::Aiml,
        Self::HomeAssistant,
    ];

    /// Its name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::WordBank => "word-bank",
            Self::CowAgent => "cowagent",
            Self::Koishi => "koishi",
            Self::Chatterbot => "chatterbot",
            Self::Rivescript => "rivescript",
            Self::Aiml => "aiml",
            Self::HomeAssistant => "home-assistant",
        }
    }

    /// Its name for people.
    #[must_use]
    pub const fn shown(self, lang: Lang) -> &'static str {
        match (self, lang) {
            (Self::Table, Lang::En) => "table",
            (Self::Table, Lang::Zh) => "表格",
            (Self::WordBank, Lang::En) => "word bank",
            (Self::WordBank, Lang::Zh) => "词库",
            (Self::CowAgent, _) => "CowAgent",
            (Self::Koishi, Lang::En) => "Koishi dialogue",
            (Self::Koishi, Lang::Zh) => "Koishi 问答",
            (Self::Chatterbot, _) => "ChatterBot",
            (Self::Rivescript, _) => "RiveScript",
            (Self::Aiml, _) => "AIML",
            (Self::HomeAssistant, _) => "Home Assistant",
        }
    }

    /// Whether a file that was found in a folder can be of this kind, by its extension in small letters.
    pub(crate) fn may_have(self, extension: &str) -> bool {
        let extensions: &[&str] = match self {
            Self::Table => &["csv", "tsv", "json", "xlsx", "ods"],
            Self::WordBank | Self::Koishi => &["json"],
            Self::CowAgent => &["json", "txt"],
            Self::Chatterbot | Self::HomeAssistant => &["yaml", "yml"],
            Self::Rivescript => &["rive", "rs"],
            Self::Aiml => &["aiml", "xml"],
        };
        extensions.contains(&extension)
    }

    /// The kind of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The names of all kinds, with commas.
    #[must_use]
    pub fn names() -> String {
        Self::ALL.map(Self::name).join(", ")
    }
}

/// The kind of a file, by its extension and, where that is not enough, by its contents.
pub(crate) fn recognise(input: &Input) -> Result<Kind, ImportError> {
    let unknown = || ImportError::UnknownKind { file: input.name.clone() };
    match input.extension().as_str() {
        "aiml" => Ok(Kind::Aiml),
        "rive" | "rs" => Ok(Kind::Rivescript),
        "csv" | "tsv" | "xlsx" | "ods" => Ok(Kind::Table),
        "yml" | "yaml" => of_yaml(input.text()?).ok_or_else(unknown),
        "json" => crate::json::kind_of(input),
        "xml" if input.text().is_ok_and(|text| text.contains("<aiml")) => Ok(Kind::Aiml),
        _ => Err(unknown()),
    }
}

/// The kind of a YAML file, by its first keys.
fn of_yaml(text: &str) -> Option<Kind> {
    let has = |key: &str| text.lines().any(|line| line.starts_with(key));
    if has("conversations:") {
        return Some(Kind::Chatterbot);
    }
    let keys = ["intents:", "lists:", "expansion_rules:", "responses:", "skip_words:"];
    keys.into_iter().any(has).then_some(Kind::HomeAssistant)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_found_by_their_names() {
        for kind in Kind::ALL {
            assert_eq!(Kind::named(kind.name()), Some(kind));
        }
        assert_eq!(Kind::named("flottbot"), None);
    }

    #[test]
    fn yaml_is_recognised_by_its_keys() {
        assert_eq!(of_yaml("categories:\n- a\nconversations:\n"), Some(Kind::Chatterbot));
        assert_eq!(of_yaml("language: en\nintents:\n  X:\n"), Some(Kind::HomeAssistant));
        assert_eq!(of_yaml("version: 3\n"), None);
    }
}

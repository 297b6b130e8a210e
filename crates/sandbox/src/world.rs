//! Who lives in the sandbox: plain data without HTTP.

/// The people, groups and official accounts that a client sees.
#[derive(Debug, Clone, Default)]
pub struct World {}

/// A world file that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("read the world file")]
pub struct WorldFileError(#[source] toml::de::Error);

impl World {
    /// Reads a world from TOML.
    ///
    /// # Errors
    ///
    /// When the text is no TOML or says something that a world cannot have.
    pub fn from_toml(text: &str) -> Result<Self, WorldFileError> {
        let _: toml::Value = toml::from_str(text).map_err(WorldFileError)?;
        Ok(Self {})
    }

    /// Gives the bot a group where it may speak: makes its nickname one of `names` if none fits, and a group that
    /// one of the globs `groups` admits if none does. Returns that group's name.
    pub fn make_room_for(&mut self, names: &[String], groups: &[String]) -> String {
        names.iter().chain(groups).next().cloned().unwrap_or_default()
    }
}

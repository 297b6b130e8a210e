//! Later.
use crate::{ImportError, Input, Kind};
pub(crate) fn kind_of(input: &Input) -> Result<Kind, ImportError> {
    Err(ImportError::UnknownKind { file: input.name.clone() })
}

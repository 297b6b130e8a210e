//! Later.
use crate::{ImportError, Input, book::Book};
pub(crate) fn read(_inputs: &[&Input], _book: &mut Book) -> Result<(), ImportError> {
    Ok(())
}

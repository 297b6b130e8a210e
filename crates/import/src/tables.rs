//! Later.
use crate::{book::Book, ImportError, Input};
pub(crate) fn read(_inputs: &[&Input], _book: &mut Book) -> Result<(), ImportError> { Ok(()) }

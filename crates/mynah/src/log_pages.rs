//! The log of an account, page by page.

use mynah_core::{LogPage, LogQuery, StoreError, StoreReader};

use crate::unreadable;

/// Calls the closure with each page of a query and reports unreadable entries on standard error.
pub(crate) async fn each_page(
    reader: &dyn StoreReader,
    mut query: LogQuery,
    mut use_page: impl FnMut(LogPage),
) -> Result<(), StoreError> {
    loop {
        let page = reader.log(&query).await?;
        unreadable::warn(&page);
        query.from = page.next;
        let more = page.more;
        use_page(page);
        if !more {
            return Ok(());
        }
    }
}

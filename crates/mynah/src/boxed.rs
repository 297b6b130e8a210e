//! Tasks of one type.

use std::pin::Pin;

/// Puts the future of a rare task into a box. tokio compiles its part of a task for each type of future, and for both kinds of
/// runtimes.
pub(crate) fn boxed(
    task: impl Future<Output = ()> + Send + 'static,
) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    Box::pin(task)
}

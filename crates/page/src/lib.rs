#![doc = include_str!("../README.md")]

mod answer;
mod app;
mod assets;
mod console;
mod health;
mod metrics;
pub mod sandbox;
pub mod view;

use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use mynah_serve::Limits;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub use app::App;
pub use console::ConsolePage;
pub use health::{Condition, Health, RejectedFile};
pub use metrics::{Kind, Metric, Registry};
pub use sandbox::SandboxPage;
pub use view::Page;

/// The data that the pages show.
#[derive(Debug, Clone, Default)]
pub struct Pages {
    /// The states of the accounts.
    pub health: Arc<Health>,
    /// The metrics.
    pub metrics: Arc<Registry>,
}

impl Pages {
    /// The routes, to be served alone or beside others.
    pub fn routes(&self) -> Router {
        Router::new()
            .route("/health", get(health::get_health).with_state(Arc::clone(&self.health)))
            .route("/metrics", get(metrics::get_metrics).with_state(Arc::clone(&self.metrics)))
    }
}

/// Serves routes until stopped, within [`Limits`]. Answers in progress are finished.
pub async fn serve(routes: Router, listener: TcpListener, stop: CancellationToken) {
    mynah_serve::serve(listener, routes, Limits::default(), stop).await;
}

//! The sandbox in the browser, served beside the chat in the terminal.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use mynah_page::App;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::boxed::boxed;
use crate::cli::print;
use crate::view::sandbox::SandboxView;
use crate::{Ended, Report};

/// How long the end waits for answers under way.
const PATIENCE: Duration = Duration::from_secs(1);

/// A page that is served.
pub(super) struct Page {
    stop: CancellationToken,
    tasks: JoinSet<()>,
}

impl Page {
    /// Serves the page and says where. It has no token, so it is for this machine only.
    pub(super) async fn serve(address: SocketAddr, view: Arc<SandboxView>) -> Result<Self, Report> {
        if !address.ip().is_loopback() {
            return Err(beyond_this_machine(address));
        }
        let failed = |error| {
            Report::new(Ended::Usage, format!("failed to serve the page at {address}"))
                .because(error)
                .hint("give another address with --page; port 0 takes a free one")
        };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let bound = listener.local_addr().map_err(failed)?;
        let stop = CancellationToken::new();
        let mut tasks = JoinSet::new();
        tasks.spawn(boxed(Arc::clone(&view).tell()));
        let routes = App::sandbox(view).until(stop.clone()).routes();
        tasks.spawn(boxed(mynah_page::serve(routes, listener, stop.clone())));
        print::to_stdout(|out| writeln!(out, "page: http://{bound}/"))?;
        Ok(Self { stop, tasks })
    }

    /// Ends it: browsers that follow the news are cut off.
    pub(super) async fn close(mut self) {
        self.stop.cancel();
        let ended = async { while self.tasks.join_next().await.is_some() {} };
        // The task that sends the news waits for the sandbox, which ends later.
        let _ = tokio::time::timeout(PATIENCE, ended).await;
        self.tasks.shutdown().await;
    }
}

fn beyond_this_machine(address: SocketAddr) -> Report {
    let what = format!(
        "the page is not served at {address}: it has no token, and everyone in the network could change the rules"
    );
    Report::new(Ended::Usage, what).hint(
        "give --page an address of this machine only, such as 127.0.0.1:8088; \
         from another machine: ssh -L 8088:127.0.0.1:8088 HOST",
    )
}

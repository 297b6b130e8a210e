//! The processes of a program: it and its children, ended together.

/// The process group of a program that leads it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Group(Option<u32>);

impl Group {
    /// The group that this process leads; `None` if it has ended already.
    pub(super) fn of(process: Option<u32>) -> Self {
        Self(process)
    }

    /// Asks all processes of the group to end.
    pub(super) async fn terminate(self) {
        #[cfg(unix)]
        self.signal(nix::sys::signal::Signal::SIGTERM);
        #[cfg(windows)]
        self.end_tree().await;
        #[cfg(unix)]
        std::future::ready(()).await;
    }

    /// Ends all processes of the group.
    pub(super) async fn kill(self) {
        #[cfg(unix)]
        self.signal(nix::sys::signal::Signal::SIGKILL);
        #[cfg(windows)]
        self.end_tree().await;
        #[cfg(unix)]
        std::future::ready(()).await;
    }

    /// An error means that no process of the group is left.
    #[cfg(unix)]
    fn signal(self, signal: nix::sys::signal::Signal) {
        use nix::sys::signal::killpg;
        use nix::unistd::Pid;
        if let Some(process) = self.0.and_then(|process| i32::try_from(process).ok()) {
            let _ = killpg(Pid::from_raw(process), signal);
        }
    }

    /// Windows has no process groups that can be ended; this ends the process and its children. Not tested.
    #[cfg(windows)]
    async fn end_tree(self) {
        if let Some(process) = self.0 {
            let mut command = tokio::process::Command::new("taskkill");
            let _ = command.args(["/T", "/F", "/PID", &process.to_string()]).output().await;
        }
    }
}

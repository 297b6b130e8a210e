//! The processes of a program: it and its children, ended together.

use tokio::process::Child;

/// The process group of a program that leads it.
#[cfg(unix)]
#[derive(Debug)]
pub(super) struct Group(Option<nix::unistd::Pid>);

#[cfg(unix)]
impl Group {
    /// The group that this process leads.
    pub(super) fn of(child: &Child) -> Self {
        let process = child.id().and_then(|process| i32::try_from(process).ok());
        Self(process.map(nix::unistd::Pid::from_raw))
    }

    /// Asks all processes of the group to end.
    pub(super) fn terminate(&self) {
        self.signal(nix::sys::signal::Signal::SIGTERM);
    }

    /// Ends all processes of the group.
    pub(super) fn kill(&self) {
        self.signal(nix::sys::signal::Signal::SIGKILL);
    }

    /// An error means that no process of the group is left.
    fn signal(&self, signal: nix::sys::signal::Signal) {
        if let Some(process) = self.0 {
            let _ = nix::sys::signal::killpg(process, signal);
        }
    }
}

/// The job object of a program: Windows ends its processes with the last handle to it, so also if the bot is killed. A child
/// that starts another one in its first moment, before it belongs to the job, can leave that one behind. Not tested.
#[cfg(windows)]
#[derive(Debug)]
pub(super) struct Group(std::sync::Mutex<Option<win32job::Job>>);

#[cfg(windows)]
impl Group {
    /// A job for this process and all that it starts.
    pub(super) fn of(child: &Child) -> Self {
        let job = job_of(child).inspect_err(|error| {
            tracing::warn!(error, "children of the program are not ended with it");
        });
        Self(std::sync::Mutex::new(job.ok()))
    }

    /// There is no way to ask.
    pub(super) fn terminate(&self) {
        self.kill();
    }

    /// Ends all processes of the job.
    pub(super) fn kill(&self) {
        drop(self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take());
    }
}

#[cfg(windows)]
fn job_of(child: &Child) -> Result<win32job::Job, String> {
    let words = |error: win32job::JobError| error.to_string();
    let mut limits = win32job::ExtendedLimitInfo::new();
    limits.limit_kill_on_job_close();
    let job = win32job::Job::create_with_limit_info(&limits).map_err(words)?;
    let handle = child.raw_handle().ok_or("it has ended already")?;
    job.assign_process(handle as isize).map_err(words)?;
    Ok(job)
}

//! The file descriptors of the process: a usual Linux gives 1024 unless a process asks for more.

use crate::{Ended, Report};

/// The descriptors of a process beside those of its accounts: standard streams, the event queue, the watcher, pages and
/// their visitors, programs.
const OF_PROCESS: u64 = 60;

/// Raises the limit as far as the process may. Returns the limit; `None` if the system has none.
pub(crate) fn raise() -> Option<u64> {
    of_system::raise()
}

/// Refuses a start of so many accounts that each need so many descriptors, if the limit is too low for them.
pub(crate) fn check(accounts: usize, each: u64, limit: Option<u64>) -> Result<(), Report> {
    let needed = OF_PROCESS + each * accounts as u64;
    match limit.filter(|limit| accounts > 1 && *limit < needed) {
        None => Ok(()),
        Some(limit) => {
            let what = format!(
                "{accounts} accounts need {needed} file descriptors ({OF_PROCESS} + {each} each), and this process may have {limit}"
            );
            Err(Report::new(Ended::Usage, what).hint(format!(
                "raise the hard limit: `ulimit -Hn {needed}` as root, LimitNOFILE={needed} in the unit of systemd, \
                 `--ulimit nofile={needed}` of a container"
            )))
        }
    }
}

#[cfg(unix)]
mod of_system {
    use nix::sys::resource::{RLIM_INFINITY, Resource, getrlimit, setrlimit};

    pub(super) fn raise() -> Option<u64> {
        let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).ok()?;
        if soft < hard && setrlimit(Resource::RLIMIT_NOFILE, hard, hard).is_ok() {
            tracing::debug!(from = soft, to = hard, "the limit of file descriptors was raised");
        }
        let (soft, _) = getrlimit(Resource::RLIMIT_NOFILE).ok()?;
        (soft != RLIM_INFINITY).then_some(soft)
    }
}

#[cfg(not(unix))]
mod of_system {
    pub(super) fn raise() -> Option<u64> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_that_is_too_low_is_reported_with_numbers_and_remedy() {
        assert!(check(1000, 9, Some(9060)).is_ok());
        assert!(check(1000, 9, None).is_ok());
        assert!(check(1, 9, Some(20)).is_ok(), "one account is always tried");
        let report = check(1000, 9, Some(9059)).unwrap_err().to_string();
        assert!(report.starts_with("1000 accounts need 9060 file descriptors (60 + 9 each), and this process may have 9059\n"), "{report}");
        assert!(report.contains("LimitNOFILE=9060"), "{report}");
    }
}

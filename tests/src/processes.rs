//! Processes of this machine, as tests look at them.

use std::fs;
use std::process::Command;
use std::time::Duration;

/// Whether a process runs; a zombie does not.
#[must_use]
pub fn runs(process: &str) -> bool {
    let state = match fs::read_to_string(format!("/proc/{process}/stat")) {
        // The name may contain blanks and brackets.
        Ok(stat) => stat.rsplit(')').next().unwrap_or_default().trim_start().to_owned(),
        Err(_) => {
            let output = Command::new("ps").args(["-o", "stat=", "-p", process]).output();
            let output = output.map(|output| output.stdout).unwrap_or_default();
            String::from_utf8_lossy(&output).trim().to_owned()
        }
    };
    !state.is_empty() && !state.starts_with('Z')
}

/// Waits until a process has ended.
pub async fn until_ended(process: &str) {
    while runs(process) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// The running processes with this value of a variable in their environment; none where the system does not show it.
#[must_use]
pub fn with_variable(name: &str, value: &str) -> Vec<String> {
    let wanted = format!("{name}={value}");
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let processes = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let has_variable = |process: &String| {
        let environment = fs::read(format!("/proc/{process}/environ")).unwrap_or_default();
        let mut variables = environment.split(|byte| *byte == 0);
        variables.any(|variable| variable == wanted.as_bytes()) && runs(process)
    };
    processes.filter(has_variable).collect()
}

/// Waits until no process has this value of a variable in its environment.
pub async fn until_none_with(name: &str, value: &str) {
    while !with_variable(name, value).is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

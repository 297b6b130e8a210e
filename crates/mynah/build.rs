//! Packs the relocations of the program, where the C library of the machine can unpack them: they are a fourteenth of its
//! size, and the loader reads them all at each start.

use std::process::Command;

/// The first version of the GNU C library that can.
const SINCE: (u32, u32) = (2, 36);

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if is_for_this_machine() && library().is_some_and(|version| version >= SINCE) {
        // Linkers that do not know it only warn.
        println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
}

/// Whether the program is built for Linux with the GNU C library of the machine, and for the kind of machine that builds it.
fn is_for_this_machine() -> bool {
    let of = |name: &str| std::env::var(name).unwrap_or_default();
    of("CARGO_CFG_TARGET_OS") == "linux"
        && of("CARGO_CFG_TARGET_ENV") == "gnu"
        && !of("CARGO_CFG_TARGET_FEATURE").split(',').any(|feature| feature == "crt-static")
        && of("HOST") == of("TARGET")
}

/// The version of the C library, from a line like `glibc 2.36`.
fn library() -> Option<(u32, u32)> {
    let output = Command::new("getconf").arg("GNU_LIBC_VERSION").output().ok()?;
    let line = String::from_utf8(output.stdout).ok()?;
    let (major, minor) = line.trim().strip_prefix("glibc ")?.split_once('.')?;
    // A third part is about fixes.
    let minor = minor.split('.').next()?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

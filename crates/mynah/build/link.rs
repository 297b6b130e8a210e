//! How a program is linked, where the linker is known: with packed relocations, and functions that are used together side by
//! side.

use std::path::PathBuf;
use std::process::Command;
use std::{env, fs, io};

/// The first version of the GNU C library that can unpack the relocations.
const SINCE: (u32, u32) = (2, 36);

/// Beginnings of names of functions, in parts that blank lines separate.
const LAYOUT: &str = include_str!("layout.txt");

/// Prints the arguments for one kind of programs of the package, `bins` or `examples`.
///
/// # Errors
///
/// If the script for the linker cannot be written.
pub(crate) fn arguments_for(programs: &str) -> io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    if !is_for_this_machine() {
        return Ok(());
    }
    if library().is_some_and(|version| version >= SINCE) {
        // The relocations are a fourteenth of the size of the program, and the loader reads them all at each start. Linkers
        // that do not know how to pack them only warn.
        println!("cargo::rustc-link-arg-{programs}=-Wl,-z,pack-relative-relocs");
    }
    if is_optimised() && is_default_linker() {
        println!("cargo::rustc-link-arg-{programs}=-T");
        println!("cargo::rustc-link-arg-{programs}={}", layout()?.display());
    }
    Ok(())
}

fn of(name: &str) -> String {
    env::var(name).unwrap_or_default()
}

/// Whether the program is built for Linux with the GNU C library of the machine, and for the kind of machine that builds it.
fn is_for_this_machine() -> bool {
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

/// Without optimisation the functions are not those of the list, and developers link often.
fn is_optimised() -> bool {
    of("PROFILE") == "release"
}

/// Whether the linker is LLVM's, which Rust brings for this kind of machine. Others may not read the script, or read it slowly.
fn is_default_linker() -> bool {
    let flags = of("CARGO_ENCODED_RUSTFLAGS");
    of("CARGO_CFG_TARGET_ARCH") == "x86_64"
        && env::var_os("RUSTC_LINKER").is_none()
        && !["linker", "fuse-ld", "link-self-contained"].iter().any(|word| flags.contains(word))
}

/// Writes a script for the linker that puts the functions of the list first. A start touches a fifth of the program; spread
/// over all of it, that would be most of its memory, because the kernel maps sixteen pages at once.
fn layout() -> io::Result<PathBuf> {
    let mut script = String::from("SECTIONS { .text.used : {\n");
    for part in LAYOUT.split("\n\n") {
        let names = part.lines().filter(|line| !line.starts_with('#'));
        let sections: String = names.map(|name| format!(".text.{name}*\n")).collect();
        script.push_str(&format!("*({sections})\n"));
    }
    script.push_str("} } INSERT BEFORE .text;\n");
    let path = PathBuf::from(of("OUT_DIR")).join("layout.ld");
    fs::write(&path, script)?;
    Ok(path)
}

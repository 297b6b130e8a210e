//! How the program `mynah` is linked.

#[path = "build/link.rs"]
mod link;

fn main() -> std::io::Result<()> {
    link::arguments_for("bins")
}

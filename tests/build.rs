//! Links the measurements as the program `mynah` is linked.

#[path = "../crates/mynah/build/link.rs"]
mod link;

fn main() -> std::io::Result<()> {
    link::arguments_for("examples")
}

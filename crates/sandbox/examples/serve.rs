//! Serves a sandbox until Ctrl-C:
//! `cargo run -p mynah-sandbox --example serve -- [--listen ADDRESS] [--auto-confirm] [--world FILE] [--faults FILE]`.

use std::error::Error;

use mynah_sandbox::{Fault, Options, Sandbox, World};

#[tokio::main(flavor = "current_thread")]
#[expect(clippy::print_stdout, reason = "prints the address")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut options = Options::default();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--auto-confirm" => options.auto_confirm = true,
            "--listen" => {
                options.listen = arguments.next().ok_or("--listen needs an address")?.parse()?;
            }
            "--world" => {
                let file = arguments.next().ok_or("--world needs a file")?;
                options.world = World::from_toml(&std::fs::read_to_string(file)?)?;
            }
            "--faults" => {
                let file = arguments.next().ok_or("--faults needs a file")?;
                options.faults = Fault::from_toml(&std::fs::read_to_string(file)?)?;
            }
            other => return Err(format!("{other}: no such option").into()),
        }
    }
    let sandbox = Sandbox::start(options).await?;
    println!("listening on {}", sandbox.url());
    tokio::signal::ctrl_c().await?;
    sandbox.stop().await;
    Ok(())
}

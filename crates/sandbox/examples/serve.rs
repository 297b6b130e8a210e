//! Serves a sandbox until Ctrl-C: `cargo run -p mynah-sandbox --example serve -- [ADDRESS] [--auto-confirm]`.

use std::error::Error;

use mynah_sandbox::{Options, Sandbox};

#[tokio::main(flavor = "current_thread")]
#[expect(clippy::print_stdout, reason = "whoever starts it reads the address there")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut options = Options::default();
    for argument in std::env::args().skip(1) {
        match argument.as_str() {
            "--auto-confirm" => options.auto_confirm = true,
            address => options.listen = address.parse()?,
        }
    }
    let sandbox = Sandbox::start(options).await?;
    println!("listening on {}", sandbox.url());
    tokio::signal::ctrl_c().await?;
    sandbox.stop().await;
    Ok(())
}

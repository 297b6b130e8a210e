//! The stock runner: rules only, no handlers.

#[tokio::main]
async fn main() -> mynah::Result<()> {
    mynah::Bot::new().run_cli().await
}

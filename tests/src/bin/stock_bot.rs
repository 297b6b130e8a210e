//! The stock runner without handlers, for tests of rule files and settings.

#[tokio::main]
async fn main() -> mynah::Result<()> {
    mynah::Bot::new().run_cli().await
}

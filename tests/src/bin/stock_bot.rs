//! The stock runner without handlers of its own, for tests of what people write.

#[tokio::main]
async fn main() -> mynah::Result<()> {
    mynah::Bot::new().run_cli().await
}

//! The stock runner that can keep its data in a database.

#[tokio::main]
async fn main() -> mynah::Result<()> {
    mynah::Bot::new().run_cli().await
}

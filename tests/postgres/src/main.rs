//! The stock runner that can keep its data in a database, with a chat service for tests.

mod lines;

#[tokio::main]
async fn main() -> mynah::Result<()> {
    mynah::Bot::new().connector(&lines::Lines).run_cli().await
}

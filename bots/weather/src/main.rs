//! A bot that calls an HTTP service: see `weather.rs`.

mod weather;

#[cfg(test)]
mod tests;

use std::time::Duration;

use mynah::prelude::*;
use mynah::{Ended, Report};
use weather::{Patience, Weather};

/// Returns the weather in one line for `GET /{city}?format=3`.
const SERVICE: &str = "https://wttr.in";

/// The bot for a service. The handler's time-out is longer than all attempts together, so that the last one can finish.
fn bot(service: &str, patience: Patience) -> Result<Bot, HandlerError> {
    // Made before the HTTP client: `Bot::new` installs the TLS provider of the client.
    let bot = Bot::new();
    let weather = Weather::of(service, patience)?;
    Ok(bot.handler("weather", weather).at_once(4).timeout(Duration::from_secs(20)))
}

#[tokio::main]
async fn main() -> mynah::Result<()> {
    let service = std::env::var("WEATHER_URL").unwrap_or_else(|_| SERVICE.to_owned());
    let bot = bot(&service, Patience::USUAL).map_err(|error| {
        Report::new(Ended::Usage, format!("WEATHER_URL={service} cannot be used")).because(error)
    })?;
    bot.run_cli().await
}

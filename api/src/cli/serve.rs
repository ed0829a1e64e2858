//! `probity serve`.

use super::Failure;
use crate::config::{Secrets, ServerConfig};
use crate::logging;
use crate::output::say;
use crate::serve::{Server, stop_signal};

pub(super) async fn run(mut config: ServerConfig) -> Result<(), Failure> {
    logging::start(config.log_format);
    config.secrets = Secrets::from_environment().map_err(Failure::Environment)?;
    let stop = stop_signal()?;
    let server = Server::open(config).await?;
    say(format_args!(
        "record store: {}",
        server.app().ledger.durability()
    ));
    say(format_args!("listening on http://{}", server.address()));
    server.run(stop).await;
    Ok(())
}

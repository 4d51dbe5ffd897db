//! `history`: stretches of a room's log.

use protocol::{History, HistoryPage, Refusal};

use super::connection::{Connection, parse, refuse};
use super::inbox::Payload;

/// Whoever is signed in may read every public room, present or not.
pub async fn handle(connection: &mut Connection, payload: Payload) -> Result<HistoryPage, Refusal> {
    connection.you()?;
    let history: History = parse(payload)?;
    connection.may_read()?;
    let page = connection.state.hub.history(history).await.map_err(refuse)?;
    connection.has_read(&page.events);
    Ok(page)
}

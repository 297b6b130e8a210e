//! `GET webwxpushloginurl`: a login that the owner confirms on the phone without a scan, section 5.5.

use axum::response::Response;
use serde::Serialize;

use crate::accounts::Shared;
use crate::{answer::json, login::Stage, request::ServiceRequest};

#[derive(Debug, Serialize)]
struct Pushed {
    ret: String,
    msg: String,
    uuid: String,
}

/// Only a browser that has logged in before may use it, and only for this account.
pub(super) async fn push_login(hub: Shared, request: ServiceRequest) -> Response {
    let stage = if hub.options.confirms_itself() { Stage::Confirmed } else { Stage::Scanned };
    let uuid = hub.change(|state| {
        let world = &mut state.world;
        let known = request
            .cookie("webwxuvid")
            .is_some_and(|device| world.devices.iter().any(|it| it == device));
        let ticket = request.cookie("webwx_auth_ticket").is_some_and(|ticket| !ticket.is_empty());
        let mine = request.query("uin") == Some(&world.me().uin.to_string());
        (known && ticket && mine).then(|| state.logins.issue(&mut world.draw, stage))
    });
    match uuid {
        Some(uuid) => {
            hub.publish_login("scanned", Some(&uuid));
            json(&Pushed { ret: "0".to_owned(), msg: "all ok".to_owned(), uuid })
        }
        None => json(&Pushed {
            ret: "1".to_owned(),
            msg: "not allowed".to_owned(),
            uuid: String::new(),
        }),
    }
}

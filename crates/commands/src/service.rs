//! `service`: what came before `systemctl`.

use machine::Io;

use crate::help::tool;
use crate::io::own_name;
use crate::run;

tool!(
    "service",
    "Run a service's control command",
    "service NAME COMMAND",
    main,
    [(
        "service nosuch start",
        "Failed to start nosuch.service: Unit nosuch.service not found.\n"
    ),]
);

async fn main(io: Io) -> i32 {
    let [_, name, verb, ..] = io.args() else {
        let own = own_name(&io);
        io.eprint(&format!("Usage: {own} < option > | --status-all | [ service_name [ command | --full-restart ] ]\n")).await;
        return 1;
    };
    let words = vec!["systemctl".into(), verb.clone(), name.clone()];
    run::become_program(&io, words).await
}

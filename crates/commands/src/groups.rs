//! `groups`: the groups a user is in; everyone here is root.

use machine::Io;

use crate::help::tool;

tool!(
    "groups",
    "Print the groups a user is in",
    "groups [USERNAME]...",
    main,
    [("groups", "root\n"), ("groups root", "root : root\n")]
);

async fn main(io: Io) -> i32 {
    let names = io.args()[1..].to_vec();
    if names.is_empty() {
        io.print("root\n").await;
    }
    let mut status = 0;
    for name in names {
        match &*name {
            "root" => io.print("root : root\n").await,
            _ => {
                io.eprint(&format!("groups: ‘{name}’: no such user\n"))
                    .await;
                status = 1;
            }
        }
    }
    status
}

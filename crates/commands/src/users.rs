//! `users`: the names of who is logged in. Models coreutils src/users.c.

use machine::Io;

use crate::help::tool;
use crate::who;

tool!(
    "users",
    "Print the user names of users currently logged in",
    "users",
    main,
    [("users", "")]
);

async fn main(io: Io) -> i32 {
    let logins = who::logins(&io).await;
    let names: Vec<&str> = logins.iter().map(|login| &*login.user).collect();
    if !names.is_empty() {
        io.print(&format!("{}\n", names.join(" "))).await;
    }
    0
}

//! `poweroff`. Models systemctl poweroff.

use machine::Io;

use crate::help::tool;

tool!("poweroff", "Switch the machine off", "poweroff", main, []);

async fn main(io: Io) -> i32 {
    io.sys(|sys| sys.shut_down(false)).await;
    0
}

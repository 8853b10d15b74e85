//! `reboot`. Models systemctl reboot.

use machine::Io;

use crate::help::tool;

tool!("reboot", "Restart the machine", "reboot", main, []);

async fn main(io: Io) -> i32 {
    io.sys(|sys| sys.shut_down(true)).await;
    0
}

//! `reboot`. Models systemctl reboot.

use machine::Io;

use crate::help::tool;

tool!("reboot", "Restart the machine", "reboot", main, []);

async fn main(io: Io) -> i32 {
    io.until(|sys| {
        sys.shut_down(true);
        None::<()>
    })
    .await;
    0
}

//! `halt`. Models systemctl halt; a machine without power management stays as it is when it has
//! halted, this one is switched off.

use machine::Io;

use crate::help::tool;

tool!("halt", "Halt the machine", "halt", main, []);

async fn main(io: Io) -> i32 {
    io.sys(|sys| sys.shut_down(false)).await;
    0
}

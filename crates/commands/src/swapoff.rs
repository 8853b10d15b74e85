//! `swapoff`: these machines have no swap, so there is none to turn off.

use machine::Io;

use crate::help::tool;

tool!(
    "swapoff",
    "Turn swap off",
    "swapoff -a | DEVICE...",
    main,
    [
        ("swapoff -a", ""),
        (
            "swapoff /swap.img; echo $?",
            "swapoff: /swap.img: swapoff failed: No such file or directory\n4\n"
        ),
    ]
);

async fn main(io: Io) -> i32 {
    let devices: Vec<_> = io.args()[1..].to_vec();
    let mut status = 0;
    for device in devices.iter().filter(|word| !word.starts_with('-')) {
        let text = format!("swapoff: {device}: swapoff failed: No such file or directory\n");
        io.eprint(&text).await;
        status = 4;
    }
    status
}

//! Files of `/proc` that tell of the machine as a whole.
//! Models fs/proc/meminfo.c, cpuinfo.c, version.c, uptime.c and loadavg.c.

use std::rc::Rc;

use net::Errno;

use crate::fs::{Content, Device, Meta, Node, Tree};
use crate::sys::Sys;

/// A file of `/proc`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proc {
    /// `/proc/cpuinfo`.
    CpuInfo,
    /// `/proc/loadavg`.
    LoadAverage,
    /// `/proc/meminfo`.
    MemInfo,
    /// `/proc/mounts`.
    Mounts,
    /// `/proc/swaps`.
    Swaps,
    /// `/proc/uptime`.
    Uptime,
    /// `/proc/version`.
    Version,
}

/// Where each is.
const FILES: &[(&str, Proc)] = &[
    ("/proc/cpuinfo", Proc::CpuInfo),
    ("/proc/loadavg", Proc::LoadAverage),
    ("/proc/meminfo", Proc::MemInfo),
    ("/proc/mounts", Proc::Mounts),
    ("/proc/swaps", Proc::Swaps),
    ("/proc/uptime", Proc::Uptime),
    ("/proc/version", Proc::Version),
];

/// What the kernel and a process at rest take of the memory, in KiB.
const KERNEL_MEMORY: u64 = 168_960;

/// Puts the files into a tree.
///
/// # Errors
/// If something is in the way.
pub fn put_proc(tree: &mut Tree) -> Result<(), Errno> {
    for (path, key) in FILES {
        let node = Node {
            meta: Meta::root(0o444),
            content: Content::Device(Device::Proc(*key)),
        };
        tree.put_all(path, node)?;
    }
    Ok(())
}

impl Sys<'_> {
    /// What a file of `/proc` holds.
    pub(crate) fn proc_file(&self, key: Proc) -> Rc<[u8]> {
        let spec = &self.host().spec;
        let up = self.now().since(self.host().booted);
        let text = match key {
            Proc::CpuInfo => (0..spec.cpus)
                .map(|cpu| processor(cpu, spec.cpus))
                .collect(),
            Proc::LoadAverage => {
                let count = self.host().processes().count();
                format!("0.00 0.00 0.00 1/{count} {}\n", self.pid().0)
            }
            Proc::MemInfo => {
                let total = spec.memory >> 10;
                let free = total.saturating_sub(KERNEL_MEMORY);
                let lines = [
                    ("MemTotal", total),
                    ("MemFree", free),
                    ("MemAvailable", free),
                    ("Buffers", 0),
                    ("Cached", 0),
                    ("SwapTotal", 0),
                    ("SwapFree", 0),
                ];
                let line =
                    |(name, kib): &(&str, u64)| format!("{:<16}{kib:>8} kB\n", format!("{name}:"));
                lines.iter().map(line).collect()
            }
            Proc::Mounts => match self.process() {
                Some(process) => self.mounts_of(process),
                None => String::new(),
            },
            Proc::Swaps => "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n".to_owned(),
            Proc::Uptime => {
                let (secs, rest) = (up.as_secs(), up.subsec_millis() / 10);
                let idle = secs * u64::from(spec.cpus);
                format!("{secs}.{rest:02} {idle}.00\n")
            }
            Proc::Version => format!(
                "Linux version {} (buildd@lcy02-amd64-072) (x86_64-linux-gnu-gcc-13, GNU ld) \
                 #111-Ubuntu SMP PREEMPT_DYNAMIC Sat Apr 11 23:16:02 UTC 2026\n",
                spec.kernel
            ),
        };
        text.into_bytes().into()
    }
}

fn processor(number: u32, count: u32) -> String {
    format!(
        "processor\t: {number}\nvendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel name\t: Virtual CPU\n\
         cpu MHz\t\t: 2400.000\ncache size\t: 16384 KB\nphysical id\t: 0\nsiblings\t: {count}\n\
         core id\t\t: {number}\ncpu cores\t: {count}\n\n"
    )
}

#[cfg(test)]
mod tests {
    use sim::EntryId;

    use super::*;
    use crate::testing::TestBox;

    #[test]
    fn the_machine_is_told() {
        let mut test = TestBox::new(|_| None, &[]);
        let entered = test.world.enter(test.machine, EntryId::NONE, |sys| {
            put_proc(sys.host_mut().disk_mut()).expect("a new tree");
            let text = sys.read_to_string("/proc/meminfo").expect("there");
            let total = sys.host().spec.memory >> 10;
            assert_eq!(
                text.lines().next(),
                Some(&*format!("MemTotal:       {total:>8} kB"))
            );
            let text = sys.read_to_string("/proc/cpuinfo").expect("there");
            let count = text
                .lines()
                .filter(|line| line.starts_with("processor"))
                .count();
            assert_eq!(u32::try_from(count), Ok(sys.host().spec.cpus));
            assert_eq!(sys.write_file("/proc/version", b"x"), Err(Errno::EACCES));
        });
        entered.expect("the machine runs");
    }
}

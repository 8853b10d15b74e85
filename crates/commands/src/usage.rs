//! What programs take of a machine. Memory, threads and processor time are not modelled: these are
//! plausible numbers for what is known by name, for the tools that show them.

use machine::Sys;
use sim::Duration;

/// What a process takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Usage {
    /// Resident memory in KiB.
    pub(crate) resident: u64,
    /// Address space in KiB.
    pub(crate) size: u64,
    /// Threads.
    pub(crate) threads: u32,
    /// Processor time so far is the age divided by this.
    slowness: u32,
}

/// What the process called `name` takes.
pub(crate) fn of(name: &str) -> Usage {
    let (resident, size, threads, slowness) = match name {
        "kube-apiserver" => (301_220, 1_520_764, 12, 25),
        "etcd" => (62_440, 11_740_508, 11, 60),
        "kube-controller-manager" => (118_604, 1_324_892, 9, 80),
        "kube-scheduler" => (64_512, 1_296_580, 10, 250),
        "kubelet" => (98_304, 2_044_720, 13, 70),
        "kube-proxy" => (46_080, 1_297_348, 8, 900),
        "coredns" => (43_520, 747_724, 11, 500),
        "containerd" => (72_704, 2_128_680, 14, 110),
        "containerd-shim-runc-v2" => (13_312, 1_238_548, 11, 2000),
        "pause" => (640, 1020, 1, 100_000),
        "init" | "systemd" => (13_440, 22_424, 1, 1000),
        "sshd" => (9984, 15_436, 1, 20_000),
        "bash" => (5120, 8776, 1, 20_000),
        "dash" | "sh" | "ash" => (1792, 2800, 1, 20_000),
        "nginx" => (7680, 11_584, 1, 20_000),
        _ => (3328, 6140, 1, 20_000),
    };
    Usage {
        resident,
        size,
        threads,
        slowness,
    }
}

impl Usage {
    /// Processor time used in a life of this length.
    pub(crate) fn time(self, age: Duration) -> Duration {
        age / self.slowness
    }

    /// Its share of a processor in tenths of a percent.
    pub(crate) fn permille(self) -> u64 {
        1000 / u64::from(self.slowness)
    }
}

/// Memory in use on the machine, in KiB: its processes and the kernel.
pub(crate) fn memory(sys: &Sys<'_>) -> u64 {
    let processes: u64 = sys.host().processes().map(|p| of(p.name()).resident).sum();
    processes + 168_960
}

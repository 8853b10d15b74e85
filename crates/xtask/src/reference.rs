//! Kubarium against what the real system answered.

use anyhow::Result;

use crate::run::run;
use crate::test::cargo;

/// `cargo xtask reference --iptables DIR`; the folder may be relative to where this is run.
pub(crate) fn reference(args: &[String]) -> Result<()> {
    let here = std::env::current_dir()?;
    let mut command = cargo();
    command.args(["run", "--quiet", "--locked"]);
    command.args(["--package", "kubarium-reference", "--"]);
    for arg in args {
        match arg.starts_with('-') {
            true => command.arg(arg),
            false => command.arg(here.join(arg)),
        };
    }
    run(&mut command)
}

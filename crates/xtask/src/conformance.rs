//! Kubarium against the specs of the upstream conformance suite.

use anyhow::Result;

use crate::run::run;
use crate::test::cargo;

/// `cargo xtask conformance [PART]`: the specs whose names hold it.
pub(crate) fn conformance(args: &[String]) -> Result<()> {
    let mut command = cargo();
    command.args(["run", "--quiet", "--locked"]);
    command.args(["--package", "kubarium-conformance", "--"]);
    run(command.args(args))
}

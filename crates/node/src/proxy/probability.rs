//! How likely a rule of several is taken, as the kernel keeps it and iptables-save prints it.
//! Models computeProbability of pkg/proxy/iptables/proxier.go and iptables' libxt_statistic.c.

/// `0.33333333349` for 3: one in three.
///
/// kube-proxy writes ten decimals, the kernel keeps 31 binary places, iptables-save prints eleven
/// decimals of those. Each step rounds, and all are whole-number arithmetic here.
pub(super) fn one_in(n: usize) -> String {
    const TEN_DECIMALS: u128 = 10_000_000_000;
    const KERNEL: u128 = 1 << 31;
    let written = rounded(TEN_DECIMALS, n.max(1) as u128);
    let kept = rounded(written * KERNEL, TEN_DECIMALS);
    let printed = rounded(kept * TEN_DECIMALS * 10, KERNEL);
    let whole = TEN_DECIMALS * 10;
    format!("{}.{:011}", printed / whole, printed % whole)
}

/// A quotient, to the nearest.
fn rounded(dividend: u128, divisor: u128) -> u128 {
    (dividend + divisor / 2) / divisor
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(n: usize, expected: &str) {
        assert_eq!(one_in(n), expected);
    }

    #[test]
    fn probabilities_as_the_kernel_rounds_them() {
        check(1, "1.00000000000");
        check(2, "0.50000000000");
        check(3, "0.33333333349");
        check(4, "0.25000000000");
        check(5, "0.20000000019");
        check(6, "0.16666666651");
        check(7, "0.14285714272");
        check(10, "0.10000000009");
    }
}

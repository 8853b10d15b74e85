//! Two runs of one scenario leave the same journal.
#![cfg(not(target_arch = "wasm32"))]

use kubarium_tests_wasm::parting;

#[test]
fn a_run_can_be_repeated() {
    let first = lab::scenario::journal();
    // So much happens that it says something.
    assert!(first.len() > 1000, "only {} entries", first.len());
    if let Some(told) = parting(&first, &lab::scenario::journal()) {
        panic!("two native runs: {told}");
    }
}

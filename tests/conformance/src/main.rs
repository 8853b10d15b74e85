//! `kubarium-conformance [PART-OF-A-NAME]`: runs the specs and prints how each went.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "this shell has sockets and a clock"
)]

use std::process::ExitCode;

use kubarium_conformance::{run, serve};

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let only = std::env::args().nth(1).unwrap_or_default();
    let (front, cluster) = serve().await?;
    let outcomes = run(&cluster, &only, |spec| match &spec.failure {
        None => println!("passed  {:4.1} s  {}", spec.took.as_secs_f64(), spec.name),
        Some(why) => println!(
            "FAILED  {:4.1} s  {}\n        {why}",
            spec.took.as_secs_f64(),
            spec.name
        ),
    })
    .await;
    front.stop().await;
    let failed = outcomes.iter().filter(|spec| spec.failure.is_some());
    let failed = failed.count();
    println!(
        "{} of {} specs pass",
        outcomes.len() - failed,
        outcomes.len()
    );
    Ok(ExitCode::from(u8::from(failed > 0)))
}

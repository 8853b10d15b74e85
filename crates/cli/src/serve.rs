//! `kubarium serve`: the cluster for clients that are no part of it, over HTTPS on this machine.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use front::{Front, Options, Pace};
use sim::Instant;

use crate::world::spec;

const HELP: &str = "\
kubarium serve: the API server of a simulated cluster, for kubectl, client libraries and tests

Usage: kubarium serve [options]

The cluster boots, a kubeconfig for its administrator is written, and requests are served until
Ctrl-C. Each travels through the simulated network to the simulated kube-apiserver.

Options:
  --listen ADDRESS:PORT  where to listen (127.0.0.1:6443); port 0 takes a free one
  --http                 without TLS; whoever shows no token is the administrator
  --kubeconfig PATH      write the kubeconfig there (a file in the temporary folder)
  --world WORLD          a preset (default, single, large), a version (v1.35.6) or a YAML file with
                         version and nodes
  --seed N               the seed of everything random (1)
  --start TIME           the cluster's date when it boots: 2026-01-05T09:00:00Z or later, where
                         runs are to be alike; or now: it is up and shows this machine's time
                         (now, so that ages are right)
  --pace PACE            how the cluster's time passes (real):
                           real  as fast as the clock
                           x10   ten times as fast, or x2, x60, …
                           max   without waiting while a request is unanswered, a minute a second
                                 while somebody watches or has just asked, else as fast as the
                                 clock; its clock soon runs ahead of a client's

  $ kubarium serve --kubeconfig /tmp/kubarium.yaml &
  $ kubectl --kubeconfig /tmp/kubarium.yaml get nodes";

struct Args {
    options: Options,
    kubeconfig: Option<PathBuf>,
    world: String,
    seed: u64,
    begins: Instant,
}

/// Serves until a signal comes.
pub(crate) fn serve(args: &[String]) -> Result<ExitCode> {
    let Some(args) = read(args)? else {
        println!("{HELP}");
        return Ok(ExitCode::SUCCESS);
    };
    let (name, seed, begins) = (args.world, args.seed, args.begins);
    let world = move || {
        let mut world = spec(&name, seed)?;
        world.begins = begins;
        Ok(world)
    };
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .context("no threads to serve with")?
        .block_on(async {
            let front = Front::start(world, args.options).await?;
            let path = args.kubeconfig.unwrap_or_else(|| {
                let name = format!("kubarium-{}.kubeconfig", front.addr().port());
                std::env::temp_dir().join(name)
            });
            write(&path, front.kubeconfig())?;
            println!("Serving on {}", front.addr());
            println!("export KUBECONFIG={}", path.display());
            let alive = until_told(&front).await?;
            front.stop().await;
            if !alive {
                bail!("the simulation has ended through a fault of its own");
            }
            Ok(ExitCode::SUCCESS)
        })
}

/// `None` asks for help.
fn read(args: &[String]) -> Result<Option<Args>> {
    use lexopt::prelude::*;
    let now = front::wall_clock();
    let mut read = Args {
        options: Options {
            listen: SocketAddr::from(([127, 0, 0, 1], 6443)),
            http: false,
            pace: Pace::Times(1),
            from: Some(now),
        },
        kubeconfig: None,
        world: "default".to_owned(),
        seed: 1,
        begins: front::early_enough(now),
    };
    let mut parser = lexopt::Parser::from_args(args);
    while let Some(arg) = parser.next()? {
        match arg {
            Long("listen") => read.options.listen = parser.value()?.parse()?,
            Long("http") => read.options.http = true,
            Long("kubeconfig") => read.kubeconfig = Some(parser.value()?.into()),
            Long("world") => read.world = parser.value()?.string()?,
            Long("seed") => read.seed = parser.value()?.parse()?,
            Long("pace") => read.options.pace = parser.value()?.parse()?,
            Long("start") => match &*parser.value()?.string()? {
                "now" => {}
                date => {
                    read.begins = start(date)?;
                    read.options.from = None;
                }
            },
            Long("help") | Short('h') => return Ok(None),
            other => return Err(other.unexpected().into()),
        }
    }
    Ok(Some(read))
}

fn start(text: &str) -> Result<Instant> {
    Instant::parse_rfc3339(text).with_context(|| {
        format!("--start {text}: expected now, or a date such as 2026-01-05T09:00:00Z or later")
    })
}

/// Writes a file that holds a key: for its owner alone.
fn write(path: &PathBuf, text: &str) -> Result<()> {
    use std::io::Write;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options
        .open(path)
        .and_then(|mut file| file.write_all(text.as_bytes()));
    written.with_context(|| format!("--kubeconfig {}", path.display()))
}

/// Waits for a signal; false if the world ended first.
async fn until_told(front: &Front) -> Result<bool> {
    let mut look = tokio::time::interval(Duration::from_millis(200));
    let interrupt = tokio::signal::ctrl_c();
    let mut interrupt = std::pin::pin!(interrupt);
    #[cfg(unix)]
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    loop {
        #[cfg(unix)]
        let terminated = terminate.recv();
        #[cfg(not(unix))]
        let terminated = std::future::pending::<Option<()>>();
        tokio::select! {
            _ = &mut interrupt => return Ok(true),
            _ = terminated => return Ok(true),
            _ = look.tick() => if !front.is_alive() {
                return Ok(false);
            }
        }
    }
}

//! `crictl logs`: a container's log file, rendered as the kubelet renders it.

use machine::{Io, Sys};
use node::cri::{ContainerState, ContainerStatus};
use node::runtime::log::{self, LogOptions};
use sim::{Duration, Instant};

use super::{Done, Session, fatal};
use crate::args::Args;

/// Between two looks at a log that is followed.
const AGAIN: Duration = Duration::from_millis(500);

impl Session {
    pub(super) async fn logs(&mut self, args: &Args) -> Done {
        let Some(id) = args.operands.first() else {
            return fatal("ID cannot be empty");
        };
        let mut container = self.container(id).await?;
        if args.has('p') {
            container = self.previous(&container).await?;
        }
        let directory = self
            .sandbox(&container.sandbox)
            .await?
            .config
            .log_directory
            .clone();
        let path = format!("{directory}/{}", container.config.log_path);
        let mut options = options(args, self.io.now().await)?;
        let mut shown = 0;
        loop {
            let running = self.container(&container.id).await;
            let running = running.is_ok_and(|c| c.state == ContainerState::Running);
            let contents = match self.io.read_file(&path).await {
                Ok(contents) => contents,
                Err(errno) => {
                    let why = errno.go_message();
                    return fatal(format!(
                        "failed to try resolving symlinks in path {path:?}: lstat {path}: {why}"
                    ));
                }
            };
            let end = contents
                .iter()
                .rposition(|byte| *byte == b'\n')
                .map_or(0, |at| at + 1);
            let text = log::render(&contents[shown.min(end)..end], &mut options);
            self.io.print(&String::from_utf8_lossy(&text)).await;
            shown = end;
            if !args.has('f') || !running {
                return Ok(());
            }
            changed(&self.io, &path, contents.len()).await;
        }
    }

    /// The container of the same name that ran before.
    async fn previous(&mut self, of: &ContainerStatus) -> Done<ContainerStatus> {
        let before = self.containers().await?.into_iter().find(|container| {
            container.sandbox == of.sandbox
                && container.config.name == of.config.name
                && container.config.attempt < of.config.attempt
        });
        match before {
            Some(container) => Ok(container),
            None => fatal(format!(
                "previous terminated container {:?} not found",
                &*of.config.name
            )),
        }
    }
}

/// Waits until a file has grown, or some time.
async fn changed(io: &Io, path: &str, size: usize) {
    let path = path.to_owned();
    let end = io.deadline(AGAIN).await;
    io.until(move |sys: &mut Sys<'_>| {
        let grown = sys.read_file(&path).is_ok_and(|bytes| bytes.len() != size);
        (grown || sys.now() >= end).then_some(())
    })
    .await;
}

fn options(args: &Args, now: Instant) -> Done<LogOptions> {
    let number = |letter: char| match args.value(letter).map(|text| text.parse::<i64>()) {
        None => Ok(None),
        Some(Ok(number)) => Ok(u64::try_from(number).ok()),
        Some(Err(_)) => fatal("a number is needed"),
    };
    let since = args.value('s').and_then(|text| {
        let span = api::time::parse_go_duration(text);
        let at = span.map(|span| {
            let span = u64::try_from(span.as_nanos()).unwrap_or(u64::MAX);
            Instant::from_nanos(now.as_nanos().saturating_sub(span))
        });
        at.or_else(|| Instant::parse_rfc3339(text))
    });
    Ok(LogOptions {
        tail_lines: number('n')?,
        since,
        timestamps: args.has('t'),
        limit_bytes: number('\u{1}')?,
    })
}

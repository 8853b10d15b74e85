//! `crictl stop`, `start`, `rm`, `stopp`, `rmp`, `rmi`, `pull` and `exec`.

use machine::Fd;
use node::cri::{ContainerState, Part, Reply, Request, Stdio};
use sim::Duration;

use super::{Done, Fatal, Session, fatal, unreachable};
use crate::args::Args;
use crate::runtime::Next;

impl Session {
    pub(super) async fn change_containers(&mut self, verb: &str, args: &Args) -> Done {
        let mut ids = args.operands.clone();
        if ids.is_empty() && args.has('a') {
            let all = self.containers().await?;
            ids = all.iter().map(|container| container.id.clone()).collect();
        }
        if ids.is_empty() {
            return fatal("ID cannot be empty");
        }
        for given in ids {
            let doing = match verb {
                "stop" => format!("stopping the container {given:?}"),
                "start" => format!("starting the container {given:?}"),
                _ => format!("removing the container {given:?}"),
            };
            let named = |Fatal(why)| Fatal(format!("{doing}: {why}"));
            let container = self.container(&given).await.map_err(named)?;
            let seconds = args
                .value('t')
                .and_then(|text| text.trim_end_matches('s').parse().ok());
            let timeout = Duration::from_secs(seconds.unwrap_or(0));
            let id = container.id.clone();
            let stop = Request::StopContainer {
                id: id.clone(),
                timeout,
            };
            let running = container.state == ContainerState::Running;
            match verb {
                "stop" => self.call(stop, &doing).await?,
                "start" => {
                    self.call(Request::StartContainer(id.clone()), &doing)
                        .await?
                }
                _ if running && !args.has('f') => {
                    return fatal(format!(
                        "container {given:?} is running, please stop it first"
                    ));
                }
                _ => {
                    if running {
                        self.call(stop, &doing).await?;
                    }
                    self.call(Request::RemoveContainer(id.clone()), &doing)
                        .await?
                }
            };
            self.io.print(&format!("{given}\n")).await;
        }
        Ok(())
    }

    pub(super) async fn change_sandboxes(&mut self, verb: &str, args: &Args) -> Done {
        let mut ids = args.operands.clone();
        if ids.is_empty() && args.has('a') {
            let all = self.sandboxes().await?;
            ids = all.iter().map(|sandbox| sandbox.id.clone()).collect();
        }
        if ids.is_empty() {
            return fatal("ID cannot be empty");
        }
        for given in ids {
            let (word, doing) = match verb {
                "stopp" => ("Stopped", format!("stopping the pod sandbox {given:?}")),
                _ => ("Removed", format!("removing the pod sandbox {given:?}")),
            };
            let named = |Fatal(why)| Fatal(format!("{doing}: {why}"));
            let sandbox = self.sandbox(&given).await.map_err(named)?;
            let id = sandbox.id.clone();
            if verb == "rmp" && sandbox.ready && !args.has('f') {
                return fatal(format!(
                    "pod sandbox {given:?} is running, please stop it first"
                ));
            }
            if verb == "stopp" || sandbox.ready {
                self.call(Request::StopPodSandbox(id.clone()), &doing)
                    .await?;
            }
            if verb == "rmp" {
                self.call(Request::RemovePodSandbox(id), &doing).await?;
            }
            self.io.print(&format!("{word} sandbox {given}\n")).await;
        }
        Ok(())
    }

    pub(super) async fn remove_images(&mut self, args: &Args) -> Done {
        let mut names = args.operands.clone();
        if names.is_empty() && (args.has('a') || args.has('q')) {
            let used = self.containers().await?;
            let spare = self.images().await?.into_iter().filter(|image| {
                let in_use = |name: &std::rc::Rc<str>| used.iter().any(|c| c.image == *name);
                let pinned = image.repo_tags.iter().any(|tag| tag.contains("/pause:"));
                !(pinned || args.has('q') && image.repo_tags.iter().any(in_use))
            });
            names = spare.map(|image| image.id).collect();
        }
        if names.is_empty() && !args.has('q') {
            return fatal("ID cannot be empty");
        }
        for name in names {
            let Some(image) = self.image(&name).await? else {
                return fatal(format!("no such image {name}"));
            };
            self.call(Request::RemoveImage(image.id.clone()), "removing image")
                .await?;
            let text: String = match image.repo_tags.as_slice() {
                [] => format!("Deleted: {}\n", image.id),
                tags => tags.iter().map(|tag| format!("Deleted: {tag}\n")).collect(),
            };
            self.io.print(&text).await;
        }
        Ok(())
    }

    pub(super) async fn pull(&mut self, args: &Args) -> Done {
        let [name] = &args.operands[..] else {
            return fatal("exactly one image name is needed");
        };
        let reply = self
            .call(Request::PullImage(name.clone()), "pulling image")
            .await?;
        if let Reply::Image(Some(image)) = reply {
            let id = &image.id;
            self.io
                .print(&format!("Image is up to date for {id}\n"))
                .await;
        }
        Ok(())
    }

    pub(super) async fn exec(&mut self, args: &Args) -> Done {
        let [id, command @ ..] = &args.operands[..] else {
            return fatal("ID cannot be empty");
        };
        if command.is_empty() {
            return fatal("please specify a command");
        }
        let container = self.container(id).await?;
        let tty = args.has('t') && self.io.sys(|sys| sys.is_tty(Fd::STDIN)).await;
        let stdio = Stdio {
            stdin: args.has('i'),
            tty,
        };
        let request = Request::Exec {
            id: container.id,
            command: command.into(),
            stdio,
        };
        self.call(request, "execing command in container").await?;
        if tty {
            self.io.sys(|sys| sys.tty_raw(Fd::STDIN, true)).await.ok();
        }
        let ended = self.pump(stdio.stdin).await;
        if tty {
            self.io.sys(|sys| sys.tty_raw(Fd::STDIN, false)).await.ok();
        }
        match ended? {
            0 => Ok(()),
            code => fatal(format!("command terminated with exit code {code}")),
        }
    }

    /// Carries bytes both ways until the command ends; gives its exit code.
    async fn pump(&mut self, stdin: bool) -> Done<i32> {
        let (io, mut typing) = (self.io.clone(), stdin);
        loop {
            match self.runtime.next(&io, typing).await {
                Next::Part(Part::Stdout(bytes)) => io.write_all(Fd::STDOUT, &bytes).await,
                Next::Part(Part::Stderr(bytes)) => io.write_all(Fd::STDERR, &bytes).await,
                Next::Part(Part::Exited(code)) => return Ok(code),
                Next::Part(_) => {}
                Next::Lost => return Err(unreachable(machine::Errno::ECONNRESET)),
                Next::Typed(bytes) => {
                    typing = !bytes.is_empty();
                    let part = match typing {
                        true => Part::Stdin(bytes),
                        false => Part::StdinClosed,
                    };
                    self.runtime.part(&io, part).await.map_err(unreachable)?;
                }
            }
        }
    }
}

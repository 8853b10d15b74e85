//! Where a transfer's bytes go: the standard output or a file, which is made with the first byte.

use std::rc::Rc;

use machine::{Errno, Fd, Io, OpenMode};

use super::options::Given;
use super::report::Report;
use super::transfer::Failure;
use crate::url::Url;

/// The place for what is received.
#[derive(Clone, Debug)]
pub(super) struct Output {
    /// The file, or nothing for the standard output.
    pub(super) path: Option<Rc<str>>,
    fd: Option<Fd>,
    dirs: bool,
}

impl Output {
    /// The place of the URL that stands at `at`: options and URLs pair up in order.
    pub(super) fn of(given: &Given, at: usize, url: &str) -> Result<Output, Failure> {
        let path: Option<Rc<str>> = match given.of(&["output", "remote-name"]).get(at) {
            Some(("output", path)) if &**path == "-" => None,
            Some(("output", path)) => Some(path.clone()),
            Some(_) => {
                let url = Url::parse(url).map_err(|bad| Failure::new(3, bad.message()))?;
                if url.file_name().is_empty() {
                    let why = "Remote file name has no length";
                    return Err(Failure::new(23, why));
                }
                Some(url.file_name().into())
            }
            None => None,
        };
        let path = match (path, given.value("output-dir")) {
            (Some(path), Some(dir)) => Some(crate::io::join(dir, &path).into()),
            (path, _) => path,
        };
        Ok(Output {
            path,
            fd: None,
            dirs: given.on("create-dirs"),
        })
    }

    /// Whether it is a terminal.
    pub(super) async fn is_terminal(&self, io: &Io) -> bool {
        self.path.is_none() && io.sys(|sys| sys.is_tty(Fd::STDOUT)).await
    }

    /// Writes bytes.
    pub(super) async fn write(
        &mut self,
        io: &Io,
        bytes: &[u8],
        report: &Report,
    ) -> Result<(), Failure> {
        let fd = self.open(io).await.map_err(|_| {
            let failure = Failure::new(23, "Failure writing output to destination");
            Failure {
                report: Box::new(report.clone()),
                ..failure
            }
        })?;
        io.write_all(fd, bytes).await;
        Ok(())
    }

    /// Makes the file if nothing was written, and closes it.
    pub(super) async fn finish(&mut self, io: &Io) {
        if self.path.is_some()
            && self.open(io).await.is_ok()
            && let Some(fd) = self.fd.take()
        {
            io.close(fd).await;
        }
    }

    async fn open(&mut self, io: &Io) -> Result<Fd, Errno> {
        let Some(path) = self.path.clone() else {
            return Ok(Fd::STDOUT);
        };
        if let Some(fd) = self.fd {
            return Ok(fd);
        }
        if self.dirs {
            let dir = crate::io::split_path(&path).0.to_owned();
            io.sys(move |sys| sys.mkdir_all(&dir)).await?;
        }
        match io.open(&path, OpenMode::Truncate).await {
            Ok(fd) => {
                self.fd = Some(fd);
                Ok(fd)
            }
            Err(errno) => {
                let why = errno.message();
                let text = format!("Warning: Failed to open the file {path}: {why}\n");
                io.eprint(&text).await;
                Err(errno)
            }
        }
    }
}

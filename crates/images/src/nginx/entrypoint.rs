//! The image's entry point: says what it does to the configuration, then becomes the command.
//! Models docker-entrypoint.sh of github.com/nginx/docker-nginx.

use std::rc::Rc;

use machine::{Fd, OpenMode, Poll, Program, Sys, Wake};

/// The configuration that the scripts look at.
const DEFAULT: &str = "/etc/nginx/conf.d/default.conf";
const SCRIPTS: &str = "/docker-entrypoint.d";

/// The script.
#[derive(Clone, Debug)]
pub(super) struct Entrypoint;

impl Program for Entrypoint {
    fn poll(&mut self, sys: &mut Sys<'_>, _: Wake) -> Poll {
        let words: Vec<Rc<str>> = sys.args().iter().skip(1).cloned().collect();
        let Some(command) = words.first().cloned() else {
            return Poll::Exit(0);
        };
        if matches!(&*command, "nginx" | "nginx-debug") {
            configure(sys);
        }
        let path = find(sys, &command);
        match sys.exec(&path, words) {
            Ok(()) => Poll::Pending,
            Err(_) => {
                let why = format!("/docker-entrypoint.sh: 47: exec: {command}: not found\n");
                // Nobody is left to tell if this cannot be written.
                let _ = sys.write(Fd::STDERR, why.as_bytes());
                Poll::Exit(127)
            }
        }
    }

    fn boxed_clone(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}

/// What the scripts in the image say.
fn configure(sys: &mut Sys<'_>) {
    let ipv6 = "10-listen-on-ipv6-by-default.sh";
    let of_ipv6 = if !sys.exists(DEFAULT) {
        format!("{ipv6}: info: {DEFAULT} is not a file or does not exist\n")
    } else if let Ok(fd) = sys.open(DEFAULT, OpenMode::Append) {
        sys.close(fd);
        format!(
            "{ipv6}: info: Getting the checksum of {DEFAULT}\n{ipv6}: info: Enabled listen on IPv6 \
             in {DEFAULT}\n"
        )
    } else {
        format!("{ipv6}: info: can not modify {DEFAULT} (read-only file system?)\n")
    };
    let own = "/docker-entrypoint.sh";
    let text = format!(
        "{own}: {SCRIPTS}/ is not empty, will attempt to perform configuration\n\
         {own}: Looking for shell scripts in {SCRIPTS}/\n\
         {own}: Launching {SCRIPTS}/{ipv6}\n\
         {of_ipv6}\
         {own}: Sourcing {SCRIPTS}/15-local-resolvers.envsh\n\
         {own}: Launching {SCRIPTS}/20-envsubst-on-templates.sh\n\
         {own}: Launching {SCRIPTS}/30-tune-worker-processes.sh\n\
         {own}: Configuration complete; ready for start up\n"
    );
    let _ = sys.write(Fd::STDOUT, text.as_bytes());
}

/// Where a command is, by the search path.
fn find(sys: &mut Sys<'_>, command: &str) -> String {
    if command.contains('/') {
        return command.to_owned();
    }
    let env = sys.env();
    let dirs = env.get("PATH").cloned().unwrap_or_default();
    let found = dirs
        .split(':')
        .map(|dir| format!("{dir}/{command}"))
        .find(|path| sys.exists(path));
    found.unwrap_or_else(|| command.to_owned())
}

//! `hello-world`: says that it was run, and ends. Models github.com/docker-library/hello-world.

use machine::fs::Node;
use machine::{Io, tool};

use crate::definition::{Definition, Tags};
use crate::userland::{Userland, put};

/// `docker.io/library/hello-world`
pub(crate) static IMAGE: Definition = Definition {
    repository: "docker.io/library/hello-world",
    tags: Tags {
        words: &["latest", "linux"],
        versions: &[],
        suffixes: &[],
    },
    userland: Userland::None,
    layers: &[("hello-world {tag}", 2_380)],
    cmd: &["/hello"],
    files: |tree, _| put(tree, "/hello", Node::binary("hello-world")),
    programs: &[("hello-world", || tool(|io| Box::pin(hello(io))))],
    ..Definition::PLAIN
};

async fn hello(io: Io) -> i32 {
    io.print(TEXT).await;
    0
}

const TEXT: &str = "
Hello from Docker!
This message shows that your installation appears to be working correctly.

To generate this message, Docker took the following steps:
 1. The Docker client contacted the Docker daemon.
 2. The Docker daemon pulled the \"hello-world\" image from the Docker Hub.
    (amd64)
 3. The Docker daemon created a new container from that image which runs the
    executable that produces the output you are currently reading.
 4. The Docker daemon streamed that output to the Docker client, which sent it
    to your terminal.

To try something more ambitious, you can run an Ubuntu container with:
 $ docker run -it ubuntu bash

Share images, automate workflows, and more with a free Docker ID:
 https://hub.docker.com/

For more examples and ideas, visit:
 https://docs.docker.com/get-started/

";

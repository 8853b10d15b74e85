//! Listens, and gives each connection of a client one in the world.

use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context, Result};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use lab::WorldSpec;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use crate::connection::{Dialled, Peer};
use crate::exchange;
use crate::identity::{ADMIN, Identity, admin_subject};
use crate::kubeconfig::kubeconfig;
use crate::pace::Pace;
use crate::room::{self, Ask, Door};
use crate::subject::subject;

/// Connections that are served at once; more wait to be accepted.
const CONNECTIONS: usize = 8192;
/// A client has this long to shake hands.
const HANDSHAKE: Duration = Duration::from_secs(30);
/// A connection on which no request comes is closed after this.
const IDLE: Duration = Duration::from_secs(180);
/// What is said to who forgot TLS.
const PLAIN: &[u8] =
    b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n";
/// How long requests may take to end once all is to end.
const GRACE: Duration = Duration::from_secs(2);

/// How to serve.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Without TLS. Everybody is the administrator then who shows no token, as behind
    /// `kubectl proxy`.
    pub http: bool,
    /// How virtual time passes.
    pub pace: Pace,
    /// When serving begins, in virtual time; where none is given, as soon as the cluster is up.
    pub from: Option<sim::Instant>,
}

/// A world that is being served.
#[derive(Debug)]
pub struct Front {
    addr: SocketAddr,
    identity: Option<Arc<Identity>>,
    kubeconfig: String,
    door: Door,
    stop: watch::Sender<bool>,
    world: JoinHandle<()>,
    accepting: tokio::task::JoinHandle<()>,
}

impl Front {
    /// Boots the world that `spec` describes, in a thread of its own, and listens.
    ///
    /// # Errors
    /// The world's description is wrong, its cluster does not come up, or the address is taken.
    pub async fn start(
        spec: impl FnOnce() -> Result<WorldSpec> + Send + 'static,
        options: Options,
    ) -> Result<Front> {
        let listener = TcpListener::bind(options.listen)
            .await
            .with_context(|| format!("cannot listen on {}", options.listen))?;
        let addr = listener.local_addr()?;
        let identity = match options.http {
            true => None,
            false => Some(Arc::new(Identity::new(addr)?)),
        };
        let kubeconfig = kubeconfig(addr, identity.as_deref(), ADMIN)?;
        let (door, world) = room::open(spec, options.pace, options.from).await?;
        let (stop, stopped) = watch::channel(false);
        let accepting = tokio::spawn(accept(listener, identity.clone(), door.clone(), stopped));
        Ok(Front {
            addr,
            identity,
            kubeconfig,
            door,
            stop,
            world,
            accepting,
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// A kubeconfig for its administrator.
    #[must_use]
    pub fn kubeconfig(&self) -> &str {
        &self.kubeconfig
    }

    /// A kubeconfig for another user, in one group, who may do what RBAC lets them. Without TLS there
    /// are no users, and the administrator's it is.
    ///
    /// # Errors
    /// No key can be made.
    pub fn kubeconfig_of(&self, group: &str, user: &str) -> Result<String> {
        kubeconfig(self.addr, self.identity.as_deref(), (group, user))
    }

    /// Whether the world still lives. It ends by itself only through a fault of its own.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        !self.world.is_finished()
    }

    /// Ends: no new connections, what is under way may end, then the world does.
    pub async fn stop(self) {
        let Front {
            door,
            stop,
            world,
            accepting,
            ..
        } = self;
        // Nobody listens any more if the accepting task has ended already.
        let _ = stop.send(true);
        let _ = accepting.await;
        door.say(Ask::Stop);
        let _ = tokio::task::spawn_blocking(move || world.join()).await;
    }
}

async fn accept(
    listener: TcpListener,
    identity: Option<Arc<Identity>>,
    door: Door,
    mut stopped: watch::Receiver<bool>,
) {
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let place = room.clone().acquire_owned().await;
        let stream = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopped.changed() => break,
        };
        let Ok((stream, _)) = stream else {
            // Out of descriptors, or a client that left at once.
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        };
        let (identity, door, stopped) = (identity.clone(), door.clone(), stopped.clone());
        tokio::spawn(async move {
            serve(stream, identity, door, stopped).await;
            drop(place);
        });
    }
    drop(listener);
    let all = u32::try_from(CONNECTIONS).unwrap_or(u32::MAX);
    let _ = tokio::time::timeout(GRACE, room.acquire_many(all)).await;
}

/// Serves one connection to its end.
async fn serve(
    stream: TcpStream,
    identity: Option<Arc<Identity>>,
    door: Door,
    stopped: watch::Receiver<bool>,
) {
    // Small answers are not to wait for more.
    let _ = stream.set_nodelay(true);
    // Where no API server listens, the client's connection fails as well.
    let Ok(dialled) = Dialled::dial(door).await else {
        return;
    };
    let Some(identity) = identity else {
        let peer = Peer {
            subject: Some(admin_subject()),
            token_first: true,
            identity: None,
        };
        return speak(stream, dialled, peer, stopped).await;
    };
    let tls = TlsAcceptor::from(identity.tls.clone());
    let shaken = tokio::time::timeout(HANDSHAKE, async {
        match speaks_plainly(&stream).await {
            true => Err(stream),
            false => Ok(tls.accept(stream).await),
        }
    });
    let stream = match shaken.await {
        Ok(Ok(Ok(stream))) => stream,
        Ok(Err(mut stream)) => {
            // Whoever does not read it made the mistake all the same.
            let _ = stream.write_all(PLAIN).await;
            return;
        }
        Ok(Ok(Err(_))) | Err(_) => return,
    };
    let certificates = stream.get_ref().1.peer_certificates();
    let certificate = certificates.and_then(|chain| chain.first());
    let subject = match certificate {
        None => None,
        Some(certificate) => match subject(certificate) {
            None => return,
            found => found,
        },
    };
    let peer = Peer {
        subject,
        token_first: false,
        identity: Some(identity),
    };
    speak(stream, dialled, peer, stopped).await;
}

/// Whether a client begins with a letter, as a request in plain HTTP does and TLS does not.
async fn speaks_plainly(stream: &TcpStream) -> bool {
    let mut first = [0];
    let seen = stream.peek(&mut first).await;
    seen.is_ok_and(|seen| seen == 1) && first[0].is_ascii_uppercase()
}

async fn speak(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    dialled: Dialled,
    peer: Peer,
    mut stopped: watch::Receiver<bool>,
) {
    let (connection, lost) = dialled.of(peer);
    let service = service_fn(move |request| exchange::serve(connection.clone(), request));
    let mut server = auto::Builder::new(TokioExecutor::new());
    server
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(IDLE);
    server
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(250)
        .keep_alive_interval(Duration::from_secs(30))
        .keep_alive_timeout(Duration::from_secs(15));
    let serving = server.serve_connection_with_upgrades(TokioIo::new(stream), service);
    let mut serving = std::pin::pin!(serving);
    tokio::select! {
        // How a client's connection ends is its own business.
        _ = serving.as_mut() => {}
        // The API server is gone, and so is what led to it.
        _ = lost => {}
        _ = stopped.changed() => {
            serving.as_mut().graceful_shutdown();
            let _ = tokio::time::timeout(GRACE, serving).await;
        }
    }
}

//! A relay of TCP connections that fall silent on demand, as when something on the way forgets them.

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
};

use crate::serving::Serving;

/// A relay in front of a server.
#[derive(Debug)]
pub struct Relay {
    freezes: watch::Sender<u64>,
    serving: Serving,
}

impl Relay {
    /// Starts a relay on a free port in front of an address such as `127.0.0.1:6443`.
    pub async fn start(upstream: impl Into<String>) -> Self {
        let upstream = upstream.into();
        let (freezes, _) = watch::channel(0);
        let seen = freezes.clone();
        let serving = Serving::start(|listener| serve(listener, upstream, seen)).await;
        Self { freezes, serving }
    }

    /// Where it listens: address and port.
    pub fn address(&self) -> String {
        self.serving.address()
    }

    /// Lets all connections that are open now stay open and carry nothing any more. New ones work.
    pub fn freeze(&self) {
        self.freezes.send_modify(|count| *count += 1);
    }
}

async fn serve(listener: TcpListener, upstream: String, freezes: watch::Sender<u64>) {
    let mut connections = JoinSet::new();
    while let Ok((mut near, _)) = listener.accept().await {
        let mut freezes = freezes.subscribe();
        let upstream = upstream.clone();
        connections.spawn(async move {
            let Ok(mut far) = TcpStream::connect(&upstream).await else {
                return;
            };
            tokio::select! {
                _ = copy_bidirectional(&mut near, &mut far) => {}
                // Both ends are kept, or the silence would end.
                Ok(()) = freezes.changed() => std::future::pending::<()>().await,
            }
        });
        while connections.try_join_next().is_some() {}
    }
}

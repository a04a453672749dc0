//! Our own servers, which live as long as the value that stands for them.

use std::net::{IpAddr, Ipv4Addr};

use tokio::{net::TcpListener, task::AbortHandle};

/// A server task, ended with this value.
#[derive(Debug)]
pub(crate) struct Serving {
    task: AbortHandle,
    port: u16,
}

impl Serving {
    /// Listens on a free port of 127.0.0.1 and spawns what serves it.
    pub(crate) async fn start<F>(serve: impl FnOnce(TcpListener) -> F) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        Self::start_on(Ipv4Addr::LOCALHOST.into(), serve).await
    }

    /// Listens on a free port of this address and spawns what serves it.
    pub(crate) async fn start_on<F>(address: IpAddr, serve: impl FnOnce(TcpListener) -> F) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind((address, 0)).await.expect("a free port");
        let port = listener
            .local_addr()
            .expect("the address of a bound listener")
            .port();
        Self {
            task: tokio::spawn(serve(listener)).abort_handle(),
            port,
        }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.task.abort();
    }
}

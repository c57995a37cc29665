//! What systemd hands to a service, and is told by it (sd_listen_fds(3), sd_notify(3)).

use anyhow::Context;
use listenfd::ListenFd;
use std::ffi::OsString;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use tokio::net::TcpListener;

/// The socket that this process was started with; `None` when it is to bind one itself.
///
/// # Errors
/// When what was handed over is no listening TCP socket.
pub fn listener() -> anyhow::Result<Option<TcpListener>> {
    let listener = ListenFd::from_env()
        .take_tcp_listener(0)
        .context("the socket that was handed over is not a listening TCP socket")?;
    let Some(listener) = listener else { return Ok(None) };
    listener.set_nonblocking(true)?;
    Ok(Some(TcpListener::from_std(listener)?))
}

/// Says that the edge serves, to a service manager that waits for that.
pub fn notify_ready() {
    let Some(socket) = std::env::var_os("NOTIFY_SOCKET") else { return };
    if let Err(error) = send(&socket, b"READY=1") {
        say!("warning: failed to notify {}: {error}", socket.display());
    }
}

fn send(socket: &OsString, message: &[u8]) -> std::io::Result<()> {
    let address = match socket.as_bytes().strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name)?,
        None => SocketAddr::from_pathname(socket)?,
    };
    UnixDatagram::unbound()?.send_to_addr(message, &address)?;
    Ok(())
}

//! Serves an environment: starts the parts, and ends them in order.

use super::activation;
use super::fleet::Fleet;
use super::presence;
use super::settings::Settings;
use super::supervise::Launch;
use super::watch;
use crate::admin::Admin;
use crate::client_id::Signer;
use crate::edge::Edge;
use crate::listen::Workers;
use crate::setting::{self, Setting, read_secrets};
use crate::stop;
use crate::tls::Tls;
use anyhow::{Context, bail};
use release::EdgePresence;
use release::store::{Directory, Store};
use report::Fault;
use serde::Serialize;
use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};

/// Routing documents that were seen and not yet taken note of.
const QUEUE: usize = 16;

/// The line that tells the one who started the edge where it is.
#[derive(Debug, Serialize)]
struct Listening<'a> {
    listening: &'a str,
    admin: &'a str,
    environment: &'a str,
    instance: &'a str,
}

/// Serves an environment until it is told to stop.
///
/// # Errors
/// When an address is taken, or the store, the folder, the certificate or the secrets cannot be used.
pub async fn run(settings: &Settings, with_parent: bool) -> anyhow::Result<()> {
    let stop = stop::signal(with_parent)?;
    let tls = settings.connections.tls()?;
    let store: Arc<dyn Store> = Arc::new(Directory::new(&settings.store));
    if let Some(secrets) = &settings.secrets {
        // So that it is said at once, and not when a server is started.
        read_secrets(secrets)?;
    }
    let listener = match activation::listener()? {
        Some(listener) => listener,
        None => bind(settings.listen, &*store, settings).await?,
    };
    let admin_listener = bind(settings.admin, &*store, settings).await?;
    let _lock = settings.folder.prepare(&settings.name)?;
    let signer = Signer::of_file(&settings.folder.cookie_key())?;
    let edge = Arc::new(Edge::new(Some(signer)));
    let certificate = tls.as_ref().map(Tls::shown);
    let workers = Workers::start(settings.connections.serving(Arc::clone(&edge), tls))?;

    let scheme = settings.connections.scheme();
    let url = |scheme, listener: &TcpListener| -> anyhow::Result<String> {
        let address = listener.local_addr().context("failed to tell the address")?;
        Ok(format!("{scheme}://{address}"))
    };
    let (listen, admin) = (url(scheme, &listener)?, url("http", &admin_listener)?);
    let presence = presence::of_this_process(&settings.name, listen, admin)?;
    let admin = Admin {
        edge: Arc::clone(&edge),
        instance: presence.instance.clone(),
        environment: settings.name.clone(),
        data: std::path::absolute(settings.folder.data())?,
        certificate,
    };
    let mut beside = vec![tokio::spawn(admin.serve(admin_listener))];

    let (seen, routings) = mpsc::channel(QUEUE);
    watch::start(Arc::clone(&store), seen).context("failed to start a thread")?;
    let (fleet, results, mut settled) = Fleet::new(edge, Arc::clone(&store), launch(settings));
    let (end_fleet, fleet_ends) = oneshot::channel::<()>();
    let (is_there, fleet_is_gone) = oneshot::channel::<()>();
    let fleet = tokio::spawn(async {
        let _is_there = is_there;
        // Fails when this function is given up.
        let told = async { drop(fleet_ends.await) };
        fleet.run(routings, results, told).await;
    });

    let result = async {
        // Clients wait in the system's queue rather than be told that nothing is live.
        tokio::select! {
            _ = settled.wait_for(|is_settled| *is_settled) => {}
            () = stop::asked(stop.clone()) => return Ok(()),
        }
        begin(&store, &presence).await?;
        beside.push(tokio::spawn(presence::renew(Arc::clone(&store), presence.clone())));
        tokio::select! {
            () = workers.serve(listener, stop::asked(stop)) => Ok(()),
            // It ends only when it is told to: an edge that follows nothing is no edge.
            _ = fleet_is_gone => bail!("what follows the routing has died: see the lines above"),
        }
    }
    .await;

    for task in beside {
        task.abort();
    }
    let _ = end_fleet.send(());
    fleet.await.context("the edge's releases were left alone")?;
    if let Err(error) = presence.remove(&*store) {
        say!("warning: failed to say in the store that this edge has ended: {error}");
    }
    result
}

/// Says, in the store and to whoever started the edge, that it is running.
async fn begin(store: &Arc<dyn Store>, presence: &EdgePresence) -> anyhow::Result<()> {
    let (there, written) = (Arc::clone(store), presence.clone());
    let told = tokio::task::spawn_blocking(move || {
        presence::clear(&*there)?;
        written.write(&*there).map_err(anyhow::Error::from)
    });
    if let Err(error) = told.await? {
        // It serves from what it has; the store may be read-only.
        say!("warning: failed to say in the store that this edge is running: {error:#}");
    }
    let line = Listening {
        listening: &presence.listen,
        admin: &presence.admin,
        environment: &presence.environment,
        instance: &presence.instance,
    };
    let mut stdout = std::io::stdout();
    writeln!(stdout, "{}", serde_json::to_string(&line)?)
        .and_then(|()| stdout.flush())
        .context("failed to say where the edge listens")?;
    activation::notify_ready();
    Ok(())
}

fn launch(settings: &Settings) -> Launch {
    Launch {
        folder: settings.folder.releases(),
        setting: Setting::Environment(setting::Environment {
            data: settings.folder.data(),
            env: settings.env.clone(),
            secrets: settings.secrets.clone(),
            records: settings.folder.servers(),
        }),
        limits: settings.connections.limits(),
        ready_within: settings.ready_within,
    }
}

async fn bind(
    address: SocketAddr,
    store: &dyn Store,
    settings: &Settings,
) -> anyhow::Result<TcpListener> {
    let error = match TcpListener::bind(address).await {
        Ok(listener) => return Ok(listener),
        Err(error) => error,
    };
    let is_there = |edge: &&EdgePresence| {
        let listens = edge.listen.ends_with(&format!("//{address}"));
        presence::is_here(edge) && listens
    };
    let edges = EdgePresence::all(store).unwrap_or_default();
    let who = match edges.iter().find(is_there) {
        Some(edge) => {
            let (pid, name) = (edge.pid, &settings.name);
            format!(
                ": an edge of {} (process {pid}) listens there; `cargo xtask edge --env {name} --stop` \
                 ends it",
                edge.environment
            )
        }
        None => String::new(),
    };
    Err(Fault::unreachable(format!("failed to listen on {address}: {error}{who}")).into())
}

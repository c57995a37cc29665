//! Keeps the server of a release running: asks after its health, and starts it again when it died or
//! does not get well.

use crate::proxy::{Limits, Proxy};
use crate::server::{self, ServerProcess};
use crate::setting::Setting;
use crate::slot::Backend;
use crate::status::Health;
use release::{Release, ServerEntry};
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

/// Between two questions after a server's health.
const HEALTH_PAUSE: Duration = Duration::from_secs(2);

/// So many bad answers in a row are no accident.
const UNHEALTHY_ANSWERS: u32 = 3;

/// The wait before a server is started again: doubled each time, up to a bound.
const FIRST_BACKOFF: Duration = Duration::from_millis(100);
const LAST_BACKOFF: Duration = Duration::from_secs(30);

/// More restarts than this within the window, and the server has failed: it is still tried again, but
/// nothing waits for it.
const MAX_RESTARTS: usize = 5;
const RESTART_WINDOW: Duration = Duration::from_secs(60);

/// How servers are started.
#[derive(Debug, Clone)]
pub struct Launch {
    /// Where fetched releases are.
    pub folder: PathBuf,
    pub setting: Setting,
    pub limits: Limits,
    pub ready_within: Duration,
}

/// Keeps one server running.
#[derive(Debug)]
pub struct Supervisor {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

struct Watched {
    launch: Launch,
    release: Release,
    entry: ServerEntry,
    backend: Arc<Backend>,
    health: Arc<Health>,
    news: Arc<Notify>,
    /// When it was started again, the last at the end.
    restarts: VecDeque<Instant>,
    backoff: Duration,
}

impl Launch {
    /// Starts a server and waits until it is ready.
    ///
    /// # Errors
    /// When it cannot be started, dies, or is not ready in time.
    pub async fn start(
        &self,
        release: &Release,
        entry: &ServerEntry,
    ) -> anyhow::Result<(ServerProcess, Proxy)> {
        let mut process = ServerProcess::start(release, entry, &self.setting)?;
        if let Err(error) = process.ready(&entry.ready, self.ready_within).await {
            process.stop().await;
            return Err(error);
        }
        let proxy = Proxy::new(process.address(), self.limits);
        Ok((process, proxy))
    }
}

impl Supervisor {
    /// Watches over a server that is ready.
    pub fn start(
        launch: Launch,
        release: Release,
        entry: ServerEntry,
        process: ServerProcess,
        backend: Arc<Backend>,
        health: Arc<Health>,
        news: Arc<Notify>,
    ) -> Supervisor {
        let (stop, stopped) = oneshot::channel();
        let restarts = VecDeque::new();
        let watched = Watched {
            launch,
            release,
            entry,
            backend,
            health,
            news,
            restarts,
            backoff: FIRST_BACKOFF,
        };
        Supervisor { stop, task: tokio::spawn(watched.run(process, stopped)) }
    }

    /// Ends the server, and waits until it has ended.
    pub async fn stop(self) {
        // Fails when the task has ended, and the server with it.
        let _ = self.stop.send(());
        let _ = self.task.await;
    }
}

impl Watched {
    async fn run(mut self, process: ServerProcess, mut stop: oneshot::Receiver<()>) {
        let mut running = Some(process);
        loop {
            let Some(mut process) = running.take() else {
                let restart = async {
                    sleep(self.backoff).await;
                    self.launch.start(&self.release, &self.entry).await
                };
                let restarted = tokio::select! {
                    restarted = restart => restarted,
                    // A server that was being started ends when it is dropped.
                    _ = &mut stop => return,
                };
                self.count_restart();
                match restarted {
                    Ok((process, proxy)) => {
                        self.backend.replace(Some(proxy));
                        self.health.is_up();
                        self.news.notify_one();
                        running = Some(process);
                    }
                    Err(error) => self.went_down(&format!("{error:#}")),
                }
                continue;
            };
            let since = Instant::now();
            let address = process.address();
            let reason = tokio::select! {
                error = process.died() => format!("{error:#}"),
                reason = unhealthy(address, &self.entry.ready) => reason,
                _ = &mut stop => return process.stop().await,
            };
            if since.elapsed() > RESTART_WINDOW {
                self.backoff = FIRST_BACKOFF;
            }
            self.backend.replace(None);
            self.went_down(&reason);
            process.stop().await;
        }
    }

    fn count_restart(&mut self) {
        self.health.count_restart();
        self.restarts.push_back(Instant::now());
        while self.restarts.len() > MAX_RESTARTS {
            self.restarts.pop_front();
        }
        self.backoff = (self.backoff * 2).min(LAST_BACKOFF);
    }

    fn went_down(&self, reason: &str) {
        let is_often = self.restarts.len() == MAX_RESTARTS
            && self.restarts.front().is_some_and(|first| first.elapsed() < RESTART_WINDOW);
        let often = match is_often {
            true => format!("restarted {MAX_RESTARTS} times within a minute, and again: "),
            false => String::new(),
        };
        let id = &self.release.manifest().id;
        say!("error: release {id}: {often}{reason}");
        self.health.is_down(format!("{often}{reason}"), is_often);
        self.news.notify_one();
    }
}

/// Waits until the server gave too many bad answers in a row; gives the last.
async fn unhealthy(server: SocketAddr, path: &str) -> String {
    let mut bad_answers = 0;
    loop {
        sleep(HEALTH_PAUSE).await;
        match server::ask(server, path).await {
            Ok(()) => bad_answers = 0,
            Err(found) => {
                bad_answers += 1;
                if bad_answers >= UNHEALTHY_ANSWERS {
                    return format!("the server is not healthy: expected 2xx at {path}, {found}");
                }
            }
        }
    }
}

//! The systemd units that keep an environment's edge running: printed, never written.

use super::settings::Settings;
use anyhow::Context;
use std::path::Path;

/// Ports below this are for those whom the system trusts.
const FIRST_FREE_PORT: u16 = 1024;

/// The units of an environment, for the project at `root` and the edge's own program.
///
/// # Errors
/// When a path cannot be made absolute, or written in a unit.
pub fn units(
    settings: &Settings,
    root: &Path,
    program: &Path,
    user: &str,
) -> anyhow::Result<String> {
    let name = &settings.name;
    let listen = settings.listen;
    let (root, program) = (path(root)?, path(program)?);
    let (store, folder) = (path(&settings.store)?, path(settings.folder.root())?);
    let capabilities = match listen.port() < FIRST_FREE_PORT {
        true => "CAP_NET_BIND_SERVICE",
        false => "",
    };
    Ok(format!(
        "\
# /etc/systemd/system/slipway-edge-{name}.socket
#
# The system holds the socket: while the edge is restarted, clients wait and none is refused.
[Unit]
Description=Socket of the Slipway edge of {name}

[Socket]
ListenStream={listen}
NoDelay=yes
Backlog=4096

[Install]
WantedBy=sockets.target

# /etc/systemd/system/slipway-edge-{name}.service
#
# Then: mkdir -p {store} {folder}
# (both have to be there, and {user} may write into them), and:
# systemctl daemon-reload && systemctl enable --now slipway-edge-{name}.socket slipway-edge-{name}.service
[Unit]
Description=Slipway edge of {name}
Requires=slipway-edge-{name}.socket
After=network-online.target slipway-edge-{name}.socket
Wants=network-online.target
StartLimitIntervalSec=0

[Service]
Type=notify
User={user}
WorkingDirectory={root}
ExecStart={program} --env {name} --store {store} --folder {folder}
Restart=always
RestartSec=1
KillMode=mixed
TimeoutStartSec=180
TimeoutStopSec=15
LimitNOFILE=65536
UMask=0077

# What the edge and its servers may do. A server that needs more says so here.
NoNewPrivileges=yes
CapabilityBoundingSet={capabilities}
AmbientCapabilities={capabilities}
ProtectSystem=strict
ProtectHome=read-only
ReadWritePaths={store} {folder}
PrivateTmp=yes
PrivateDevices=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
RemoveIPC=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM

[Install]
WantedBy=multi-user.target
"
    ))
}

/// A path as a unit has it: absolute, with nothing that systemd would read as something else.
fn path(path: &Path) -> anyhow::Result<String> {
    let path = std::path::absolute(path)?;
    let text = path.to_str().with_context(|| format!("{} is not UTF-8", path.display()))?;
    let is_plain =
        |c: char| !c.is_whitespace() && !matches!(c, '%' | '"' | '\'' | '\\' | ';' | '$');
    if text.chars().all(is_plain) {
        return Ok(text.to_owned());
    }
    anyhow::bail!("{text:?} cannot be written in a unit: expected a path without spaces and signs")
}

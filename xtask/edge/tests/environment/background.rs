//! An edge in the background, and one under systemd.

use super::support::client::get;
use super::support::environment::Environment;
use std::fs;
use std::net::TcpListener;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixDatagram;
use std::process::Stdio;
use std::time::Duration;

/// Ends what was started in the background, however the test ends.
struct Stop<'a>(&'a Environment);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.run(&["--stop"]);
    }
}

#[test]
fn an_edge_is_started_in_the_background_and_stopped() {
    let mut environment = Environment::new();
    let live = environment.add(&[("x.txt", b"x")], Some(""));
    environment.live(&live);
    let _stop = Stop(&environment);
    let (code, stdout, stderr) = environment.run(&["--detach"]);
    assert_eq!(code, Some(0), "{stderr}");
    let line: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    let url = line["listening"].as_str().unwrap();
    let address = url.strip_prefix("http://").unwrap();
    let log = environment.folder().join("edge.log");
    assert!(log.is_file() && stderr.contains("edge.log"), "{stderr}");
    assert_eq!(get(address.parse().unwrap(), "/release").text(), live.as_str());

    let (code, _, stderr) = environment.run(&["--detach", "--listen", address]);
    assert_eq!(code, Some(3), "{stderr}");
    assert!(stderr.contains("the edge did not start: failed to listen on"), "{stderr}");
    assert!(stderr.contains("`cargo xtask edge --env test --stop`"), "{stderr}");

    let (code, stdout, stderr) = environment.run(&["--stop"]);
    assert_eq!(code, Some(0), "{stderr}");
    assert!(stdout.starts_with(&format!("ended the edge of test at {url} (process ")), "{stdout}");
    assert!(std::net::TcpStream::connect(address).is_err());
    let (code, stdout, stderr) = environment.run(&["--stop"]);
    assert_eq!((code, stdout.as_str()), (Some(0), ""));
    assert_eq!(stderr, "note: no edge of test runs on this machine\n");
}

#[test]
fn an_edge_that_its_store_does_not_know_is_stopped_all_the_same() {
    let mut environment = Environment::new();
    let live = environment.add(&[("index.html", b"live")], None);
    environment.live(&live);
    let edge = environment.serve();
    fs::rename(environment.store.root(), environment.root().join("away")).unwrap();
    let other = std::process::Command::new(env!("CARGO_BIN_EXE_xtask-edge"))
        .args(["--env", "other", "--store", "store", "--stop", "--folder"])
        .arg(environment.folder())
        .current_dir(environment.root())
        .output()
        .unwrap();
    let said = String::from_utf8(other.stderr).unwrap();
    assert_eq!(said, "note: no edge of other runs on this machine\n");
    let (code, stdout, stderr) = environment.run(&["--stop"]);
    assert_eq!(code, Some(0), "{stderr}");
    assert_eq!(stdout, format!("ended the edge of test (process {})\n", edge.pid()));
    assert!(std::net::TcpStream::connect(edge.address).is_err());
}

#[test]
fn a_second_edge_does_not_share_the_folder() {
    let environment = Environment::new();
    let _edge = environment.serve();
    let (code, _, stderr) = environment.run(&["--with-parent"]);
    assert_eq!(code, Some(3), "{stderr}");
    assert!(stderr.contains("another edge uses "), "{stderr}");
    drop(environment.serve_with(&["--folder", "elsewhere"]));
}

#[test]
fn systemd_is_told_when_the_edge_serves() {
    let environment = Environment::new();
    let socket = environment.root().join("notify");
    let receiver = UnixDatagram::bind(&socket).unwrap();
    receiver.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut command = environment.command(&["--with-parent"]);
    let mut edge = command.env("NOTIFY_SOCKET", &socket).spawn().unwrap();
    let mut message = [0; 64];
    let size = receiver.recv(&mut message).unwrap();
    assert_eq!(&message[..size], b"READY=1");
    drop(edge.stdin.take());
    assert!(edge.wait().unwrap().success());
}

#[test]
fn a_socket_that_was_handed_over_loses_nobody_in_a_restart() {
    let mut environment = Environment::new();
    let live = environment.add(&[("index.html", b"live")], None);
    environment.live(&live);
    // As systemd does it: the socket stays open here, whatever edge comes and goes.
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    let handed = rustix::io::dup(&socket).unwrap();
    rustix::io::fcntl_setfd(&handed, rustix::io::FdFlags::empty()).unwrap();
    let script = format!(
        "exec 3<&{}; LISTEN_FDS=1 LISTEN_PID=$$ exec \"$0\" --env test --store store --with-parent",
        handed.as_raw_fd()
    );
    let start = || {
        let mut shell = std::process::Command::new("sh");
        let edge = shell.args(["-c", &script, env!("CARGO_BIN_EXE_xtask-edge")]);
        edge.current_dir(environment.root()).stdin(Stdio::piped()).spawn().unwrap()
    };
    let mut edge = start();
    assert_eq!(get(address, "/").text(), "live");
    drop(edge.stdin.take());
    assert!(edge.wait().unwrap().success());
    let waiting = std::thread::spawn(move || get(address, "/").text());
    let mut edge = start();
    assert_eq!(waiting.join().unwrap(), "live", "it waited and was not refused");
    drop(edge.stdin.take());
    assert!(edge.wait().unwrap().success());
}

#[test]
fn the_unit_names_what_the_edge_may_write() {
    let environment = Environment::new();
    fs::write(
        environment.root().join("xtask.toml"),
        "[project]\nname = \"fixture\"\n[environments.production]\nstore = \"store\"\n\
         listen = \"127.0.0.1:443\"\n",
    )
    .unwrap();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_xtask-edge"))
        .args(["install", "--env", "production"])
        .current_dir(environment.root())
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let root = fs::canonicalize(environment.root()).unwrap();
    let root = root.display();
    for line in [
        "ListenStream=127.0.0.1:443".to_owned(),
        "Type=notify".to_owned(),
        format!("# Then: mkdir -p {root}/store {root}/target/xtask/edge/production"),
        format!("WorkingDirectory={root}"),
        format!("ReadWritePaths={root}/store {root}/target/xtask/edge/production"),
        "AmbientCapabilities=CAP_NET_BIND_SERVICE".to_owned(),
        "NoNewPrivileges=yes".to_owned(),
    ] {
        assert!(text.lines().any(|it| it == line), "{line} in {text}");
    }
    assert!(output.status.success());
}

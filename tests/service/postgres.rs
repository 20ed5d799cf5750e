//! Debian's PostgreSQL binaries → a server of the test's own, gone when the test is.

use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// Longest wait for a server to answer; other tests take the processors.
const START_LIMIT: Duration = Duration::from_mins(1);

/// A server on a free port of 127.0.0.1, stopped and deleted when dropped.
pub struct Postgres {
    binaries: PathBuf,
    /// User and group of its processes: the server refuses to be root.
    user: Option<(u32, u32)>,
    folder: TempDir,
    port: u16,
    server: Option<Child>,
    databases: AtomicU32,
}

impl Postgres {
    /// A new server, or `None` where there are no binaries, which is a failure if `BONAFIDE_REQUIRE_POSTGRES` is 1.
    pub fn start() -> Option<Self> {
        let Some((binaries, user)) = find() else {
            let required = std::env::var("BONAFIDE_REQUIRE_POSTGRES").is_ok_and(|value| value == "1");
            assert!(!required, "BONAFIDE_REQUIRE_POSTGRES is 1, and there is no PostgreSQL");
            println!("skipped: no PostgreSQL in /usr/lib/postgresql/*/bin");
            return None;
        };
        let folder = TempDir::with_prefix("bonafide-postgres-").unwrap();
        if let Some((user, group)) = user {
            std::os::unix::fs::chown(folder.path(), Some(user), Some(group)).unwrap();
        }
        let mut postgres = Self { binaries, user, folder, port: 0, server: None, databases: AtomicU32::new(0) };
        let data = postgres.data();
        let made = postgres
            .command("initdb")
            .args(["--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C", "--no-sync", "-D"])
            .arg(data)
            .output()
            .unwrap();
        assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
        // Another process may take the port between here and the server's start.
        for _ in 0..3 {
            postgres.port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            if postgres.launch() {
                return Some(postgres);
            }
        }
        panic!("PostgreSQL does not start: {}", postgres.log());
    }

    /// The server that tests running at the same time share.
    pub fn shared() -> Option<Arc<Self>> {
        static SHARED: Mutex<Weak<Postgres>> = Mutex::new(Weak::new());
        // A static is never dropped, and the server would outlive the tests: the last of them that holds it stops it.
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(postgres) = shared.upgrade() {
            return Some(postgres);
        }
        let postgres = Arc::new(Self::start()?);
        *shared = Arc::downgrade(&postgres);
        Some(postgres)
    }

    /// URL of its first database, which is empty.
    pub fn url(&self) -> String {
        self.url_of("postgres")
    }

    /// URL of a new database.
    pub fn new_database(&self) -> String {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let made = self
            .command("createdb")
            .args(["-h", "127.0.0.1", "-U", "postgres", "-p", &self.port.to_string(), &name])
            .output()
            .unwrap();
        assert!(made.status.success(), "createdb: {}", String::from_utf8_lossy(&made.stderr));
        self.url_of(&name)
    }

    /// SIGKILL to the server, as if the machine had lost it.
    pub fn kill(&mut self) {
        if let Some(mut server) = self.server.take() {
            server.kill().unwrap();
            server.wait().unwrap();
        }
    }

    /// Stops all of the server's processes where they are: connections stay, and nothing answers.
    pub fn freeze(&self) {
        self.signal("-STOP");
    }

    /// Lets them go on.
    pub fn thaw(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let parent = self.server.as_ref().unwrap().id();
        let children = std::fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).unwrap();
        let ids = children.split_whitespace().map(str::to_owned).chain([parent.to_string()]);
        // A child may end before it is told.
        let _ = Command::new("kill").arg(signal).args(ids).stderr(Stdio::null()).status();
    }

    /// Starts the server anew on its port and data.
    pub fn restart(&mut self) {
        self.stop();
        let end = Instant::now() + START_LIMIT;
        // The killed server's children hold its memory for a moment.
        while !self.launch() {
            assert!(Instant::now() < end, "PostgreSQL does not start again: {}", self.log());
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    fn url_of(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Starts the server and waits until it answers; `false` when it ends instead.
    fn launch(&mut self) -> bool {
        let log = std::fs::File::create(self.folder.path().join("log")).unwrap();
        let mut server = self
            .command("postgres")
            .arg("-D")
            .arg(self.data())
            .args(["-p", &self.port.to_string(), "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="])
            .stderr(log)
            .spawn()
            .unwrap();
        let end = Instant::now() + START_LIMIT;
        loop {
            if server.try_wait().unwrap().is_some() {
                return false;
            }
            let asked = self
                .command("pg_isready")
                .args(["-q", "-h", "127.0.0.1", "-U", "postgres", "-p", &self.port.to_string()])
                .status()
                .unwrap();
            if asked.success() {
                self.server = Some(server);
                return true;
            }
            if Instant::now() > end {
                let _ = server.kill();
                let _ = server.wait();
                return false;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Ends the server in order, which frees its shared memory.
    fn stop(&mut self) {
        if self.server.is_some() {
            self.thaw();
        }
        let Some(mut server) = self.server.take() else { return };
        let _ = self.command("pg_ctl").args(["stop", "-s", "-w", "-m", "immediate", "-D"]).arg(self.data()).status();
        let _ = server.kill();
        let _ = server.wait();
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.binaries.join(program));
        command.current_dir(self.folder.path()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        if let Some((user, group)) = self.user {
            command.uid(user).gid(group);
        }
        command
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The newest binaries, and the user to run them as when this process is root.
fn find() -> Option<(PathBuf, Option<(u32, u32)>)> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
    let folders = versions.filter_map(|version| Some(version.ok()?.path().join("bin")));
    let complete = |folder: &PathBuf| {
        ["initdb", "postgres", "pg_ctl", "pg_isready", "createdb"].iter().all(|name| folder.join(name).is_file())
    };
    let number = |folder: &PathBuf| folder.parent()?.file_name()?.to_str()?.parse::<u32>().ok();
    let binaries = folders.filter(complete).max_by_key(number)?;
    let user = if is_root() { Some((id("-u")?, id("-g")?)) } else { None };
    Some((binaries, user))
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    // A process's own folder belongs to the user it acts as.
    std::fs::metadata(Path::new("/proc/self")).is_ok_and(|folder| folder.uid() == 0)
}

/// A number of Debian's user for the server.
fn id(which: &str) -> Option<u32> {
    let output = Command::new("id").args([which, "postgres"]).output().ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}

#[test]
fn a_server_starts_dies_and_comes_back() {
    let Some(mut postgres) = Postgres::start() else { return };
    let folder = postgres.folder.path().to_owned();
    let answers = |postgres: &Postgres| std::net::TcpStream::connect(("127.0.0.1", postgres.port)).is_ok();
    assert!(answers(&postgres));
    postgres.kill();
    // A child that the server had just forked may hold its socket for a moment more.
    let gone = (0..100).any(|_| {
        !answers(&postgres) || {
            std::thread::sleep(Duration::from_millis(50));
            false
        }
    });
    assert!(gone);
    postgres.restart();
    assert!(answers(&postgres));
    assert!(postgres.new_database().starts_with("postgres://"));
    let port = postgres.port;
    drop(postgres);
    assert!(std::net::TcpStream::connect(("127.0.0.1", port)).is_err());
    assert!(!folder.exists());
}

//! A process under test, and what the system says of it.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

/// A server in a process of its own; it is killed when it is dropped.
pub struct Process {
    child: Child,
    /// Where it listens.
    pub port: u16,
    /// What goes when it goes.
    folder: Option<TempDir>,
}

impl Process {
    /// Starts `command`, which will listen on `port`, and waits until a line of its standard error has `ready` in it.
    pub fn start(mut command: Command, port: u16, ready: &'static str) -> Self {
        let mut child = command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let mut said = BufReader::new(child.stderr.take().unwrap());
        let mut all = String::new();
        loop {
            let from = all.len();
            assert!(said.read_line(&mut all).unwrap() > 0, "it ended before it served: {all}");
            if all[from..].contains(ready) {
                break;
            }
        }

        // Nobody reads on; what it says from now on must not fill the pipe.
        std::thread::spawn(move || said.lines().map_while(Result::ok).for_each(drop));
        Self { child, port, folder: None }
    }

    /// The same, with a folder that is removed when it has ended.
    pub fn in_folder(self, folder: TempDir) -> Self {
        assert!(self.folder.is_none());
        let mut process = self;
        process.folder = Some(folder);
        process
    }

    /// Seconds of CPU time it has used.
    pub fn cpu(&self) -> f64 {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
        // utime and stime, in hundredths of a second. Source: proc(5).
        fields[11..13].iter().map(|ticks| ticks.parse::<f64>().unwrap() / 100.0).sum()
    }

    /// Megabytes of memory that it has in use.
    pub fn memory(&self) -> f64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        // It may have gone by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A port of 127.0.0.1 that nobody listens on.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

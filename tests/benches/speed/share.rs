//! A share of a CPU, as Lambda gives it by memory: a whole one at 1,769 MB
//! (<https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html>). By the kernel's quotas where the benchmark may set them,
//! and otherwise by stopping the process for the rest of each period.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

const PERIOD: Duration = Duration::from_millis(20);

/// What a function of so many megabytes has.
#[derive(Debug)]
pub(crate) struct Share {
    cpus: f64,
    group: Option<PathBuf>,
    over: Arc<AtomicBool>,
}

impl Share {
    /// The share of `megabytes`.
    pub(crate) fn of(megabytes: u32) -> Self {
        let cpus = f64::from(megabytes) / 1769.0;
        let (quota, period) = (PERIOD.mul_f64(cpus).as_micros(), PERIOD.as_micros());
        let group = |root: &str, files: &[(&str, String)]| {
            let group = Path::new(root).join(format!("rekey-speed-{}-{megabytes}", std::process::id()));
            fs::create_dir_all(&group).ok()?;
            let set = files.iter().all(|(file, value)| fs::write(group.join(file), value).is_ok());
            let can_take = group.join("cgroup.procs").exists();
            (set && can_take).then(|| group.clone()).or_else(|| fs::remove_dir(&group).ok().and(None))
        };
        let v1 = [("cpu.cfs_period_us", period.to_string()), ("cpu.cfs_quota_us", quota.to_string())];
        let v2 = [("cpu.max", format!("{quota} {period}"))];
        let group = group("/sys/fs/cgroup/cpu", &v1).or_else(|| group("/sys/fs/cgroup", &v2));
        Self { cpus, group, over: Arc::default() }
    }

    /// How the share is enforced.
    pub(crate) fn how(&self) -> &'static str {
        if self.group.is_some() { "CPU quotas of the kernel" } else { "stopping the process" }
    }

    /// Holds the process `pid` to this share from now on.
    pub(crate) fn hold(&self, pid: u32) {
        if let Some(group) = &self.group {
            fs::write(group.join("cgroup.procs"), pid.to_string()).expect("a process in the group");
        } else if self.cpus < 1.0 {
            let pid = Pid::from_raw(i32::try_from(pid).expect("a process")).expect("a process");
            let (on, over) = (PERIOD.mul_f64(self.cpus), Arc::clone(&self.over));
            std::thread::spawn(move || {
                while !over.load(Ordering::Relaxed) && kill_process(pid, Signal::CONT).is_ok() {
                    std::thread::sleep(on);
                    let _ = kill_process(pid, Signal::STOP);
                    std::thread::sleep(PERIOD.saturating_sub(on));
                }
                let _ = kill_process(pid, Signal::CONT);
            });
        }
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        if let Some(group) = &self.group {
            // A process that has just been killed may still be in it.
            for _ in 0..50 {
                if fs::remove_dir(group).is_ok() {
                    return;
                }
                std::thread::sleep(Duration::from_millis(10));
            }
        }
    }
}

//! What this machine has: the memory that a run may take, and threads.

use std::{
    fs,
    num::NonZero,
    path::{Path, PathBuf},
    thread,
};

use twolayer::method::Machine;

/// Part of the free memory that a run may take.
const SHARE: f64 = 0.9;

/// Where the system does not say how much is free.
const ASSUMED: f64 = 8e9;

/// Threads to use: as asked for, else as many as the machine has.
pub fn threads(asked: Option<NonZero<usize>>) -> usize {
    asked.or_else(|| thread::available_parallelism().ok()).map_or(1, NonZero::get)
}

/// The machine for runs on `threads` threads.
pub fn machine(threads: usize) -> Machine {
    Machine { memory: SHARE * free_memory(Path::new("/")).unwrap_or(ASSUMED), cores: threads }
}

/// Bytes that this process may still take: the smallest of what the system has free, of what its control groups (version
/// 1 and 2, with all groups around them) leave, and of what its address space leaves, as far as they tell. `root` is the
/// root of the file system.
fn free_memory(root: &Path) -> Option<f64> {
    let limits = [available(root), group(root), address_space(root)];
    limits.into_iter().flatten().reduce(f64::min)
}

/// `MemAvailable` of `/proc/meminfo`.
fn available(root: &Path) -> Option<f64> {
    kibibytes(&fs::read_to_string(root.join("proc/meminfo")).ok()?, "MemAvailable:")
}

/// The soft limit of the address space, less what is mapped already.
fn address_space(root: &Path) -> Option<f64> {
    let text = fs::read_to_string(root.join("proc/self/limits")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("Max address space"))?;
    // `unlimited` is no number.
    let limit: f64 = line.split_whitespace().next()?.parse().ok()?;
    let status = fs::read_to_string(root.join("proc/self/status")).ok()?;
    Some((limit - kibibytes(&status, "VmSize:").unwrap_or(0.0)).max(0.0))
}

/// A line `Name:  123 kB`, in bytes.
fn kibibytes(text: &str, name: &str) -> Option<f64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<f64>().ok()? * 1024.0)
}

/// What the control groups of this process leave.
fn group(root: &Path) -> Option<f64> {
    let text = fs::read_to_string(root.join("proc/self/cgroup")).ok()?;
    let mut left = None;
    // `0::/path` in version 2, `4:cpu,memory:/path` in version 1.
    for line in text.lines() {
        let mut words = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (words.next(), words.next()) else { continue };
        let (mount, names) = match controllers {
            "" => (root.join("sys/fs/cgroup"), VERSION_2),
            list if list.split(',').any(|name| name == "memory") => (root.join("sys/fs/cgroup/memory"), VERSION_1),
            _ => continue,
        };
        for directory in around(&mount, path) {
            left = [left, left_in(&directory, &names)].into_iter().flatten().reduce(f64::min);
        }
    }
    left
}

/// Names of limit, usage, and of what of the usage the system gives back when asked.
type Names = [&'static str; 3];

const VERSION_2: Names = ["memory.max", "memory.current", "inactive_file"];
const VERSION_1: Names = ["memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"];

/// The directories of a group and of all around it; in a container the path may lead out of what is mounted, and the
/// mount itself is the group.
fn around(mount: &Path, path: &str) -> Vec<PathBuf> {
    let path = Path::new(path.trim_start_matches('/'));
    let inner = path.ancestors().filter(|path| !path.as_os_str().is_empty() && !path.starts_with(".."));
    inner.map(|path| mount.join(path)).chain([mount.to_path_buf()]).collect()
}

fn left_in(directory: &Path, [limit, usage, cache]: &Names) -> Option<f64> {
    let number = |name: &str| fs::read_to_string(directory.join(name)).ok()?.trim().parse::<f64>().ok();
    // `max` is no number.
    let limit = number(limit)?;
    let stat = fs::read_to_string(directory.join("memory.stat")).unwrap_or_default();
    let cached = stat.lines().find_map(|line| line.strip_prefix(cache)?.trim().parse::<f64>().ok());
    Some((limit - number(usage).unwrap_or(0.0) + cached.unwrap_or(0.0)).clamp(0.0, limit))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A machine with these files.
    fn machine(files: &[(&str, &str)]) -> Option<f64> {
        let root = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = root.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        free_memory(root.path())
    }

    const FREE: (&str, &str) = ("proc/meminfo", "MemTotal: 9000000 kB\nMemAvailable:    8000000 kB\n");
    const MIB: f64 = 1_048_576.0;

    #[test]
    fn the_smallest_limit_counts() {
        assert_eq!(machine(&[]), None);
        assert_eq!(machine(&[FREE]), Some(8e6 * 1024.0));
        // Version 2: the group around is smaller; cache is given back.
        let version_2 = [
            FREE,
            ("proc/self/cgroup", "0::/slice/job\n"),
            ("sys/fs/cgroup/slice/job/memory.max", "max\n"),
            ("sys/fs/cgroup/slice/memory.max", "104857600\n"),
            ("sys/fs/cgroup/slice/memory.current", "52428800\n"),
            ("sys/fs/cgroup/slice/memory.stat", "anon 1\ninactive_file 10485760\n"),
        ];
        assert_eq!(machine(&version_2), Some(60.0 * MIB));
        // Version 1, in a container: the path is not there, the mount is the group.
        let version_1 = [
            FREE,
            ("proc/self/cgroup", "5:cpu,cpuacct:/x\n4:memory:/docker/0123\n"),
            ("sys/fs/cgroup/memory/memory.limit_in_bytes", "209715200\n"),
            ("sys/fs/cgroup/memory/memory.usage_in_bytes", "104857600\n"),
            ("sys/fs/cgroup/memory/memory.stat", "inactive_file 5\ntotal_inactive_file 0\n"),
        ];
        assert_eq!(machine(&version_1), Some(100.0 * MIB));
        let limits = |limit: &str| {
            format!("Limit  Soft Limit  Hard Limit  Units\nMax address space   {limit}  unlimited  bytes\n")
        };
        let address = |limit: &str| {
            machine(&[FREE, ("proc/self/limits", &limits(limit)), ("proc/self/status", "VmSize:  51200 kB\n")])
        };
        assert_eq!(address("1073741824"), Some(974.0 * MIB));
        assert_eq!(address("unlimited"), Some(8e6 * 1024.0));
        assert_eq!(address("1000"), Some(0.0));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_machine_tells() {
        assert!(free_memory(Path::new("/")).unwrap() > 1e6);
    }
}

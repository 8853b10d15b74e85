//! The bytes of an archive: headers of 512 bytes, contents in blocks of the same size, two empty
//! blocks at the end. Names too long for a header stand in an entry before it.
//!
//! Models tar(5): the ustar format with GNU's long names.

/// The size everything is rounded up to.
const BLOCK: usize = 512;
/// The name of the entry that holds a long name.
const LONG_NAME: &str = "././@LongLink";

/// A file in an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Its path, without a slash at either end.
    pub(crate) name: String,
    /// Permission bits.
    pub(crate) mode: u32,
    /// Owning user and group.
    pub(crate) owner: (u32, u32),
    /// Last change, in seconds since 1970.
    pub(crate) mtime: u64,
    /// What it is, and what is in it.
    pub(crate) content: Content,
}

/// What an entry is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    /// A file with these bytes.
    File(Vec<u8>),
    /// A directory.
    Dir,
    /// A symbolic link that leads there.
    Symlink(String),
}

/// An archive of these entries.
pub(crate) fn write(entries: &[Entry]) -> Vec<u8> {
    let mut out = Vec::new();
    for entry in entries {
        let mut name = entry.name.clone();
        if entry.content == Content::Dir {
            name.push('/');
        }
        if name.len() > 100 {
            let long = [name.as_bytes(), b"\0"].concat();
            header(&mut out, LONG_NAME, (0, (0, 0), 0), b'L', "", long.len());
            contents(&mut out, &long);
        }
        let facts = (entry.mode, entry.owner, entry.mtime);
        match &entry.content {
            Content::File(bytes) => {
                header(&mut out, &name, facts, b'0', "", bytes.len());
                contents(&mut out, bytes);
            }
            Content::Dir => header(&mut out, &name, facts, b'5', "", 0),
            Content::Symlink(to) => header(&mut out, &name, facts, b'2', to, 0),
        }
    }
    out.resize(out.len() + 2 * BLOCK, 0);
    // What is written to a tape comes in records of twenty blocks.
    out.resize(out.len().next_multiple_of(20 * BLOCK), 0);
    out
}

fn contents(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(bytes);
    out.resize(out.len().next_multiple_of(BLOCK), 0);
}

fn header(
    out: &mut Vec<u8>,
    name: &str,
    (mode, (uid, gid), mtime): (u32, (u32, u32), u64),
    kind: u8,
    link: &str,
    size: usize,
) {
    let mut block = [0; BLOCK];
    let mut put = |at: usize, most: usize, bytes: &[u8]| {
        let count = bytes.len().min(most);
        block[at..at + count].copy_from_slice(&bytes[..count]);
    };
    put(0, 100, name.as_bytes());
    put(100, 7, format!("{mode:07o}").as_bytes());
    put(108, 7, format!("{uid:07o}").as_bytes());
    put(116, 7, format!("{gid:07o}").as_bytes());
    put(124, 11, format!("{size:011o}").as_bytes());
    put(136, 11, format!("{mtime:011o}").as_bytes());
    put(148, 8, b"        ");
    put(156, 1, &[kind]);
    put(157, 100, link.as_bytes());
    put(257, 8, b"ustar  \0");
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    out.extend_from_slice(&block);
}

/// The entries of an archive; `None` if it is none, or breaks off.
pub(crate) fn read(bytes: &[u8]) -> Option<Vec<Entry>> {
    let mut entries = Vec::new();
    let mut long = None;
    let mut rest = bytes;
    while let Some((block, after)) = rest.split_at_checked(BLOCK) {
        if block.iter().all(|byte| *byte == 0) {
            return Some(entries);
        }
        let number = |at: usize, len: usize| {
            let text = text(&block[at..at + len]);
            u64::from_str_radix(text.trim(), 8).unwrap_or(0)
        };
        let sum: u64 = block
            .iter()
            .enumerate()
            .map(|(at, byte)| {
                u64::from(if (148..156).contains(&at) {
                    b' '
                } else {
                    *byte
                })
            })
            .sum();
        if sum != number(148, 8) {
            return None;
        }
        let small = |at: usize, len: usize| u32::try_from(number(at, len)).unwrap_or(0);
        let size = usize::try_from(number(124, 12)).ok()?;
        let (data, after) = after.split_at_checked(size.next_multiple_of(BLOCK))?;
        let data = &data[..size];
        rest = after;
        let kind = block[156];
        if kind == b'L' {
            long = Some(text(data));
            continue;
        }
        let prefix = match &block[257..263] {
            b"ustar\0" => text(&block[345..500]),
            _ => String::new(),
        };
        let short = text(&block[..100]);
        let name = long.take().unwrap_or(match prefix.is_empty() {
            true => short,
            false => format!("{prefix}/{short}"),
        });
        let content = match kind {
            b'0' | 0 if !name.ends_with('/') => Content::File(data.to_vec()),
            b'0' | 0 | b'5' => Content::Dir,
            b'2' => Content::Symlink(text(&block[157..257])),
            _ => continue,
        };
        entries.push(Entry {
            name: name.trim_end_matches('/').to_owned(),
            mode: small(100, 8),
            owner: (small(108, 8), small(116, 8)),
            mtime: number(136, 12),
            content,
        });
    }
    // An archive may end without its empty blocks, but not within something.
    rest.is_empty().then_some(entries)
}

/// The text up to the first zero byte.
fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|byte| *byte == 0);
    String::from_utf8_lossy(&bytes[..end.unwrap_or(bytes.len())]).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_can_be_read() {
        let entry = |name: &str, content: Content| Entry {
            name: name.to_owned(),
            mode: 0o644,
            owner: (0, 1000),
            mtime: 1_763_690_000,
            content,
        };
        let entries = vec![
            entry("d", Content::Dir),
            entry("d/a", Content::File(b"hello\n".to_vec())),
            entry("d/empty", Content::File(Vec::new())),
            entry("d/link", Content::Symlink("a".to_owned())),
            entry(&"long/".repeat(30), Content::File(vec![7; 600])),
        ];
        let entries: Vec<Entry> = entries
            .into_iter()
            .map(|entry| Entry {
                name: entry.name.trim_end_matches('/').to_owned(),
                ..entry
            })
            .collect();
        let bytes = write(&entries);
        assert_eq!(bytes.len() % 10_240, 0);
        assert_eq!(&bytes[257..262], b"ustar");
        assert_eq!(read(&bytes), Some(entries));
        assert_eq!(read(&write(&[])), Some(Vec::new()));
        assert_eq!(read(b"no archive"), None);
        let mut broken = bytes;
        broken[3] ^= 1;
        assert_eq!(read(&broken), None);
    }
}

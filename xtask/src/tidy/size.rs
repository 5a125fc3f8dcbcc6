//! Files that hold more than one idea, or data that belongs elsewhere.

/// Lines of a source file from which it holds a second idea.
const LINES: usize = 450;
/// Bytes of a file from which it is data: models are small, and traces are not kept here.
const BYTES: usize = 1_000_000;
const SOURCES: &[&str] = &[".rs", ".ts", ".js", ".py", ".css"];

/// What is wrong with the number of lines.
pub fn lines(path: &str, text: &str) -> Option<String> {
    let count = text.lines().count();
    let long = SOURCES.iter().any(|end| path.ends_with(end)) && count > LINES;
    long.then(|| format!("{path}: {count} lines, the bound is {LINES}: move the second idea to a file of its own"))
}

/// What is wrong with the number of bytes.
pub fn bytes(path: &str, count: usize) -> Option<String> {
    (count > BYTES).then(|| format!("{path}: {count} bytes, the bound is {BYTES}: data does not belong in the repository"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_source_is_refused() {
        assert!(lines("src/a.rs", &"//\n".repeat(LINES + 1)).is_some());
        assert_eq!(lines("src/a.rs", &"//\n".repeat(LINES)), None);
        assert_eq!(lines("Cargo.lock", &"#\n".repeat(LINES + 1)), None);
    }

    #[test]
    fn a_big_file_is_refused() {
        assert!(bytes("trace.parquet", BYTES + 1).is_some());
        assert_eq!(bytes("model.bin", BYTES), None);
    }
}

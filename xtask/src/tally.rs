//! Counts tests from what the test harness prints.

use std::ops::AddAssign;

/// Tests that were run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Tests that passed.
    pub passed: u64,
    /// Tests that failed.
    pub failed: u64,
}

impl Tally {
    /// Counts of one line of output; none when the line is not a harness's summary.
    pub fn parse(line: &str) -> Option<Self> {
        let counts = line.trim().strip_prefix("test result: ")?.split_once(". ")?.1;
        let count = |what: &str| counts.split("; ").find_map(|part| part.trim().strip_suffix(what)?.trim().parse().ok());
        Some(Self { passed: count("passed")?, failed: count("failed")? })
    }

    /// Counts of one line of vitest's output; none when the line is not its sum over all tests.
    pub fn parse_vitest(line: &str) -> Option<Self> {
        let counts = line.trim().strip_prefix("Tests ")?.rsplit_once(" (")?.0;
        let count = |what: &str| counts.split('|').find_map(|part| part.trim().strip_suffix(what)?.trim().parse().ok());
        Some(Self { passed: count("passed").unwrap_or(0), failed: count("failed").unwrap_or(0) })
    }

    /// The line that a person and a machine read last.
    pub fn line(self) -> String {
        format!("{} passed, {} failed", self.passed, self.failed)
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_is_counted() {
        let line = "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 3 filtered out; finished in 0.41s";
        assert_eq!(Tally::parse(line), Some(Tally { passed: 12, failed: 0 }));
        let line = "test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s";
        assert_eq!(Tally::parse(line), Some(Tally { passed: 3, failed: 2 }));
    }

    #[test]
    fn a_sum_of_vitest_is_counted() {
        let parse = |line| Tally::parse_vitest(line).map(|t| (t.passed, t.failed));
        assert_eq!(parse("      Tests  96 passed (96)"), Some((96, 0)));
        assert_eq!(parse("      Tests  1 failed | 29 passed | 2 skipped (32)"), Some((29, 1)));
        assert_eq!(parse("      Tests  3 failed (3)"), Some((0, 3)));
        for line in [" Test Files  6 passed (6)", "Tests", " Tests  no tests", "   Start at  02:07:56"] {
            assert_eq!(parse(line), None, "{line:?}");
        }
    }

    #[test]
    fn other_lines_are_not() {
        for line in ["test a ... ok", "running 3 tests", "test result: ok", "", "the test result: ok. 1 passed; 0 failed"] {
            assert_eq!(Tally::parse(line), None, "{line:?}");
        }
    }

    #[test]
    fn tallies_add_up() {
        let mut all = Tally { passed: 1, failed: 0 };
        all += Tally { passed: 2, failed: 3 };
        assert_eq!(all.line(), "3 passed, 3 failed");
    }
}

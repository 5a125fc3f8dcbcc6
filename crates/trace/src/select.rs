//! Parts of a trace.

use crate::Trace;

impl Trace {
    /// Keeps the `n` buckets with the most requests, the earlier seen first among equals; names and time stay as they are
    /// for those kept. Buckets are numbered anew, in order of requests descending.
    #[must_use]
    pub fn busiest(&self, n: usize) -> Self {
        let totals = self.requests_by_bucket();
        let mut order: Vec<usize> = (0..totals.len()).collect();
        order.sort_by_key(|&b| (std::cmp::Reverse(totals[b]), b));
        order.truncate(n);
        let mut renumbered = vec![None; totals.len()];
        for (new, &old) in order.iter().enumerate() {
            renumbered[old] = u32::try_from(new).ok();
        }
        let mut kept = self.filter(|i| renumbered[self.buckets[i] as usize].is_some());
        for bucket in &mut kept.buckets {
            *bucket = renumbered[*bucket as usize].unwrap_or_default();
        }
        kept.bucket_names = order.iter().map(|&b| self.bucket_names[b].clone()).collect();
        kept
    }

    /// Keeps `length` seconds from second `from` on, which becomes second 0.
    #[must_use]
    pub fn span(&self, from: u32, length: u32) -> Self {
        let length = length.min(self.length.saturating_sub(from));
        let mut kept = self.filter(|i| self.seconds[i].checked_sub(from).is_some_and(|s| s < length));
        for second in &mut kept.seconds {
            *second -= from;
        }
        kept.start += i64::from(from);
        kept.length = length;
        kept
    }

    fn filter(&self, keep: impl Fn(usize) -> bool) -> Self {
        let mut kept = Self {
            start: self.start,
            length: self.length,
            node_names: self.node_names.clone(),
            bucket_names: self.bucket_names.clone(),
            ..Self::default()
        };
        for i in (0..self.rows()).filter(|&i| keep(i)) {
            kept.seconds.push(self.seconds[i]);
            kept.nodes.push(self.nodes[i]);
            kept.buckets.push(self.buckets[i]);
            kept.requests.push(self.requests[i]);
            kept.bytes_mean.push(self.bytes_mean[i]);
            kept.errors.push(self.errors[i]);
        }
        kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trace() -> Trace {
        Trace {
            start: 100,
            length: 4,
            seconds: vec![0, 1, 1, 3],
            nodes: vec![0; 4],
            buckets: vec![0, 1, 2, 1],
            requests: vec![5, 4, 1, 4],
            bytes_mean: vec![1.0; 4],
            errors: vec![0; 4],
            node_names: vec!["n".into()],
            bucket_names: vec!["a".into(), "b".into(), "c".into()],
        }
    }

    #[test]
    fn the_busiest_buckets_come_first() {
        let kept = trace().busiest(2);
        assert_eq!(kept.bucket_names, ["b", "a"]);
        assert_eq!(kept.buckets, [1, 0, 0]);
        assert_eq!(kept.requests, [5, 4, 4]);
        assert_eq!((kept.start, kept.length), (100, 4));
    }

    #[test]
    fn a_span_starts_at_its_own_second_zero() {
        let kept = trace().span(1, 2);
        assert_eq!(kept.seconds, [0, 0]);
        assert_eq!((kept.start, kept.length), (101, 2));
        assert_eq!(trace().span(3, 99).length, 1, "a span ends with the trace");
        assert_eq!(trace().span(9, 9).rows(), 0);
    }
}

//! Letting go of what has not been seen for long.

use super::{Store, Window};

impl Store {
    /// Frees the rows without a request for `idle_after_s` seconds, but for those of buckets to `keep`, and the nodes silent for
    /// `forget_after_s`; returns how many rows went.
    pub fn evict(&mut self, now: Window, forget_after_s: i64, keep: impl Fn(&str) -> bool) -> usize {
        let idle = (i64::from(self.limits.idle_after_s) / self.interval_s).clamp(1, i64::from(u16::MAX)) as u16;
        let forget = (forget_after_s / self.interval_s).max(1);
        let gone: Vec<bool> = self.nodes.iter().map(|n| n.known && now - n.last > forget).collect();
        let mut freed = 0;
        for row in 0..self.rows() {
            let node = self.columns.node[row] as usize;
            let Some(name) = self.index.name(row) else { continue };
            let is_total = name == super::TOTAL;
            if gone[node] || (!is_total && self.columns.quiet[row] >= idle && !keep(name)) {
                self.index.remove(row as u32);
                self.columns.clear(row);
                self.nodes[node].series -= usize::from(!is_total);
                freed += 1;
            }
        }
        for (node, _) in self.nodes.iter_mut().zip(gone).filter(|(_, gone)| *gone) {
            node.known = false;
            self.numbers.remove(&node.name);
        }
        freed
    }
}

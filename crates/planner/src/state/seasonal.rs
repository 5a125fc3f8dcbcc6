//! Memory of the time of day: the mean of each half hour, yesterday weighed with the days before.

use serde::{Deserialize, Serialize};

/// Half hours of a day.
pub const SLOTS: usize = 48;

/// Weight of the newest day in a slot.
const NEWEST: f32 = 0.5;

/// `slots[slot][row]`, requests per window on a logarithmic scale of 16 bits.
#[derive(Serialize, Deserialize)]
pub struct Seasonal {
    windows_per_slot: i64,
    slots: Vec<Vec<u16>>,
    sum: Vec<f32>,
}

impl Seasonal {
    /// An empty memory for windows of `interval_s` seconds.
    pub fn new(interval_s: u32) -> Self {
        let windows_per_slot = (86_400 / SLOTS as i64 / i64::from(interval_s.max(1))).max(1);
        Self { windows_per_slot, slots: vec![vec![]; SLOTS], sum: vec![] }
    }

    pub(super) fn push(&mut self) {
        self.slots.iter_mut().for_each(|s| s.push(0));
        self.sum.push(0.0);
    }

    pub(super) fn clear(&mut self, row: usize) {
        self.slots.iter_mut().for_each(|s| s[row] = 0);
        self.sum[row] = 0.0;
    }

    /// Adds the demand of `window` for all rows; at the end of a half hour the slot takes in its mean.
    pub(super) fn add(&mut self, window: i64, demand: &[f32]) {
        for (sum, d) in self.sum.iter_mut().zip(demand) {
            *sum += d;
        }
        if (window + 1) % self.windows_per_slot != 0 {
            return;
        }
        let per_window = 1.0 / self.windows_per_slot as f32;
        let slot = self.slot(window);
        for (code, sum) in self.slots[slot].iter_mut().zip(&mut self.sum) {
            let today = *sum * per_window;
            let before = decode(*code);
            let mean = if *code == 0 { today } else { before + NEWEST * (today - before) };
            *code = encode(mean);
            *sum = 0.0;
        }
    }

    /// Drops what was added since the last half hour ended: windows are missing, so that it is no mean of one.
    pub(super) fn interrupt(&mut self) {
        self.sum.fill(0.0);
    }

    /// Mean requests per window that `row` had at the time of day of `window` on earlier days.
    pub fn expected(&self, window: i64, row: usize) -> f32 {
        decode(self.slots[self.slot(window)][row])
    }

    fn slot(&self, window: i64) -> usize {
        window.div_euclid(self.windows_per_slot).rem_euclid(SLOTS as i64) as usize
    }
}

/// Relative resolution 1/2600 from 1/64 of a request per window on; the largest code stands for 1e9.
fn encode(x: f32) -> u16 {
    ((1.0 + x.max(0.0) * 64.0).ln() * 2600.0).round().min(f32::from(u16::MAX)) as u16
}

fn decode(code: u16) -> f32 {
    ((f32::from(code) / 2600.0).exp() - 1.0) / 64.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_remembers_the_mean_of_its_half_hour() {
        let mut s = Seasonal::new(30);
        s.push();
        let day = 2880;
        for w in 0..day {
            s.add(w, &[if w < 60 { 12.0 } else { 3.0 }]);
        }
        assert!((s.expected(day + 30, 0) - 12.0).abs() < 0.02);
        assert!((s.expected(day + 90, 0) - 3.0).abs() < 0.01);
        for w in day..day + 60 {
            s.add(w, &[20.0]);
        }
        assert!((s.expected(2 * day + 1, 0) - 16.0).abs() < 0.03, "half yesterday, half before");
    }
}

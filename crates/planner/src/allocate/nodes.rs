//! An origin's sustained capacity over its nodes, at equal risk.
//!
//! Each node is a stock of tokens with a random demand, and what is leased to it in the next step is an order: the classic
//! allocation of a scarce supply over several newsvendors (Eppen & Schrage 1981). At the optimum the probability that the demand
//! outruns stock and refill is the same at every node that gets anything: the price of a token. What is left once the risk is
//! below 1 - SLO brings nodes of which little is known up to an even share, since they may do what nobody has seen of them yet.
//! Then it tops up the stocks, because a saved token is worth something later and one that overflows is worth nothing;
//! what is left even then goes where demand was seen to reach beyond its quantiles.

use crate::forecast::quantile::{GammaTable, LOGITS, logit, probability};

/// One node's side of the bargain.
#[derive(Debug, Clone, Default)]
pub struct Claim {
    /// Requests expected until the end of the step that is being leased.
    pub mean: f64,
    /// Their variance.
    pub variance: f64,
    /// How much further than the variance says demand reaches above its mean.
    pub stretch: f64,
    /// Tokens saved, and refilled before that step under leases already out.
    pub tokens: f64,
    /// Tokens it can save.
    pub capacity: f64,
    /// Least rate, tokens per second.
    pub floor: f64,
    /// Rate that it is to have where nobody else is at risk, tokens per second.
    pub even: f64,
    /// Rate that is out already and cannot be taken back for that step, tokens per second.
    pub committed: f64,
}

/// What comes of it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Share {
    /// Rate of each node, tokens per second. The sum of `max(rate, committed)` is at most the capacity.
    pub rates: Vec<f64>,
    /// The same without what a node only has because it is committed anyway: what may be promised for longer than that.
    pub lasting: Vec<f64>,
    /// Probability that one more token would be used.
    pub price: f64,
}

/// Shares `per_s` tokens per second over `claims` for a step of `seconds`; `slo` is the share of requests to be admitted.
pub fn share(table: &GammaTable, per_s: f64, seconds: f64, slo: f64, claims: &[Claim]) -> Share {
    let plenty = logit((1.0 - slo).clamp(1e-6, 0.5));
    let rates_at = |risk: f64| -> Vec<f64> { claims.iter().map(|c| c.rate(table, risk, seconds)).collect() };
    let used = |rates: &[f64]| -> f64 { rates.iter().zip(claims).map(|(r, c)| r.max(c.committed)).sum() };
    let mut risk = plenty;
    let mut rates = rates_at(risk);
    if used(&rates) > per_s {
        risk = scarce_risk(per_s, plenty, |risk| used(&rates_at(risk)));
        rates = rates_at(risk);
    }
    let over = used(&rates);
    if over > per_s {
        // Even at the highest risk that the table knows the floors and commitments are too much: cut what is above them.
        let committed: Vec<f64> = claims.iter().map(|c| c.committed).collect();
        rates = super::ledger::within(per_s, &committed, &rates);
    }
    let mut lasting = rates.clone();
    for (rates, keep) in [(&mut rates, true), (&mut lasting, false)] {
        let mut top_up = |room: &dyn Fn(&Claim, f64) -> f64| {
            if keep {
                keep_committed(rates, claims, room);
            }
            share_left(rates, claims, per_s, room);
        };
        top_up(&|c, rate| (c.even - rate).max(0.0));
        top_up(&|c, rate| c.room(rate, seconds));
        top_up(&|c, rate| ((c.bound(table, plenty) - c.tokens) / seconds - rate).max(0.0));
    }
    Share { rates, lasting, price: probability(risk) }
}

impl Claim {
    /// The rate at which demand outruns the tokens with the probability whose logit is `risk`.
    fn rate(&self, table: &GammaTable, risk: f64, seconds: f64) -> f64 {
        let needed = table.quantile(self.mean, self.variance, risk);
        ((needed - self.tokens) / seconds).max(self.floor).max(0.0)
    }

    /// Demand that should be exceeded with the probability whose logit is `risk`, stretched by what was seen to exceed it.
    pub fn bound(&self, table: &GammaTable, risk: f64) -> f64 {
        let quantile = table.quantile(self.mean, self.variance, risk).max(self.mean);
        self.mean + self.stretch * (quantile - self.mean)
    }

    /// Rate beyond `rate` that would on average be saved rather than spilt.
    fn room(&self, rate: f64, seconds: f64) -> f64 {
        let left = self.tokens + rate * seconds - self.mean;
        ((self.capacity - left) / seconds).max(0.0)
    }
}

fn scarce_risk(per_s: f64, plenty: f64, used: impl Fn(f64) -> f64) -> f64 {
    let (mut low, mut high) = (plenty, LOGITS.1);
    for _ in 0..40 {
        let middle = 0.5 * (low + high);
        if used(middle) > per_s {
            low = middle;
        } else {
            high = middle;
        }
    }
    high
}

/// Leaves what is committed to those with `room` for it: nobody else can have it.
fn keep_committed(rates: &mut [f64], claims: &[Claim], room: &dyn Fn(&Claim, f64) -> f64) {
    for (rate, claim) in rates.iter_mut().zip(claims) {
        *rate = (*rate + room(claim, *rate)).min(claim.committed).max(*rate);
    }
}

/// Gives what is left to those with `room` for it, in proportion.
fn share_left(rates: &mut [f64], claims: &[Claim], per_s: f64, room: &dyn Fn(&Claim, f64) -> f64) {
    let used: f64 = rates.iter().zip(claims).map(|(r, c)| r.max(c.committed)).sum();
    let rooms: Vec<f64> = rates.iter().zip(claims).map(|(r, c)| room(c, *r)).collect();
    let wanted: f64 = rooms.iter().sum();
    if wanted <= 0.0 {
        return;
    }
    let part = ((per_s - used) / wanted).clamp(0.0, 1.0);
    for (rate, room) in rates.iter_mut().zip(rooms) {
        *rate += room * part;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(mean: f64, variance: f64, tokens: f64) -> Claim {
        Claim { mean, variance, tokens, stretch: 1.0, capacity: 1000.0, ..Claim::default() }
    }

    #[test]
    fn scarce_capacity_is_shared_at_equal_risk() {
        let table = GammaTable::default();
        let claims = [claim(300.0, 3000.0, 0.0), claim(300.0, 30_000.0, 0.0), claim(300.0, 3000.0, 150.0)];
        let got = share(&table, 30.0, 30.0, 0.999, &claims);
        assert!((got.rates.iter().sum::<f64>() - 30.0).abs() < 1e-6, "{got:?}");
        assert!(got.rates[1] > got.rates[0], "the less certain demand gets more: {got:?}");
        assert!((got.rates[0] - got.rates[2] - 5.0).abs() < 1e-6, "what is saved need not be leased: {got:?}");
        assert!(got.price > 0.001);
    }

    #[test]
    fn plenty_tops_up_and_leases_no_more_than_there_is_room_for() {
        let table = GammaTable::default();
        let full = Claim { capacity: 500.0, ..claim(30.0, 60.0, 500.0) };
        let got = share(&table, 100.0, 30.0, 0.999, &[full]);
        assert!((got.rates[0] - 1.0).abs() < 1e-9, "just what is expected to be used: {got:?}");
    }

    #[test]
    fn what_nobody_needs_is_even_where_little_is_known_and_what_somebody_needs_is_his() {
        let table = GammaTable::default();
        let young = Claim { even: 50.0, capacity: 500.0, ..claim(30.0, 60.0, 500.0) };
        let drained = Claim { even: 50.0, ..claim(30.0, 60.0, 0.0) };
        let got = share(&table, 100.0, 30.0, 0.999, &[young.clone(), drained]);
        assert!((got.rates[0] - 50.0).abs() < 1e-9 && (got.rates[1] - 50.0).abs() < 1e-9, "before a stock is filled: {got:?}");
        let busy = Claim { even: 50.0, ..claim(2700.0, 9000.0, 0.0) };
        let got = share(&table, 100.0, 30.0, 0.999, &[young, busy]);
        assert!(got.rates[1] > 95.0, "{got:?}");
    }

    #[test]
    fn what_is_committed_anyway_is_left_and_not_promised_for_longer() {
        let table = GammaTable::default();
        let empty = Claim { capacity: 10_000.0, ..claim(300.0, 900.0, 0.0) };
        let holds = Claim { committed: 80.0, ..empty.clone() };
        let got = share(&table, 100.0, 30.0, 0.999, &[holds, empty]);
        assert!(got.rates[0] > 80.0 && got.rates.iter().sum::<f64>() <= 100.0 + 1e-9, "{got:?}");
        assert!((got.lasting[0] - got.lasting[1]).abs() < 1e-9, "both are as empty: {got:?}");
    }

    #[test]
    fn what_is_committed_is_not_leased_twice() {
        let table = GammaTable::default();
        let idle = Claim { committed: 8.0, ..claim(0.0, 0.0, 1000.0) };
        let busy = claim(3000.0, 9000.0, 0.0);
        let got = share(&table, 10.0, 30.0, 0.999, &[idle, busy]);
        assert!(got.rates[1] <= 2.0 + 1e-9, "{got:?}");
        assert_eq!(got.rates[0], 0.0, "it is asked back all the same");
    }
}

//! An origin's burst over its nodes: tokens that may be saved where demand swings.

/// Part of the burst that is not leased, so that a new node can have some at once.
const KEPT_FOR_NEWCOMERS: f64 = 0.02;
/// Part that is shared evenly, whatever a node has done so far.
const EVEN: f64 = 0.15;
/// Least tokens that make a node's burst worth having: what one request takes.
const USEFUL: f64 = 1.0;
/// Relative distance from its target within which a capacity stays as it is.
const UNMOVED: f64 = 0.1;

/// `swing` of each node as far as it can be believed after so many `windows`: the fewer there are, the nearer it is drawn to the
/// mean of all, as James-Stein estimators do. A node that has not been seen long may be about to stray as others do.
pub fn believed(swing: &[f64], windows: &[u32]) -> Vec<f64> {
    let mean = swing.iter().sum::<f64>() / swing.len().max(1) as f64;
    swing.iter().zip(windows).map(|(s, n)| s + super::doubt(*n) * (mean - s)).collect()
}

/// Capacity of each node, tokens: an even part, the rest by `swing`: how far a node's demand may stray.
///
/// A capacity grows only into what others no longer hold (`committed`), and stays where it is while it is within a tenth of its
/// target: tokens saved above a capacity that shrinks are lost.
pub fn share(burst: f64, swing: &[f64], committed: &[f64], current: &[Option<f64>]) -> Vec<f64> {
    let total: f64 = swing.iter().sum();
    let lent = burst * (1.0 - KEPT_FOR_NEWCOMERS);
    let even = 1.0 / swing.len().max(1) as f64;
    let targets: Vec<f64> = swing
        .iter()
        .zip(current)
        .map(|(s, now)| {
            let part = if total > 0.0 { EVEN * even + (1.0 - EVEN) * s / total } else { even };
            match now {
                Some(now) if (now / (lent * part).max(1e-9) - 1.0).abs() < UNMOVED => *now,
                _ => lent * part,
            }
        })
        .collect();
    super::ledger::within(burst, committed, &whole(lent, &targets))
}

/// Concentrates a burst that is too thin: below [`USEFUL`] tokens a node can hardly ever admit a request, so the nodes whose demand
/// strays most get that much, as many as it lasts for, and the others none.
fn whole(lent: f64, targets: &[f64]) -> Vec<f64> {
    if targets.iter().all(|t| *t >= USEFUL) {
        return targets.to_vec();
    }
    let mut order: Vec<usize> = (0..targets.len()).collect();
    order.sort_by(|a, b| targets[*b].total_cmp(&targets[*a]).then(a.cmp(b)));
    let mut out = vec![0.0; targets.len()];
    let mut left = lent;
    for i in order {
        let part = targets[i].max(USEFUL).min(left);
        if part < USEFUL {
            break;
        }
        out[i] = part;
        left -= part;
    }
    // What is too little for one more node is not to be lost.
    let part = lent / (lent - left).max(f64::MIN_POSITIVE);
    out.iter().map(|tokens| tokens * part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thin_burst_goes_where_it_can_admit_something() {
        let got = share(2.0, &[0.1, 3.0, 0.2, 0.1], &[0.0; 4], &[None; 4]);
        assert!(got[1] >= 1.0 && got[3] == 0.0 && got.iter().sum::<f64>() <= 2.0, "{got:?}");
        assert!(got.iter().all(|b| *b == 0.0 || *b > 0.9), "each has enough for a request, or nothing: {got:?}");
    }

    #[test]
    fn little_is_believed_of_a_node_not_seen_for_long() {
        let got = believed(&[4.0, 0.0], &[10_000, 0]);
        assert!(got[0] > 3.9 && got[1] > 1.9, "{got:?}");
    }

    #[test]
    fn follows_the_swing_and_never_lends_twice() {
        let got = share(100.0, &[3.0, 1.0], &[0.0, 0.0], &[None, None]);
        assert!(got[0] > 1.5 * got[1] && got.iter().sum::<f64>() <= 100.0);
        let got = share(100.0, &[3.0, 1.0], &[10.0, 80.0], &[Some(10.0), Some(80.0)]);
        assert!(got[0] <= 20.0 + 1e-9, "the other still holds 80: {got:?}");
        assert!(got[1] < 80.0, "it is asked back");
    }
}

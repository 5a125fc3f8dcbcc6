//! What one bucket may claim of an origin, however much it asks for.

/// Most that the busiest bucket, per unit of its weight, is entitled to of `per_s` tokens per second, where `needs` are what all buckets
/// need, with their weights: its weighted max-min share if it were insatiable (Bertsekas & Gallager, Data Networks, 1992, section
/// 6.5.2). So all that the others leave, and never less than its even part. Infinite without needs.
pub fn entitled(per_s: f64, mut needs: Vec<(f64, f64)>) -> f64 {
    needs.sort_unstable_by(|a, b| (a.0 / a.1).total_cmp(&(b.0 / b.1)));
    let Some((_, busiest)) = needs.pop() else { return f64::INFINITY };
    let (mut left, mut weight) = (per_s, busiest + needs.iter().map(|n| n.1).sum::<f64>());
    for (need, own) in needs {
        if need / own >= left / weight {
            break;
        }
        left -= need;
        weight -= own;
    }
    left / weight
}

#[cfg(test)]
mod tests {
    use super::entitled;

    #[test]
    fn the_busiest_may_have_what_the_others_leave() {
        assert_eq!(entitled(10.0, vec![(1.0, 1.0), (2.0, 1.0), (3.0, 1.0)]), 7.0);
        assert_eq!(entitled(10.0, vec![(300.0, 1.0)]), 10.0);
    }

    #[test]
    fn where_all_want_more_it_is_an_even_part() {
        assert_eq!(entitled(12.0, vec![(300.0, 1.0); 3]), 4.0);
        assert_eq!(entitled(12.0, vec![(1.0, 1.0), (300.0, 2.0), (900.0, 2.0)]), 2.75, "per unit of weight");
    }

    #[test]
    fn nothing_odd_comes_of_nothing() {
        assert_eq!(entitled(5.0, vec![]), f64::INFINITY);
        assert_eq!(entitled(5.0, vec![(0.0, 1.0)]), 5.0);
    }
}

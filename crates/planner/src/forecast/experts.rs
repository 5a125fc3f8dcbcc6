//! The model beside the naive forecasts: each row trusts whichever has lately been right for it.

use std::ops::Range;

use linfa::traits::PredictInplace;
use ndarray::ArrayView2;

use super::{Compiled, STEPS};
use crate::{
    features::{BLOCK, Block, COUNT, fast},
    state::{EXPERTS, Store},
};

/// Names of the experts, in the order of their losses.
pub const EXPERT_NAMES: [&str; EXPERTS] = ["model", "last_window", "ewma_45s", "ewma_5m", "ewma_30m", "ewma_6h"];

/// How much loss a naive expert starts with beside the model, in nats: the model is trusted until it is seen to lose.
const MODEL_LEAD: f32 = 1.0;

/// Expected requests of each of the next steps: `steps[step][row]`.
#[derive(Debug, Clone, Default)]
pub struct Means {
    /// By step, then row.
    pub steps: [Vec<f32>; STEPS],
    /// Rows that trust a naive expert more than the model.
    pub on_naive: usize,
}

impl Means {
    /// Forecasts all rows of `store` and leaves there what the next window is expected to bring.
    ///
    /// Each row's mean is the average of the experts weighed by `exp(-loss)`: with log losses that is Bayesian model averaging,
    /// never worse than its best expert by more than the log of their number (Cesa-Bianchi & Lugosi 2006, ch. 9), here with
    /// discounted losses, so that it also follows a change of the best expert.
    pub fn update(&mut self, model: Option<&Compiled>, store: &mut Store) {
        let rows = store.rows();
        self.steps.iter_mut().for_each(|s| s.resize(rows, 0.0));
        self.on_naive = 0;
        let mut block = Block::default();
        for start in (0..rows).step_by(BLOCK) {
            let len = BLOCK.min(rows - start);
            match model {
                Some(model) => {
                    block.fill(store, start);
                    self.predict(model, &block);
                    store.columns.expected[start..start + len].copy_from_slice(&self.steps[0][start..start + len]);
                }
                None => store.columns.expected[start..start + len].fill(-1.0),
            }
            self.mix(store, start, len, model.is_some());
        }
        store.columns.forecast.copy_from_slice(&self.steps[0]);
    }

    /// Expects of every step what the last window brought, in place of a forecast.
    pub fn repeat_last(&mut self, store: &mut Store) {
        for row in 0..store.rows() {
            let last = store.demand(row, 0);
            self.steps.iter_mut().for_each(|means| means[row] = last);
        }
        store.columns.forecast.copy_from_slice(&self.steps[0]);
    }

    /// The expert that `row` trusts most.
    pub fn expert(&self, store: &Store, row: usize) -> &'static str {
        let weights = weigh(store, row..row + 1, store.columns.expected[row] >= 0.0);
        let best = (0..EXPERTS).max_by(|a, b| weights[*a][0].total_cmp(&weights[*b][0]));
        EXPERT_NAMES[best.unwrap_or(0)]
    }

    fn predict(&mut self, model: &Compiled, block: &Block) {
        let flat = block.columns.as_flattened();
        // The shape is the array's own: COUNT columns of BLOCK values.
        let Ok(columns) = ArrayView2::from_shape((COUNT, BLOCK), flat) else { return };
        let x = columns.reversed_axes();
        let mut y = model.default_target(&x);
        model.predict_inplace(&x, &mut y);
        for (step, means) in self.steps.iter_mut().enumerate() {
            let out = &mut means[block.start..block.start + block.len];
            out.iter_mut().zip(y.column(step)).for_each(|(o, y)| *o = *y);
        }
    }

    fn mix(&mut self, store: &Store, start: usize, len: usize, has_model: bool) {
        let c = &store.columns;
        let rows = start..start + len;
        let weights = weigh(store, rows.clone(), has_model);
        let [model, naive @ ..] = weights.each_ref().map(|w| &w[..len]);
        let mut mixed = [0.0f32; BLOCK];
        for (weights, values) in naive.iter().zip(std::iter::once(store.last()).chain(c.ewma.iter().map(Vec::as_slice))) {
            mixed.iter_mut().zip(*weights).zip(&values[rows.clone()]).for_each(|((m, w), v)| *m += w * v);
        }
        for means in &mut self.steps {
            for ((mean, weight), mixed) in means[rows.clone()].iter_mut().zip(model).zip(&mixed) {
                *mean = (weight * if has_model { *mean } else { 0.0 } + mixed).max(0.0);
            }
        }
        if !has_model {
            return;
        }
        let active = &c.active[rows];
        self.on_naive += (0..len).filter(|i| naive.iter().any(|n| n[*i] > model[*i]) && active[*i] > 0.0).count();
    }
}

/// Weights of the experts for each of at most [`BLOCK`] rows, summing to 1 for a row; the model's is 0 when there is none.
fn weigh(store: &Store, rows: Range<usize>, has_model: bool) -> [[f32; BLOCK]; EXPERTS] {
    let mut weights = [[0.0f32; BLOCK]; EXPERTS];
    let mut sum = [0.0f32; BLOCK];
    for (e, (weights, loss)) in weights.iter_mut().zip(&store.columns.loss).enumerate().skip(usize::from(!has_model)) {
        let lead = if e == 0 { 0.0 } else { MODEL_LEAD };
        for ((w, sum), loss) in weights.iter_mut().zip(&mut sum).zip(&loss[rows.clone()]) {
            *w = fast::exp(-loss - lead);
            *sum += *w;
        }
    }
    for weights in &mut weights {
        weights.iter_mut().zip(&sum).for_each(|(w, sum)| *w /= sum.max(f32::MIN_POSITIVE));
    }
    weights
}

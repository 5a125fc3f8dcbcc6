//! Logarithm and exponential that the compiler can vectorise: a tick takes tens of millions of each.

/// Natural logarithm of a positive, finite `x`; absolute error below 2e-5.
///
/// Splits off the exponent and fits the mantissa by a polynomial of degree 5 (least maximal error on 1 to 2).
#[inline(always)]
pub fn ln(x: f32) -> f32 {
    let bits = x.to_bits();
    let exponent = ((bits >> 23) as i32 - 127) as f32;
    let m = f32::from_bits((bits & 0x007f_ffff) | 0x3f80_0000);
    let poly = 0.044_873_52 * m - 0.416_563_03;
    let poly = (((poly * m + 1.631_146_8) * m - 3.550_79) * m + 5.091_708_7) * m - 2.800_363_5;
    (exponent + poly) * std::f32::consts::LN_2
}

/// `ln(1 + x)` for `x >= 0`.
#[inline(always)]
pub fn ln_1p(x: f32) -> f32 {
    ln(1.0 + x)
}

/// Exponential of `x` held to -30 to 30; relative error below 1e-5.
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    let t = x.clamp(-30.0, 30.0) * std::f32::consts::LOG2_E;
    let whole = floor(t);
    let f = t - whole;
    let fraction = 1.0 + f * (0.693_044_84 + f * (0.241_280_21 + f * (0.052_242_473 + f * 0.013_426_685)));
    // The lowest bits of the sum are `whole`, in two's complement; the shift leaves nothing of the others.
    f32::from_bits((whole + ROUND).to_bits().wrapping_add(127) << 23) * fraction
}

/// Three halves of 2^23: added to a number below 2^22 it leaves no room for a fraction, so that the sum is a whole number.
const ROUND: f32 = 12_582_912.0;

/// `x.floor()` for `x` from -2^22 to 2^22. A plain build is for processors that know no such instruction, so that the standard
/// one is a call.
#[inline(always)]
fn floor(x: f32) -> f32 {
    let near = (x + ROUND) - ROUND;
    near - if near > x { 1.0 } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_floor_is_the_standard_one() {
        for i in -4000..4000 {
            for x in [i as f32, i as f32 / 101.0, (i as f32).next_up(), (i as f32).next_down(), i as f32 + 0.5] {
                assert_eq!(floor(x), x.floor(), "{x}");
            }
        }
        assert!(floor(f32::NAN).is_nan() && exp(f32::NAN).is_nan());
    }

    #[test]
    fn close_to_the_exact_functions() {
        for i in 0..20_000 {
            let x = 1e-3 * 1.0012f32.powi(i);
            if x > 1e7 {
                break;
            }
            assert!((ln(x) - x.ln()).abs() < 2e-5, "ln {x}: {} {}", ln(x), x.ln());
        }
        for i in -3000..3000 {
            let x = i as f32 / 101.0;
            assert!((exp(x) / x.exp() - 1.0).abs() < 1e-5, "exp {x}: {} {}", exp(x), x.exp());
        }
    }
}

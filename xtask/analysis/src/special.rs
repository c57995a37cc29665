//! The functions that the tests stand on: normal, beta, binomial.

/// The incomplete beta's continued fraction converges within about the square root of its larger
/// parameter; this is enough for 10^9 samples.
const MAX_TERMS: u32 = 100_000;

/// P(Z > z) of the standard normal.
pub(crate) fn normal_above(z: f64) -> f64 {
    0.5 * libm::erfc(z / std::f64::consts::SQRT_2)
}

/// The z with P(Z > z) = `alpha`, for `alpha` between 0 and 1.
pub(crate) fn normal_quantile_above(alpha: f64) -> f64 {
    let (mut low, mut high) = (-38.0, 38.0);
    // Each round halves 76; 62 of them reach the last bit.
    for _ in 0..62 {
        let middle = f64::midpoint(low, high);
        if normal_above(middle) > alpha { low = middle } else { high = middle }
    }
    f64::midpoint(low, high)
}

/// The standard normal's density.
pub(crate) fn normal_density(z: f64) -> f64 {
    (-0.5 * z * z).exp() / (2.0 * std::f64::consts::PI).sqrt()
}

/// P(X >= k) for X ~ Bin(n, p), by the incomplete beta function (Abramowitz & Stegun, 26.5.24).
pub(crate) fn binomial_at_least(n: u64, k: u64, p: f64) -> f64 {
    if k == 0 {
        1.0
    } else if k > n {
        0.0
    } else {
        beta_regularized(k as f64, (n - k) as f64 + 1.0, p)
    }
}

/// P(X <= k) for X ~ Bin(n, p).
pub(crate) fn binomial_at_most(n: u64, k: u64, p: f64) -> f64 {
    if k >= n { 1.0 } else { beta_regularized((n - k) as f64, k as f64 + 1.0, 1.0 - p) }
}

/// I_x(a, b), by the continued fraction of Numerical Recipes (3rd ed., 6.4) in Lentz's form.
fn beta_regularized(a: f64, b: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if x >= 1.0 {
        return 1.0;
    }
    let ln_front =
        libm::lgamma(a + b) - libm::lgamma(a) - libm::lgamma(b) + a * x.ln() + b * (-x).ln_1p();
    let tail = if x < (a + 1.0) / (a + b + 2.0) {
        ln_front.exp() * beta_fraction(a, b, x) / a
    } else {
        1.0 - ln_front.exp() * beta_fraction(b, a, 1.0 - x) / b
    };
    tail.clamp(0.0, 1.0)
}

fn beta_fraction(a: f64, b: f64, x: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let away_from_zero = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut c = 1.0;
    let mut d = 1.0 / away_from_zero(1.0 - (a + b) * x / (a + 1.0));
    let mut fraction = d;
    for m in 1..=MAX_TERMS {
        let m = f64::from(m);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        d = 1.0 / away_from_zero(1.0 + even * d);
        c = away_from_zero(1.0 + even / c);
        fraction *= d * c;
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        d = 1.0 / away_from_zero(1.0 + odd * d);
        c = away_from_zero(1.0 + odd / c);
        let step = d * c;
        fraction *= step;
        if (step - 1.0).abs() < 1e-15 {
            break;
        }
    }
    fraction
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(found: f64, expected: f64) {
        let off = (found - expected).abs() / expected.abs().max(1e-300);
        assert!(off < 1e-8, "expected {expected}, found {found}");
    }

    #[test]
    fn the_normal_agrees_with_scipy() {
        // scipy 1.17.1: stats.norm.sf, stats.norm.isf
        close(normal_above(1.0), 0.158_655_253_931_457_05);
        close(normal_above(6.0), 9.865_876_450_376_98e-10);
        close(normal_quantile_above(0.05), 1.644_853_626_951_472_2);
        close(normal_quantile_above(0.025), 1.959_963_984_540_054);
        close(normal_quantile_above(1e-12), 7.034_483_83);
        close(normal_density(0.0), 0.398_942_280_401_432_7);
    }

    #[test]
    fn the_incomplete_beta_agrees_with_scipy() {
        // scipy 1.17.1: special.betainc
        close(beta_regularized(2.0, 3.0, 0.4), 0.5248);
        close(beta_regularized(500.0, 1000.0, 0.33), 0.394_277_385_350_931_8);
        close(beta_regularized(0.5, 0.5, 0.1), 0.204_832_764_699_133_45);
        let found = beta_regularized(1e6, 1e4, 0.99);
        assert!((found - 0.157_455_393_825_094_3).abs() < 1e-6, "{found}");
    }

    #[test]
    fn binomial_tails_agree_with_scipy() {
        // scipy 1.17.1: stats.binom.sf(k - 1, n, p)
        close(binomial_at_least(1000, 5, 0.001), 0.003_636_878_029_521_792);
        close(binomial_at_least(1290, 31, 0.001), 6.696_371_982_193_598e-32);
        close(binomial_at_least(50, 1, 0.001), 0.048_794_371_802_968_646);
        close(binomial_at_least(200, 200, 0.5), 6.223_015_277_861_142e-61);
        let found = binomial_at_least(1_000_000, 500_301, 0.5);
        assert!((found - 0.273_920_000_803_824_6).abs() < 1e-6, "{found}");
        close(binomial_at_most(50, 0, 0.001), 1.0 - 0.048_794_371_802_968_646);
        assert_eq!(binomial_at_least(5, 6, 0.5), 0.0);
        assert_eq!(binomial_at_most(5, 5, 0.5), 1.0);
    }

    #[test]
    fn a_milliard_samples_still_converge() {
        let half = binomial_at_least(1_000_000_000, 950_000_000, 0.95);
        assert!((half - 0.5).abs() < 1e-3, "{half}");
    }
}

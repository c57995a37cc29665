//! Whether the candidate's values tend to be larger: Mann-Whitney's U on two histograms.
//!
//! Values within one bucket are ties. With enough requests any difference is significant, so the test
//! comes with two sizes of effect: how often the candidate is slower, and by how much.

use crate::Histogram;
use crate::special::normal_above;
use serde::{Deserialize, Serialize};

/// What the comparison of two histograms came to.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RankTest {
    /// Mann-Whitney's U of the candidate: pairs in which it is larger, a tie counting half.
    pub u: f64,
    /// How likely a U as large or larger is when both come from one distribution.
    pub p_larger: f64,
    /// Vargha and Delaney's A: the chance that a value of the candidate is larger than one of live.
    /// 0.5 is no difference; 0.56 is called small, 0.64 medium, 0.71 large.
    pub superiority: f64,
    /// Hodges and Lehmann's estimate of the shift: the median of all differences between a value of
    /// the candidate and one of live, each taken for its bucket's middle. In the values' unit.
    pub shift: f64,
}

/// Compares; `None` when one is empty or the bounds differ.
///
/// H. B. Mann and D. R. Whitney, Annals of Mathematical Statistics 18 (1947) 50; normal approximation
/// with the correction for ties of E. L. Lehmann, Nonparametrics (1975), p. 20, and for continuity, as
/// `scipy.stats.mannwhitneyu(method="asymptotic")`. A: A. Vargha and H. D. Delaney, Journal of
/// Educational and Behavioral Statistics 25 (2000) 101. Shift: J. L. Hodges and E. L. Lehmann, Annals
/// of Mathematical Statistics 34 (1963) 598.
pub(crate) fn compare(candidate: &Histogram, live: &Histogram) -> Option<RankTest> {
    let (own, theirs) = (candidate.total() as f64, live.total() as f64);
    if own == 0.0 || theirs == 0.0 || candidate.bounds() != live.bounds() {
        return None;
    }
    let (mut u, mut live_below, mut ties) = (0.0, 0.0, 0.0);
    for (&own, &theirs) in candidate.counts().iter().zip(live.counts()) {
        let (own, theirs) = (own as f64, theirs as f64);
        u += own * (live_below + theirs / 2.0);
        live_below += theirs;
        let tied = own + theirs;
        ties += tied * tied * tied - tied;
    }
    let all = own + theirs;
    let mean = own * theirs / 2.0;
    let variance = own * theirs / 12.0 * ((all + 1.0) - ties / (all * (all - 1.0)));
    let p_larger =
        if variance > 0.0 { normal_above((u - mean - 0.5) / variance.sqrt()) } else { 1.0 };
    Some(RankTest { u, p_larger, superiority: u / (own * theirs), shift: shift(candidate, live) })
}

fn shift(candidate: &Histogram, live: &Histogram) -> f64 {
    let mut pairs: Vec<(f64, f64)> = Vec::new();
    for (own, own_count) in middles(candidate) {
        pairs.extend(middles(live).map(|(theirs, count)| (own - theirs, own_count * count)));
    }
    pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
    let half = pairs.iter().map(|pair| pair.1).sum::<f64>() / 2.0;
    let mut below = 0.0;
    for (difference, weight) in pairs {
        below += weight;
        if below >= half {
            return difference;
        }
    }
    0.0
}

/// Middle and count of each bucket that holds something; what is beyond the last bound is taken for it.
fn middles(histogram: &Histogram) -> impl Iterator<Item = (f64, f64)> {
    let filled = histogram.counts().iter().enumerate().filter(|(_, count)| **count > 0);
    filled.map(|(bucket, count)| {
        let (lower, upper) = histogram.edges(bucket);
        (if upper.is_finite() { f64::midpoint(lower, upper) } else { lower }, *count as f64)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(counts: &[u64]) -> Histogram {
        let bounds = (1..counts.len()).map(|bound| bound as f64).collect();
        Histogram::new(bounds, counts.to_vec()).unwrap()
    }

    #[test]
    fn ties_agree_with_scipy() {
        // scipy 1.17.1: mannwhitneyu(a, b, alternative="greater", method="asymptotic") with
        // a = np.repeat(range(5), [3, 10, 20, 12, 5]), b = np.repeat(range(5), [8, 15, 14, 6, 1])
        let test = compare(&of(&[3, 10, 20, 12, 5]), &of(&[8, 15, 14, 6, 1])).unwrap();
        assert_eq!(test.u, 1464.5);
        assert!((test.p_larger - 0.002_067_607_964_693_107).abs() < 1e-12, "{test:?}");
        assert!((test.superiority - 0.665_681_818_181_818_2).abs() < 1e-12);
    }

    #[test]
    fn the_example_of_scipys_manual() {
        // scipy.stats.mannwhitneyu, Examples: ages of males and females; U 17, two-sided p 0.1113 by
        // the asymptotic method, so half of that on one side.
        let (mut males, mut females) = (vec![0; 31], vec![0; 31]);
        for age in [19, 22, 16, 29, 24] {
            males[age] += 1;
        }
        for age in [20, 11, 17, 12] {
            females[age] += 1;
        }
        let test = compare(&of(&males), &of(&females)).unwrap();
        assert_eq!(test.u, 17.0);
        assert!((test.p_larger - 0.055_673_443_266_570_206).abs() < 1e-12, "{test:?}");
        // The median of the 20 differences of those ages.
        assert_eq!(test.shift, 7.0);
    }

    #[test]
    fn one_bucket_tells_nothing() {
        let test = compare(&of(&[0, 1000]), &of(&[0, 9])).unwrap();
        assert_eq!((test.superiority, test.p_larger, test.shift), (0.5, 1.0, 0.0));
        assert_eq!(compare(&of(&[0, 0]), &of(&[0, 9])), None);
    }

    fn counts() -> impl Strategy<Value = Vec<u64>> {
        prop::collection::vec(0_u64..1_000, 8).prop_filter("empty", |c| c.iter().sum::<u64>() > 0)
    }

    proptest! {
        #[test]
        fn swapping_roles_flips_the_effect(a in counts(), b in counts()) {
            let there = compare(&of(&a), &of(&b)).unwrap();
            let back = compare(&of(&b), &of(&a)).unwrap();
            prop_assert!((there.superiority + back.superiority - 1.0).abs() < 1e-12);
            prop_assert!((0.0..=1.0).contains(&there.p_larger));
        }

        #[test]
        fn a_larger_candidate_is_larger_more_often(mut a in counts(), b in counts()) {
            let before = compare(&of(&a), &of(&b)).unwrap();
            a.rotate_right(1);
            a[7] += a[0];
            a[0] = 0;
            let after = compare(&of(&a), &of(&b)).unwrap();
            prop_assert!(after.superiority >= before.superiority - 1e-12);
            prop_assert!(after.shift >= before.shift);
        }
    }
}

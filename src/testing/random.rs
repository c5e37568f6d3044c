//! A small generator of numbers that a seed determines (SplitMix64).

/// Numbers for [`Server::fail_randomly`](super::Server::fail_randomly), not for secrets.
#[derive(Debug)]
pub(super) struct Random {
    state: u64,
}

impl Random {
    pub(super) fn from_seed(seed: u64) -> Self {
        Self { state: seed }
    }

    /// True with the probability 1/`n`; never where `n` is 0.
    pub(super) fn one_in(&mut self, n: u32) -> bool {
        n > 0 && self.next().is_multiple_of(u64::from(n))
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_number_of_seed_zero_is_the_published_one() {
        assert_eq!(Random::from_seed(0).next(), 0xe220_a839_7b1d_cdaf);
    }

    #[test]
    fn one_in_four_is_about_a_quarter() {
        let mut random = Random::from_seed(7);
        let hits = (0..10_000).filter(|_| random.one_in(4)).count();
        assert!((2_300..2_700).contains(&hits), "{hits}");
    }

    #[test]
    fn one_in_zero_is_never_and_one_in_one_is_always() {
        let mut random = Random::from_seed(7);
        assert!((0..100).all(|_| !random.one_in(0) && random.one_in(1)));
    }
}

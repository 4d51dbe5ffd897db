//! Ids from the operating system's randomness.

use chat::ports::Ids;

/// Random ids from the operating system, unpredictable enough for secrets.
#[derive(Clone, Copy, Debug, Default)]
pub struct RandomIds;

impl Ids for RandomIds {
    fn random(&self) -> u128 {
        let mut bytes = [0; 16];
        // Panics rather than continue with predictable ids, which would give away sessions.
        getrandom::fill(&mut bytes).expect("the operating system has a random generator");
        u128::from_ne_bytes(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_differ() {
        assert_ne!(RandomIds.random(), RandomIds.random());
    }
}

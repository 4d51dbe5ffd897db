//! Randomness of the operating system.

use chat::ports::Ids;

/// Ids from the operating system's random generator, fit for secrets.
#[derive(Clone, Copy, Debug, Default)]
pub struct RandomIds;

impl Ids for RandomIds {
    fn random(&self) -> u128 {
        let mut bytes = [0; 16];
        // Going on with predictable ids would hand out other people's sessions: better to stop.
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

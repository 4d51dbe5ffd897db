//! Names inside sentences. A name has its own direction and may hold anything that people type: it is marked in the
//! sentence, so that it neither turns the words around it nor passes for them.

use std::fmt::Display;

// Unicode's own marks for this. Names cannot hold them: `DisplayName` refuses them.
const START: char = '\u{2068}';
const END: char = '\u{2069}';

/// A part of a sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part<'a> {
    /// Our own words.
    Words(&'a str),
    /// A name.
    Name(&'a str),
}

/// The name, marked as one.
pub fn isolated(name: impl Display) -> String {
    format!("{START}{name}{END}")
}

/// The parts of a sentence with marked names.
pub fn parts(sentence: &str) -> impl Iterator<Item = Part<'_>> {
    let pieces = sentence.split([START, END]);
    let parts = pieces.enumerate().map(|(n, piece)| match n % 2 {
        0 => Part::Words(piece),
        _ => Part::Name(piece),
    });
    parts.filter(|part| *part != Part::Words(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_falls_into_words_and_names() {
        let sentence = format!("{} and {} joined", isolated("Ada"), isolated("שרה left"));
        let parts: Vec<_> = parts(&sentence).collect();
        let expected = [
            Part::Name("Ada"),
            Part::Words(" and "),
            Part::Name("שרה left"),
            Part::Words(" joined"),
        ];
        assert_eq!(parts, expected);
        assert_eq!(super::parts("").count(), 0);
    }
}

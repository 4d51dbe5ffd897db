//! Names inside sentences. A name has its own text direction and may contain anything, so the sentence marks it: it
//! must neither reverse the text around it nor look like a part of it.

use std::fmt::Display;

// Unicode's FIRST STRONG ISOLATE and POP DIRECTIONAL ISOLATE. `DisplayName` refuses them, so no name contains them.
const START: char = '\u{2068}';
const END: char = '\u{2069}';

/// A part of a sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part<'a> {
    /// Our own text.
    Text(&'a str),
    /// A person's name.
    Name(&'a str),
}

/// Marks a name.
pub fn isolated(name: impl Display) -> String {
    format!("{START}{name}{END}")
}

/// True if this character marks names: leave it out of other texts in the sentence.
pub fn is_mark(c: char) -> bool {
    c == START || c == END
}

/// Splits a sentence with marked names into its parts.
pub fn parts(sentence: &str) -> impl Iterator<Item = Part<'_>> {
    let pieces = sentence.split([START, END]);
    let parts = pieces.enumerate().map(|(n, piece)| match n % 2 {
        0 => Part::Text(piece),
        _ => Part::Name(piece),
    });
    parts.filter(|part| *part != Part::Text(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_splits_into_text_and_names() {
        let sentence = format!("{} and {} joined", isolated("Ada"), isolated("שרה left"));
        let parts: Vec<_> = parts(&sentence).collect();
        let expected = [
            Part::Name("Ada"),
            Part::Text(" and "),
            Part::Name("שרה left"),
            Part::Text(" joined"),
        ];
        assert_eq!(parts, expected);
        assert_eq!(super::parts("").count(), 0);
    }
}

//! Finds files that import one another in a circle.

use std::collections::BTreeSet;

use crate::modules::Imports;

/// Returns every circle: files that all reach one another.
pub fn circles(imports: &Imports) -> Vec<BTreeSet<String>> {
    let mut circles: Vec<BTreeSet<String>> = Vec::new();
    for file in imports.keys() {
        if circles.iter().any(|circle| circle.contains(file)) {
            continue;
        }
        let from = reached(imports, file);
        let circle: BTreeSet<_> = from
            .iter()
            .filter(|other| reached(imports, other).contains(file))
            .cloned()
            .collect();
        if circle.len() > 1 {
            circles.push(circle);
        }
    }
    circles
}

fn reached(imports: &Imports, file: &str) -> BTreeSet<String> {
    let (mut reached, mut next) = (BTreeSet::new(), vec![file.to_owned()]);
    while let Some(file) = next.pop() {
        for to in imports.get(&file).into_iter().flatten() {
            if reached.insert(to.clone()) {
                next.push(to.clone());
            }
        }
    }
    reached
}

/// Describes who imports whom within a circle, one line per file.
pub fn describe(circle: &BTreeSet<String>, imports: &Imports) -> String {
    let mut text = String::new();
    for file in circle {
        let inside: Vec<_> = imports[file].intersection(circle).map(String::as_str).collect();
        text += &format!("    {file} -> {}\n", inside.join(", "));
    }
    text
}

#[test]
fn a_circle_does_not_include_what_only_leads_to_it() {
    let arrows = [("a", "b"), ("b", "c"), ("c", "b"), ("c", "d")];
    let mut imports = Imports::new();
    for (from, to) in arrows {
        imports.entry(from.to_owned()).or_default().insert(to.to_owned());
    }
    let found = circles(&imports);
    let names: Vec<Vec<_>> = found
        .iter()
        .map(|circle| circle.iter().cloned().collect())
        .collect();
    assert_eq!(names, [["b", "c"]]);
    assert_eq!(describe(&found[0], &imports), "    b -> c\n    c -> b\n");
}

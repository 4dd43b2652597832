//! The modules of the library form no circle.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

type Graph = BTreeMap<String, BTreeSet<String>>;

/// The modules below `directory`, and which of its siblings each of them uses.
fn modules(directory: &Path, prefix: &str) -> Graph {
    let mut graph = Graph::new();
    for entry in std::fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        if !["lib", "mod"].contains(&name.as_str()) {
            graph.insert(name, used(&path, prefix));
        }
    }
    graph
}

/// The names after `prefix` in the `use` declarations of a file, or of all files of a directory. Tests may use anything.
fn used(path: &Path, prefix: &str) -> BTreeSet<String> {
    if path.is_dir() {
        let entries = std::fs::read_dir(path).expect("a directory");
        return entries.flat_map(|entry| used(&entry.expect("an entry").path(), prefix)).collect();
    }
    let text = std::fs::read_to_string(path).expect("a file");
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    let keyword = format!("\nuse {prefix}::");
    let declarations = code.split(&keyword).skip(1).filter_map(|rest| rest.split(';').next());
    let first = |path: &str| path.trim().split("::").next().unwrap_or_default().to_owned();
    declarations
        .flat_map(|path| path.trim_matches(['{', '}']).split(',').map(first).collect::<Vec<_>>())
        .collect()
}

/// A path from a module of `graph` back to itself.
fn circle(graph: &Graph) -> Option<Vec<String>> {
    fn visit(graph: &Graph, path: &mut Vec<String>, done: &mut BTreeSet<String>) -> bool {
        let last = path.last().expect("a module").clone();
        for next in graph.get(&last).into_iter().flatten().filter(|next| **next != last) {
            let is_known = path.contains(next);
            path.push(next.clone());
            if is_known || (!done.contains(next) && visit(graph, path, done)) {
                return true;
            }
            path.pop();
        }
        done.insert(last);
        false
    }
    let mut done = BTreeSet::new();
    graph.keys().find_map(|start| {
        let mut path = vec![start.clone()];
        visit(graph, &mut path, &mut done).then_some(path)
    })
}

#[test]
fn no_module_of_the_library_uses_one_that_uses_it() {
    let source = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/src"));
    let graph = modules(source, "crate");
    assert!(graph["http"].contains("store"), "the declarations are found: {graph:?}");
    assert_eq!(circle(&graph), None);
    for module in graph.keys().filter(|module| source.join(module).is_dir()) {
        assert_eq!(circle(&modules(&source.join(module), "super")), None, "in {module}");
    }
}

//! The modules of the library and of each function form no circle, and no message is unused or missing.

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
    if path.ends_with("tests.rs") {
        return BTreeSet::new();
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
fn no_module_uses_one_that_uses_it() {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    assert!(modules(&root.join("shared/src"), "crate")["http"].contains("store"), "declarations are found");
    for package in ["shared", "functions/reset", "functions/validate", "functions/complete"] {
        let source = root.join(package).join("src");
        let graph = modules(&source, "crate");
        assert_eq!(circle(&graph), None, "in {package}");
        for module in graph.keys().filter(|module| source.join(module).is_dir()) {
            assert_eq!(circle(&modules(&source.join(module), "super")), None, "in {package}, {module}");
        }
    }
}

#[test]
fn every_message_is_used_and_every_used_message_exists() {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let text = |path: &Path| std::fs::read_to_string(path).expect("a file");
    let mut code = String::new();
    let mails = ["functions/validate/templates", "functions/validate/src/mail/content"];
    for directory in ["shared/templates", "shared/src/language"].iter().chain(&mails) {
        for entry in std::fs::read_dir(root.join(directory)).expect("a directory") {
            let path = entry.expect("an entry").path();
            if path.is_file() && !path.ends_with("tests.rs") {
                code += &text(&path);
            }
        }
    }
    let english = text(&root.join("shared/languages/en.ftl"));
    let is_id = |id: &&str| id.starts_with(|c: char| c.is_ascii_lowercase());
    let messages: BTreeSet<&str> =
        english.lines().filter_map(|line| line.split_once(" =")).map(|(id, _)| id).filter(is_id).collect();
    assert!(messages.contains("reset-subject"), "messages are found: {messages:?}");
    for id in &messages {
        assert!(code.contains(&format!("\"{id}\"")), "the message {id} is not used");
    }
    for call in [".say(\"", ".say_of(\""] {
        for id in code.split(call).skip(1).filter_map(|rest| rest.split('"').next()) {
            assert!(messages.contains(id), "there is no message {id}");
        }
    }
}

//! Reads the documents that must agree: the OpenAPI document, the SAM template, the local router and the READMEs.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::LazyLock;

use serde_yaml_ng::Value;

/// One of the three functions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "their names")]
pub enum FunctionName {
    Reset,
    Validate,
    Complete,
}

impl FunctionName {
    /// All three.
    pub const ALL: [Self; 3] = [Self::Reset, Self::Validate, Self::Complete];

    /// The name in packages, routers and documents.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reset => "reset",
            Self::Validate => "validate",
            Self::Complete => "complete",
        }
    }
}

/// A function's route: its method and its path as documented.
pub type ServedRoute = (FunctionName, &'static str, &'static str);

/// The routes of the three functions.
#[must_use]
pub fn routes() -> Vec<ServedRoute> {
    let reset = reset::ROUTES.iter().map(|route| (FunctionName::Reset, route.method, route.path));
    let validate = validate::ROUTES.iter().map(|route| (FunctionName::Validate, route.method, route.path));
    let complete = complete::ROUTES.iter().map(|route| (FunctionName::Complete, route.method, route.path));
    reset.chain(validate).chain(complete).collect()
}

/// A method, a path without its trailing slash, and the function that serves them.
pub type RouteRow = (String, String, String);

/// Whether the repository has the file `path`.
#[must_use]
pub fn exists(path: &str) -> bool {
    std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).join(path).exists()
}

/// The text of a file of the repository.
#[must_use]
pub fn file(path: &str) -> String {
    let path = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A YAML file of the repository.
#[must_use]
pub fn yaml(path: &str) -> Value {
    serde_yaml_ng::from_str(&file(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// A path without its trailing slash.
#[must_use]
pub fn bare(path: &str) -> String {
    path.strip_suffix('/').unwrap_or(path).to_owned()
}

/// One operation of the OpenAPI document.
#[derive(Clone, Debug)]
pub struct Operation {
    /// The function that serves it.
    pub function: String,
    /// The documented statuses.
    pub statuses: BTreeSet<u64>,
}

/// The operations of the OpenAPI document, by method and bare path.
pub static OPERATIONS: LazyLock<BTreeMap<(String, String), Operation>> = LazyLock::new(operations);

fn operations() -> BTreeMap<(String, String), Operation> {
    let document = yaml("infra/openapi.yaml");
    let mut operations = BTreeMap::new();
    for (path, item) in document["paths"].as_mapping().expect("paths") {
        for (method, operation) in item.as_mapping().expect("operations") {
            let (method, path) = (method.as_str().expect("a method"), path.as_str().expect("a path"));
            if !["get", "post", "put", "delete", "head", "patch", "options"].contains(&method) {
                continue;
            }
            let responses = operation["responses"].as_mapping().expect("responses");
            let statuses = responses.keys().filter_map(|status| status.as_str()?.parse().ok()).collect();
            let function = operation["x-rekey-function"].as_str().expect("a function").to_owned();
            operations.insert((method.to_uppercase(), bare(path)), Operation { function, statuses });
        }
    }
    operations
}

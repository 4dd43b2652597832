//! The code, the OpenAPI document, the SAM template, the local router and the READMEs agree.

use std::collections::{BTreeMap, BTreeSet};

use serde_yaml_ng::Value;
use shared::config::{VARIABLES, is_needed};
use shared::language::own::read_directory;
use shared::password::hash::{Argon2Cost, Hashing};
use tests::contract::{OPERATIONS, RouteRow, bare, file, routes, yaml};

fn routes_in_code() -> BTreeSet<RouteRow> {
    let rows = routes().into_iter();
    rows.map(|(function, method, path)| (method.to_owned(), bare(path), function.as_str().to_owned()))
        .collect()
}

/// The template's functions, by name: `ResetFunction` is `reset`.
fn functions_of_the_template() -> BTreeMap<String, Value> {
    let template = yaml("infra/template.yaml");
    let resources = template["Resources"].as_mapping().expect("resources");
    let functions = resources.iter().filter(|(_, resource)| resource["Type"] == "AWS::Serverless::Function");
    functions
        .map(|(name, function)| {
            let name = name.as_str().expect("a name").strip_suffix("Function").expect("a function's name");
            (name.to_lowercase(), function.clone())
        })
        .collect()
}

#[test]
fn the_openapi_document_has_the_codes_routes() {
    let documented: BTreeSet<RouteRow> = OPERATIONS
        .clone()
        .into_iter()
        .map(|((method, path), operation)| (method, path, operation.function))
        .collect();
    assert_eq!(documented, routes_in_code());
}

#[test]
fn the_template_has_the_codes_routes_without_trailing_slashes() {
    let mut routes = BTreeSet::new();
    for (name, function) in functions_of_the_template() {
        let events = function["Properties"]["Events"].as_mapping().expect("events");
        if name == "mail" {
            let types: Vec<&Value> = events.values().map(|event| &event["Type"]).collect();
            assert_eq!(types, [&Value::from("DynamoDB")], "no caller reaches the mail function");
            continue;
        }
        for (_, event) in events {
            assert_eq!(event["Type"], "HttpApi");
            let (method, path) =
                (&event["Properties"]["Method"], event["Properties"]["Path"].as_str().expect("a path"));
            assert!(!path.ends_with('/'), "SAM silently drops a route with a trailing slash: {path}");
            routes.insert((method.as_str().expect("a method").to_owned(), path.to_owned(), name.clone()));
        }
    }
    assert_eq!(routes, routes_in_code());
}

#[test]
fn the_local_router_has_the_codes_routes_with_and_without_trailing_slashes() {
    let manifest: toml::Table = file("Cargo.toml").parse().expect("TOML");
    let router = &manifest["workspace"]["metadata"]["lambda"]["watch"]["router"];
    let mut local = BTreeSet::new();
    for (path, rows) in router.as_table().expect("a router") {
        for row in rows.as_array().expect("rows") {
            let text = |name: &str| row[name].as_str().expect("a text").to_owned();
            local.insert((text("method"), path.clone(), text("function")));
        }
    }
    let expected: BTreeSet<RouteRow> = routes_in_code()
        .into_iter()
        .flat_map(|(method, path, function)| {
            [(method.clone(), path.clone(), function.clone()), (method, format!("{path}/"), function)]
        })
        .collect();
    assert_eq!(local, expected);
}

#[test]
fn the_readme_lists_every_route_with_its_documented_statuses() {
    let readme = file("README.md");
    let mut listed = BTreeMap::new();
    for line in readme.lines().filter(|line| line.starts_with("| `GET /") || line.starts_with("| `POST /")) {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let statuses: BTreeSet<u64> =
            cells[4].split(|c: char| !c.is_ascii_digit()).filter_map(|n| n.parse().ok()).collect();
        for route in cells[1].split('`').filter(|part| part.contains(" /")) {
            let (method, path) = route.split_once(' ').expect("a method and a path");
            listed.insert((method.to_owned(), bare(path)), (cells[2].to_owned(), statuses.clone()));
        }
    }
    let documented: BTreeMap<(String, String), (String, BTreeSet<u64>)> = OPERATIONS
        .clone()
        .into_iter()
        .map(|(key, operation)| (key, (operation.function, operation.statuses)))
        .collect();
    assert_eq!(listed, documented);
}

/// The variables that the template gives to each function.
fn variables_in_the_template() -> BTreeMap<String, Vec<(String, Value)>> {
    let template = yaml("infra/template.yaml");
    let common = &template["Globals"]["Function"]["Environment"]["Variables"];
    let pairs = |variables: &Value| -> Vec<(String, Value)> {
        let variables = variables.as_mapping().expect("variables");
        variables
            .iter()
            .map(|(name, value)| (name.as_str().expect("a name").to_owned(), value.clone()))
            .collect()
    };
    let functions = functions_of_the_template().into_iter();
    functions
        .map(|(name, function)| {
            let own = pairs(&function["Properties"]["Environment"]["Variables"]);
            (name, pairs(common).into_iter().chain(own).collect())
        })
        .collect()
}

#[test]
fn the_template_gives_each_function_the_variables_that_it_needs_and_no_others() {
    for (function, variables) in variables_in_the_template() {
        let given: BTreeSet<String> = variables.into_iter().map(|(name, _)| name).collect();
        let needed = VARIABLES.into_iter().filter(|variable| is_needed(&function, variable));
        assert_eq!(given, needed.map(str::to_owned).collect(), "{function}");
    }
}

/// The most bytes that the template allows for `value`: the longest values of all parameters in it, and its own texts.
fn most_bytes(value: &Value, parameters: &Value) -> usize {
    /// The longest name of a resource or URL that `CloudFormation` makes.
    const MADE: usize = 200;
    match value {
        Value::Tagged(tagged) if tagged.tag == "Ref" || tagged.tag == "GetAtt" => {
            let parameter = &parameters[tagged.value.as_str().unwrap_or_default()];
            if parameter.is_null() { MADE } else { most_bytes_of(parameter) }
        }
        Value::Tagged(tagged) if tagged.tag == "If" => {
            let branches = tagged.value.as_sequence().expect("branches").iter().skip(1);
            branches.map(|branch| most_bytes(branch, parameters)).max().unwrap_or_default()
        }
        Value::Tagged(tagged) if tagged.tag == "Sub" => {
            let text = tagged.value.as_str().expect("a text");
            let parts = text.split("${").skip(1).filter_map(|part| part.split('}').next());
            let filled = parts.map(|name| {
                let parameter = &parameters[name];
                if parameter.is_null() { 24 } else { most_bytes_of(parameter) }
            });
            text.len() + filled.sum::<usize>()
        }
        Value::String(text) => text.len(),
        other => panic!("{other:?}"),
    }
}

fn most_bytes_of(parameter: &Value) -> usize {
    let texts = |values: &Value| -> Option<usize> {
        values.as_sequence()?.iter().map(|value| value.as_str().map_or(8, str::len)).max()
    };
    let pattern = parameter["AllowedPattern"].as_str().unwrap_or_default();
    // A class of all characters but some has those of four bytes, too.
    let bytes = if pattern.contains("[^") { 4 } else { 1 };
    // The sum of what the pattern repeats, and some for what it has once.
    let repeated = pattern.split(['{', ',']).filter_map(|part| part.split('}').next()?.parse::<usize>().ok());
    let by_pattern = repeated.sum::<usize>() + 12;
    match (
        texts(&parameter["AllowedValues"]),
        parameter["MaxLength"].as_u64(),
        parameter["MaxValue"].as_u64(),
    ) {
        (Some(longest), ..) => longest,
        (_, Some(length), _) => usize::try_from(length).expect("small") * bytes,
        (.., Some(value)) => value.to_string().len(),
        _ => by_pattern * bytes,
    }
}

#[test]
fn the_longest_values_that_the_template_allows_fit_into_lambdas_four_kilobytes() {
    let template = yaml("infra/template.yaml");
    for (function, variables) in variables_in_the_template() {
        let bytes: usize = variables
            .iter()
            .map(|(name, value)| name.len() + most_bytes(value, &template["Parameters"]))
            .sum();
        assert!((500..=4096).contains(&bytes), "{function}: {bytes}");
    }
}

#[test]
fn the_local_stack_passes_exactly_the_variables_that_the_code_reads() {
    assert_eq!(local::SETTINGS, VARIABLES);
}

#[test]
fn the_infra_readme_explains_every_variable() {
    let (readme, accounts) = (file("infra/README.md"), file("infra/ACCOUNTS.md"));
    for variable in VARIABLES {
        let document = if variable.starts_with("ACCOUNTS_") { &accounts } else { &readme };
        assert!(document.contains(&format!("| `{variable}` |")), "{variable}");
    }
}

#[test]
fn the_infra_readmes_runbook_has_every_alarm() {
    let (readme, template) = (file("infra/README.md"), yaml("infra/monitoring.yaml"));
    let resources = template["Resources"].as_mapping().expect("resources");
    let alarms: Vec<&str> = resources
        .iter()
        .filter(|(_, resource)| resource["Type"] == "AWS::CloudWatch::Alarm")
        .map(|(name, _)| name.as_str().expect("a name"))
        .collect();
    assert!(!alarms.is_empty());
    for alarm in alarms {
        assert!(readme.contains(&format!("`{alarm}`")), "{alarm}");
    }
}

#[test]
fn the_template_and_the_code_have_the_same_defaults() {
    let template = yaml("infra/template.yaml");
    let default = |parameter: &str| {
        let value = &template["Parameters"][parameter]["Default"];
        value
            .as_u64()
            .or_else(|| value.as_str()?.parse().ok())
            .unwrap_or_else(|| panic!("{parameter} has no default"))
    };
    let given = |name: &str| ["TOKENS_TABLE", "ACCOUNTS_TABLE"].contains(&name).then(|| "t".to_owned());
    let variable = |name: &str| given(name).or_else(|| (name == "MAIL_FROM").then(|| "a@b.de".to_owned()));
    let config = shared::config::Config::read(variable, read_directory);
    let config = config.expect("the defaults");
    assert_eq!(default("TokenLifetimeSeconds"), config.token_lifetime_seconds);
    assert_eq!(default("PasswordMinLength"), config.password_policy.min_length as u64);
    assert_eq!(default("LimitResetPerIp"), u64::from(config.limits.reset_per_ip));
    assert_eq!(default("LimitMailPerAddress"), u64::from(config.limits.mail_per_address));
    assert_eq!(default("LimitBadTokenPerIp"), u64::from(config.limits.bad_token_per_ip));
    let costs = ["Argon2MemoryKib", "Argon2Iterations", "Argon2Lanes"]
        .map(|name| u32::try_from(default(name)).expect("small"));
    let Hashing::Argon2id(cost) = config.hashing else { panic!("not argon2id") };
    assert_eq!(Argon2Cost::new(costs[0], costs[1], costs[2]), Ok(cost));
}

#[test]
fn every_link_between_documents_has_a_target() {
    let documents = [
        "README.md",
        "infra/README.md",
        "infra/COSTS.md",
        "infra/REHEARSAL.md",
        "shared/README.md",
        "tests/README.md",
        ".github/SECURITY.md",
    ];
    // As GitHub derives them from headings.
    let anchors = |text: &str| -> BTreeSet<String> {
        let headings =
            text.lines().filter_map(|line| line.strip_prefix('#')).map(|line| line.trim_matches(['#', ' ']));
        let kept = |c: &char| c.is_alphanumeric() || [' ', '-', '_'].contains(c);
        headings
            .map(|heading| heading.to_lowercase().chars().filter(kept).collect::<String>().replace(' ', "-"))
            .collect()
    };
    for document in documents {
        let text = file(document);
        let folder = std::path::Path::new(document).parent().expect("a folder");
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if link.starts_with("https://") {
                continue;
            }
            let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
            if path.contains("pictures/") {
                let picture = folder.join(path);
                assert!(tests::contract::exists(&picture.to_string_lossy()), "{document}: {link}");
                continue;
            }
            let target =
                if path.is_empty() { text.clone() } else { file(&folder.join(path).to_string_lossy()) };
            assert!(anchor.is_empty() || anchors(&target).contains(anchor), "{document}: {link}");
        }
    }
}

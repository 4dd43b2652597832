//! Embeds the files of `languages/`, one per language and named by its BCP 47 code, without their comments.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=languages");
    let files: io::Result<Vec<PathBuf>> =
        fs::read_dir("languages")?.map(|entry| entry.map(|entry| entry.path())).collect();
    let mut files = files?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "ftl"));
    files.sort();
    let codes: Vec<_> = files.iter().filter_map(|file| file.file_stem()?.to_str()).collect();
    let mut sources = Vec::new();
    for file in &files {
        let text = fs::read_to_string(file)?;
        let messages = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        sources.push(messages.flat_map(|line| [line, "\n"]).collect::<String>());
    }
    let english = codes.iter().position(|code| *code == "en").map(|en| &sources[en]);
    let english = english.ok_or_else(|| io::Error::other("there is no languages/en.ftl"))?;
    let code = format!(
        "const COUNT: usize = {};\nstatic CODES: [&str; COUNT] = {codes:?};\nstatic SOURCES: [&str; COUNT] = {sources:?};\n\
         const ENGLISH: &str = {english:?};\n",
        files.len()
    );
    let directory = env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("cargo sets OUT_DIR"))?;
    fs::write(Path::new(&directory).join("languages.rs"), code)
}

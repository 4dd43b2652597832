//! The cost of checking a password, including the most expensive one that an anonymous caller can send, and of hashing one.

use divan::Bencher;
use shared::password::PasswordPolicy;
use shared::password::hash::{Argon2Cost, hash};
use shared::random::Random;

/// Each symbol may stand for several letters, and zxcvbn tries them all.
const COSTLY: &str =
    "4@({[<369!1|7$5+%204@({[<369!1|7$5+%204@({[<369!1|7$5+%204@({[<369!1|7$5+%204@({[<369!1|7$5+%20";

fn policy() -> PasswordPolicy {
    PasswordPolicy { min_length: 15, service_name: "Rekey".to_owned() }
}

fn main() {
    divan::main();
}

#[divan::bench(args = ["crux_is_awesome", "correct horse battery staple", COSTLY])]
fn check(password: &str) -> bool {
    policy().check(divan::black_box(password).into(), None).is_ok()
}

/// KiB, iterations, lanes: OWASP's minimum, RFC 9106's second recommended option (the default), and twice its memory.
#[divan::bench(args = [(19_456, 2, 1), (65_536, 3, 4), (131_072, 3, 4)])]
fn argon2id(bencher: Bencher, (memory, iterations, lanes): (u32, u32, u32)) {
    let cost = Argon2Cost::new(memory, iterations, lanes).expect("costs");
    let password = policy().check("correct horse battery staple".into(), None).expect("a password");
    let random = Random::operating_system();
    bencher.bench(|| hash(&password, &cost, &random).expect("a hash"));
}

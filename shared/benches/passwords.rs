//! The cost of checking a password, including the most expensive one that an anonymous caller can send, and of hashing one.

use divan::Bencher;
use shared::password::PasswordPolicy;
use shared::password::hash::{Argon2Cost, Hashing, hash};
use shared::random::Random;

/// The dearest that were found. Symbols may stand for several letters, and zxcvbn tries them all; words in symbols match many times.
const DEAR: [&str; 4] = [
    "4@({[<3690!1|7$5%2+xX4@({[<3690!1|7$5%2+xXq4@({[<3690!1|7$5%2+xXqw4@({[<3690!1|7$5%2+xXqwe4@({[<3690!1|7$5%2+xXqwer4@({[<3690!1|7$",
    "p@ssw0rd1 l0v3 p4ssw0rd2 th3r3 0n3 p@ssw0rd3 l0v3 m0n3y p4ssw0rd4 th3m th3s3 0n3s p@ssw0rd5 l0v3r p4ssw0rd6 th3y th0s3 w0rds pas",
    "therethenthemtheythemethesethosethattheretheirthistheonetwothreefourfivesixseveneightninetenelevenmanywordsinarowwithoutanyspaces",
    "1.1.11 2.2.22 3/3/33 4-4-44 5.5.55 6.6.66 7/7/77 8-8-88 9.9.99 10.10.10 11.11.11 12.12.12 1.2.13 2.3.14 3.4.15 4.5.16 5.6.17 1.1",
];

fn policy() -> PasswordPolicy {
    PasswordPolicy { min_length: 15, service_name: "Rekey".to_owned(), is_bcrypt: false }
}

fn main() {
    divan::main();
}

#[divan::bench(args = ["correct horse battery staple", DEAR[0], DEAR[1], DEAR[2], DEAR[3]])]
fn check(password: &str) -> bool {
    policy().check(divan::black_box(password).into(), None).is_ok()
}

/// KiB, iterations, lanes: OWASP's minimum, RFC 9106's second recommended option (the default), and twice its memory.
#[divan::bench(args = [(19_456, 2, 1), (65_536, 3, 4), (131_072, 3, 4)])]
fn argon2id(bencher: Bencher, (memory, iterations, lanes): (u32, u32, u32)) {
    let cost = Hashing::Argon2id(Argon2Cost::new(memory, iterations, lanes).expect("costs"));
    let password = policy().check("correct horse battery staple".into(), None).expect("a password");
    let random = Random::operating_system();
    bencher.bench(|| hash(&password, &cost, &random).expect("a hash"));
}

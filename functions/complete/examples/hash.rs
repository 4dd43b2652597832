//! Prints the argon2id hash and the bcrypt hash of a password, as *complete* writes them by default. The tests of infra/ACCOUNTS.md verify
//! them as a login does.

use shared::password::PasswordPolicy;
use shared::password::hash::{Argon2Cost, Hashing, hash};
use shared::random::Random;

#[expect(clippy::print_stdout, reason = "the result goes to the standard output")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let password = std::env::args().nth(1).ok_or("pass a password")?;
    let policy = PasswordPolicy { min_length: 15, service_name: "Rekey".to_owned(), is_bcrypt: true };
    let password = policy.check(password.as_str().into(), None).map_err(|_| "a weak password")?;
    for hashing in [Hashing::Argon2id(Argon2Cost::new(65_536, 3, 4)?), Hashing::Bcrypt { cost: 12 }] {
        println!("{}", hash(&password, &hashing, &Random::operating_system())?.expose_secret());
    }
    Ok(())
}

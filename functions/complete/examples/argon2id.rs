//! Hashes one password repeatedly at the default cost and prints the fastest time in milliseconds. The benchmark `speed` compares it with
//! the reference library's.

use std::time::Instant;

use shared::password::PasswordPolicy;
use shared::password::hash::{Argon2Cost, Hashing, hash};
use shared::random::Random;

#[expect(clippy::print_stdout, reason = "the result goes to the standard output")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let policy = PasswordPolicy { min_length: 15, service_name: "Rekey".to_owned(), is_bcrypt: false };
    let password =
        policy.check("correct horse battery staple".into(), None).map_err(|_| "a weak password")?;
    let hashing = Hashing::Argon2id(Argon2Cost::new(65_536, 3, 4)?);
    let random = Random::operating_system();
    let mut fastest = f64::INFINITY;
    for _ in 0..9 {
        let started = Instant::now();
        hash(&password, &hashing, &random)?;
        fastest = fastest.min(started.elapsed().as_secs_f64() * 1000.0);
    }
    println!("{fastest}");
    Ok(())
}

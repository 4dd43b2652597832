//! What a [`World`] is made of: its settings, its tables, and the service of AWS's that is faulty.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, UNIX_EPOCH};

use complete::Complete;
use dynoxide::Database;
use local::stream::Mapping;
use reset::Reset;
use shared::clock::Clock;
use shared::telemetry::Telemetry;
use validate::{DeadLetters, MailFunction, Validate};

use crate::outputs::{Log, Outputs, record_diagnostics};
use crate::proxy::Proxy;
use crate::wiring::{HTTPS, Servers, aws, config, demo_database, recorded, serve, serve_ses, serve_sqs};
use crate::world::{Functions, World};

/// The start of the test clock, in milliseconds since the epoch: the beginning of an hour.
const START: u64 = 1_800_003_600_000;

/// A service of AWS's that can be faulty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "AWS's names")]
pub enum Service {
    DynamoDb,
    Ses,
}

/// The parts of a [`World`]. By default it has the tests' settings, Rekey's own tables with the demo accounts, and no faults.
#[derive(Default)]
pub struct Builder<'a> {
    settings: Vec<(&'a str, &'a str)>,
    tables: Option<Database>,
    faulty: Option<Service>,
    ses: Option<&'a str>,
}

impl<'a> Builder<'a> {
    /// With these settings, too.
    #[must_use]
    pub fn settings(mut self, settings: &[(&'a str, &'a str)]) -> Self {
        self.settings.extend(settings);
        self
    }

    /// On these tables.
    #[must_use]
    pub fn tables(mut self, tables: Database) -> Self {
        self.tables = Some(tables);
        self
    }

    /// With `service` behind a proxy that injects faults: [`World::proxy`].
    #[must_use]
    pub const fn faulty(mut self, service: Service) -> Self {
        self.faulty = Some(service);
        self
    }

    /// With SES at `endpoint`, where the test may serve the outbox.
    #[must_use]
    pub const fn ses_at(mut self, endpoint: &'a str) -> Self {
        self.ses = Some(endpoint);
        self
    }

    /// Starts the deployment.
    pub async fn start(self) -> World {
        record_diagnostics();
        let config = config(&self.settings);
        let accounts_table = config.accounts().expect("a table").name;
        let db = self.tables.unwrap_or_else(demo_database);
        let stream = Mapping::open(db.clone(), None).expect("a stream");

        let mut servers = Servers::new();
        let engine = serve(db.clone(), &mut servers).await;
        let (outbox, ses) = serve_ses(&mut servers).await;
        let (dead_letters, sqs) = serve_sqs(&mut servers).await;
        let (mut dynamodb, mut ses) = (engine.clone(), self.ses.map_or(ses, str::to_owned));
        let mut proxy = None;
        if let Some(service) = self.faulty {
            let endpoint = match service {
                Service::DynamoDb => &mut dynamodb,
                Service::Ses => &mut ses,
            };
            let (started, in_front) = Proxy::start(endpoint, &mut servers).await;
            *endpoint = in_front;
            proxy = Some(started);
        }
        let (dynamodb, ses) = (aws(&dynamodb).dynamodb(), aws(&ses));

        let millis = Arc::new(AtomicU64::new(START));
        let now = Arc::clone(&millis);
        let clock = Clock::new(move || UNIX_EPOCH + Duration::from_millis(now.load(Ordering::Relaxed)));
        let drawn = Arc::<Mutex<Vec<Vec<u8>>>>::default();
        let random = recorded(Arc::clone(&drawn));
        let log = Log::default();
        let telemetry = |name| Telemetry::new(name, "tests", clock.clone(), log.clone());

        let queue = DeadLetters::new(aws(&sqs).sqs(), format!("{sqs}/lost-mails"));
        let mail = MailFunction::new(
            &config,
            dynamodb.clone(),
            ses,
            Some(queue),
            telemetry("mail"),
            clock.clone(),
            random.clone(),
        );
        let reset = Reset::new(config.clone(), dynamodb.clone(), clock.clone(), random.clone());
        let region = "eu-west-1".to_owned();
        let validate = Validate::new(config.clone(), dynamodb.clone(), region, clock.clone(), random.clone());
        let complete =
            Complete::new(config, dynamodb, HTTPS.clone(), telemetry("complete"), clock.clone(), random);
        let functions = Functions {
            reset: (Arc::new(reset), telemetry("reset")),
            validate: (Arc::new(validate.expect("a function")), telemetry("validate")),
            complete: (Arc::new(complete.expect("a function")), telemetry("complete")),
            mail: Arc::new(mail.expect("a function").with_batch_time(Duration::ZERO)),
        };
        World {
            functions: Arc::new(functions),
            stream: Arc::new(tokio::sync::Mutex::new(stream)),
            clock: millis,
            drawn,
            proxy,
            outputs: Arc::new(Outputs {
                leaks: Mutex::default(),
                log,
                outbox: outbox.clone(),
                dead_letters,
                db,
                accounts_table,
                _servers: servers,
            }),
            outbox,
            dynamodb: aws(&engine).dynamodb(),
        }
    }
}

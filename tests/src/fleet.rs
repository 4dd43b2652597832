//! The functions as processes, with several execution environments each, on one engine and one SES, as Lambda runs them. A test can
//! kill any of them. The mail function is another *validate* process, which gets the stream's records.

use crate::contract::FunctionName;
use std::sync;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use local::ses::Outbox;
use local::stream::Mapping;
use serde_json::Value;
use tokio::sync::{Mutex, mpsc};

use crate::NO_LIMITS;
use crate::environment::Environment;
use crate::event::{Answer, Request};
use crate::leaks::LeakDetector;
use crate::proxy::Proxy;
use crate::stack::build;
use crate::wiring::{Servers, aws, demo_database, serve, serve_ses, variables};

/// A deployment whose functions are processes.
pub struct Fleet {
    /// *reset*.
    pub reset: Pool,
    /// *validate*.
    pub validate: Pool,
    /// *complete*.
    pub complete: Pool,
    /// The mail function.
    pub mail: Pool,
    stream: Mutex<Mapping>,
    /// The mails that SES accepted.
    pub outbox: Outbox,
    /// A client of the engine.
    pub dynamodb: Client,
    log: Mutex<(mpsc::UnboundedReceiver<String>, Vec<String>)>,
    _servers: Servers,
}

impl Fleet {
    /// Builds the functions and starts `environments` of each, without limits.
    pub async fn start(environments: usize) -> Self {
        build(&["reset", "validate", "complete"]).await;
        let db = demo_database();
        let stream = Mapping::open(db.clone(), None).expect("a stream");
        let mut servers = Servers::new();
        let engine = serve(db, &mut servers).await;
        let (outbox, ses) = serve_ses(&mut servers).await;
        // Delay answers, so that a kill between a write and its answer, the most important case, is frequent.
        let (proxy, dynamodb) = Proxy::start(&engine, &mut servers).await;
        proxy.hold(Duration::from_millis(30));
        let mut settings = NO_LIMITS.to_vec();
        settings.extend([
            ("AWS_REGION", "eu-west-1"),
            ("AWS_ACCESS_KEY_ID", "local"),
            ("AWS_SECRET_ACCESS_KEY", "local"),
            ("AWS_ENDPOINT_URL_DYNAMODB", &dynamodb),
            ("AWS_ENDPOINT_URL_SESV2", &ses),
        ]);
        let variables: Vec<(String, String)> = variables(&settings)
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let (lines, log) = mpsc::unbounded_channel();
        let pool = |function| Pool::start(function, variables.clone(), lines.clone(), environments);
        Self {
            reset: pool("reset").await,
            validate: pool("validate").await,
            complete: pool("complete").await,
            mail: Pool::start("validate", variables.clone(), lines.clone(), 1).await,
            stream: Mutex::new(stream),
            outbox,
            dynamodb: aws(&engine).dynamodb(),
            log: Mutex::new((log, Vec::new())),
            _servers: servers,
        }
    }

    /// The environments of `function`.
    #[must_use]
    pub const fn pool(&self, function: FunctionName) -> &Pool {
        match function {
            FunctionName::Reset => &self.reset,
            FunctionName::Validate => &self.validate,
            FunctionName::Complete => &self.complete,
        }
    }

    /// Delivers the next batch of the stream to the mail function, and kills its process after `kill_after` times the usual duration of
    /// a call. Returns `None` if the stream is empty, and otherwise whether the whole batch succeeded.
    pub async fn deliver_next_batch(&self, kill_after: Option<f64>) -> Option<bool> {
        let mut stream = self.stream.lock().await;
        let batch = stream.next_batch().expect("records")?;
        let answer = self.mail.call_event(batch.event.clone(), kill_after).await;
        Some(stream.acknowledge(&batch, answer.map(|answer| answer.response).as_ref()))
    }

    /// The functions' output until now.
    pub async fn log(&self) -> String {
        // Lines may still be in a pipe or the channel.
        tokio::time::sleep(Duration::from_millis(500)).await;
        let mut log = self.log.lock().await;
        while let Ok(line) = log.0.try_recv() {
            log.1.push(line);
        }
        log.1.join("\n")
    }

    /// Ends all processes. Returns their output, and every secret that they received or mailed.
    pub async fn end(self) -> (Vec<String>, LeakDetector) {
        let mut leaks = LeakDetector::default();
        for pool in [self.reset, self.validate, self.complete, self.mail] {
            leaks.extend(pool.leaks.into_inner().expect("leaks"));
        }
        self.outbox.messages().iter().for_each(|mail| leaks.add_mail(mail));
        // The processes have ended, which closes the pipes and so the channel.
        let (mut log, mut lines) = self.log.into_inner();
        while let Some(line) = log.recv().await {
            lines.push(line);
        }
        (lines, leaks)
    }
}

/// The execution environments of one function. A call takes a free one.
pub struct Pool {
    function: &'static str,
    variables: Vec<(String, String)>,
    release: mpsc::Sender<Environment>,
    free: Mutex<mpsc::Receiver<Environment>>,
    usual_duration: sync::Mutex<Duration>,
    lines: mpsc::UnboundedSender<String>,
    leaks: sync::Mutex<LeakDetector>,
}

impl Pool {
    async fn start(
        function: &'static str,
        variables: Vec<(String, String)>,
        lines: mpsc::UnboundedSender<String>,
        environments: usize,
    ) -> Self {
        let (release, free) = mpsc::channel(environments);
        let usual_duration = sync::Mutex::new(Duration::from_millis(50));
        let leaks = sync::Mutex::default();
        let pool =
            Self { function, variables, release, free: Mutex::new(free), usual_duration, lines, leaks };
        for _ in 0..environments {
            pool.add_one().await;
        }
        pool
    }

    async fn add_one(&self) {
        let environment = Environment::start(self.function, &self.variables, &self.lines).await;
        self.release.send(environment).await.expect("a free place");
    }

    /// The answer to `request`.
    pub async fn call(&self, request: &Request) -> Answer {
        self.add_secrets(request);
        self.call_event(request.event(), None).await.expect("an answer of a living process")
    }

    /// Sends `request`, and kills the process after `after` times the usual duration of a call: before, during or after the answer.
    /// Returns the answer, if there was one.
    pub async fn call_and_kill(&self, request: &Request, after: f64) -> Option<Answer> {
        self.add_secrets(request);
        self.call_event(request.event(), Some(after)).await
    }

    async fn call_event(&self, event: Value, kill_after: Option<f64>) -> Option<Answer> {
        let environment = self.take().await;
        let answered = async {
            let answer = tokio::time::timeout(Duration::from_mins(1), environment.call(event)).await;
            answer.expect("an answer, or the end of the process, in time")
        };
        let answer = if let Some(after) = kill_after {
            let delay = self.usual_duration.lock().expect("a duration").mul_f64(after);
            let kill = async {
                tokio::time::sleep_until(environment.call_started().await + delay).await;
                environment.kill().await;
            };
            let (answer, ()) = tokio::join!(answered, kill);
            self.add_one().await;
            answer
        } else {
            let answer = answered.await;
            *self.usual_duration.lock().expect("a duration") = environment.call_started().await.elapsed();
            self.release.send(environment).await.expect("a free place");
            answer
        };
        if let Some(answer) = &answer {
            self.leaks.lock().expect("leaks").add_answer(answer);
        }
        answer
    }

    fn add_secrets(&self, request: &Request) {
        self.leaks.lock().expect("leaks").add_request(request);
    }

    /// Takes a free environment out of the pool.
    pub async fn take(&self) -> Environment {
        self.free.lock().await.recv().await.expect("an environment")
    }
}

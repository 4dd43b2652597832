//! The functions as processes, a few environments each, on one engine and one SES: as Lambda runs them, but that this Lambda
//! may kill any of them. The mail function is *validate* once more, fed by the stream.

use std::sync;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use local::ses::Outbox;
use local::stream::Mapping;
use serde_json::Value;
use shared::http::routes::FunctionName;
use tokio::sync::{Mutex, mpsc};

use crate::NO_LIMITS;
use crate::environment::Environment;
use crate::event::{Answer, Request};
use crate::evidence::Evidence;
use crate::proxy::Proxy;
use crate::stack::build;
use crate::wiring::{Served, aws, demo_database, serve, serve_ses, variables};

/// A deployment of processes.
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
    /// The mails that SES took.
    pub outbox: Outbox,
    /// The engine, past every function.
    pub dynamodb: Client,
    log: Mutex<(mpsc::UnboundedReceiver<String>, Vec<String>)>,
    _servers: [Served; 3],
}

impl Fleet {
    /// Builds the functions and starts `environments` of each, without limits.
    pub async fn start(environments: usize) -> Self {
        build(&["reset", "validate", "complete"]).await;
        let db = demo_database();
        let stream = Mapping::open(db.clone(), None).expect("a stream");
        let (engine, served) = serve(db).await;
        let (outbox, ses, ses_served) = serve_ses().await;
        // A kill between the work and its answer is the one that matters most, and without this a rare one.
        let (proxy, dynamodb, proxy_served) = Proxy::start(&engine).await;
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
            _servers: [served, ses_served, proxy_served],
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

    /// Plays the next batch of the stream to the mail function, whose process is killed once `kill_after` times the usual duration of a
    /// call have passed. Nothing if the stream is empty, else whether all of the batch was delivered.
    pub async fn play(&self, kill_after: Option<f64>) -> Option<bool> {
        let mut stream = self.stream.lock().await;
        let batch = stream.next_batch().expect("records")?;
        let answer = self.mail.call_event(batch.event.clone(), kill_after).await;
        Some(stream.acknowledge(&batch, answer.map(|answer| answer.response).as_ref()))
    }

    /// What the functions have printed until now.
    pub async fn log(&self) -> String {
        // Lines are on their way through a pipe and a channel.
        tokio::time::sleep(Duration::from_millis(500)).await;
        let mut log = self.log.lock().await;
        while let Ok(line) = log.0.try_recv() {
            log.1.push(line);
        }
        log.1.join("\n")
    }

    /// Ends all processes and returns what they printed, and everything secret that they were told or mailed.
    pub async fn end(self) -> (Vec<String>, Evidence) {
        let mut evidence = Evidence::default();
        for pool in [self.reset, self.validate, self.complete, self.mail] {
            evidence.extend(pool.evidence.into_inner().expect("evidence"));
        }
        self.outbox.messages().iter().for_each(|mail| evidence.learn_mail(mail));
        // Their ends of the pipes are closed with them, and so the channel.
        let (mut log, mut lines) = self.log.into_inner();
        while let Some(line) = log.recv().await {
            lines.push(line);
        }
        (lines, evidence)
    }
}

/// The environments of one function. A call takes one that is free.
pub struct Pool {
    function: &'static str,
    variables: Vec<(String, String)>,
    release: mpsc::Sender<Environment>,
    free: Mutex<mpsc::Receiver<Environment>>,
    usual: sync::Mutex<Duration>,
    lines: mpsc::UnboundedSender<String>,
    evidence: sync::Mutex<Evidence>,
}

impl Pool {
    async fn start(
        function: &'static str,
        variables: Vec<(String, String)>,
        lines: mpsc::UnboundedSender<String>,
        environments: usize,
    ) -> Self {
        let (release, free) = mpsc::channel(environments);
        let usual = sync::Mutex::new(Duration::from_millis(50));
        let evidence = sync::Mutex::default();
        let pool = Self { function, variables, release, free: Mutex::new(free), usual, lines, evidence };
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
        self.learn(request);
        self.call_event(request.event(), None).await.expect("an answer of a process that lives")
    }

    /// The answer to `request`, if the process still gives one: it is killed once so many times the usual duration of a call have
    /// passed since it took this one, be it before, during or after its answer.
    pub async fn call_and_kill(&self, request: &Request, after: f64) -> Option<Answer> {
        self.learn(request);
        self.call_event(request.event(), Some(after)).await
    }

    async fn call_event(&self, event: Value, kill_after: Option<f64>) -> Option<Answer> {
        let environment = self.take().await;
        let answered = async {
            let answer = tokio::time::timeout(Duration::from_mins(1), environment.call(event)).await;
            answer.expect("an answer, or death, in time")
        };
        let answer = if let Some(after) = kill_after {
            let delay = self.usual.lock().expect("a duration").mul_f64(after);
            let kill = async {
                tokio::time::sleep_until(environment.handed_over().await + delay).await;
                environment.kill().await;
            };
            let (answer, ()) = tokio::join!(answered, kill);
            self.add_one().await;
            answer
        } else {
            let answer = answered.await;
            *self.usual.lock().expect("a duration") = environment.handed_over().await.elapsed();
            self.release.send(environment).await.expect("a free place");
            answer
        };
        if let Some(answer) = &answer {
            self.evidence.lock().expect("evidence").learn_answer(answer);
        }
        answer
    }

    fn learn(&self, request: &Request) {
        self.evidence.lock().expect("evidence").learn_request(request);
    }

    /// A free environment, to be used alone.
    pub async fn take(&self) -> Environment {
        self.free.lock().await.recv().await.expect("an environment")
    }
}

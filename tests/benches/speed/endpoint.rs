//! `DynamoDB` and SES behind TLS, which answer at once: no row exists but the account, every write succeeds, every mail is taken.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::serve::Listener;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use serde_json::{Value, json};
use tests::KNOWN;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::server::TlsStream;
use tokio_util::io::{InspectReader, InspectWriter};

/// Where Debian keeps the root certificates.
const SYSTEM_ROOTS: &str = "/etc/ssl/certs/ca-certificates.crt";

/// The endpoint.
pub(crate) struct Endpoint {
    /// Its address.
    pub(crate) url: String,
    /// The system's root certificates and its own.
    pub(crate) roots: PathBuf,
    traffic: Arc<Traffic>,
}

#[derive(Default)]
struct Traffic {
    calls: AtomicU64,
    connections: AtomicU64,
    bytes: AtomicU64,
}

/// What went over the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) calls: u64,
    pub(crate) connections: u64,
    pub(crate) bytes: u64,
}

impl Endpoint {
    /// Serves in the background.
    pub(crate) async fn start(directory: &std::path::Path) -> Self {
        let (tls, certificate) = certificates();
        let roots = directory.join("roots.pem");
        let system = std::fs::read_to_string(SYSTEM_ROOTS).expect("Debian's package ca-certificates");
        std::fs::write(&roots, format!("{system}\n{certificate}")).expect("a file");
        let tcp = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("https://localhost:{}", tcp.local_addr().expect("an address").port());
        let traffic = Arc::<Traffic>::default();
        let (ready, connections) = mpsc::channel(16);
        tokio::spawn(accept(tcp, TlsAcceptor::from(tls), Arc::clone(&traffic), ready));
        let router = Router::new().fallback(answer).with_state(Arc::clone(&traffic));
        tokio::spawn(async move { axum::serve(Connections(connections), router).await });
        Self { url, roots, traffic }
    }

    /// What went over the wire until now.
    pub(crate) fn seen(&self) -> Seen {
        let Traffic { calls, connections, bytes } = &*self.traffic;
        let [calls, connections, bytes] = [calls, connections, bytes].map(|n| n.load(Ordering::Relaxed));
        Seen { calls, connections, bytes }
    }
}

/// The server's configuration and the certificate of the authority that signed for `localhost`: rustls takes no authority's own
/// certificate for a server's.
fn certificates() -> (Arc<ServerConfig>, String) {
    let mut authority = CertificateParams::default();
    // OpenSSL takes a certificate whose issuer has its own name for a self-signed one.
    authority.distinguished_name.push(DnType::CommonName, "Authority of a benchmark");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority =
        CertifiedIssuer::self_signed(authority, KeyPair::generate().expect("a key")).expect("a CA");
    let key = KeyPair::generate().expect("a key");
    let leaf = CertificateParams::new(["localhost".to_owned()]).expect("a name");
    let leaf = leaf.signed_by(&key, &authority).expect("a certificate");
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], key)
        .expect("a certificate");
    (Arc::new(config), authority.pem())
}

type Inspect = Box<dyn FnMut(&[u8]) + Send>;
type Connection = TlsStream<InspectWriter<InspectReader<TcpStream, Inspect>, Inspect>>;

async fn accept(tcp: TcpListener, tls: TlsAcceptor, traffic: Arc<Traffic>, ready: mpsc::Sender<Connection>) {
    while let Ok((stream, _)) = tcp.accept().await {
        stream.set_nodelay(true).expect("an option");
        let count = || -> Inspect {
            let traffic = Arc::clone(&traffic);
            Box::new(move |bytes| {
                traffic.bytes.fetch_add(bytes.len() as u64, Ordering::Relaxed);
            })
        };
        let stream = InspectWriter::new(InspectReader::new(stream, count()), count());
        traffic.connections.fetch_add(1, Ordering::Relaxed);
        let (tls, ready) = (tls.clone(), ready.clone());
        tokio::spawn(async move {
            if let Ok(stream) = tls.accept(stream).await {
                let _ = ready.send(stream).await;
            }
        });
    }
}

struct Connections(mpsc::Receiver<Connection>);

impl Listener for Connections {
    type Io = Connection;
    type Addr = ();

    async fn accept(&mut self) -> (Connection, ()) {
        match self.0.recv().await {
            Some(connection) => (connection, ()),
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> std::io::Result<()> {
        Ok(())
    }
}

async fn answer(State(traffic): State<Arc<Traffic>>, headers: HeaderMap, uri: Uri, body: String) -> String {
    traffic.calls.fetch_add(1, Ordering::Relaxed);
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default();
    let request: Value = serde_json::from_str(&body).unwrap_or_default();
    let answer = if uri.path() == "/v2/email/outbound-emails" {
        json!({"MessageId": "message"})
    } else if target.ends_with(".GetItem") && request["Key"]["email"].is_object() {
        json!({"Item": {"email": {"S": KNOWN}}})
    } else {
        json!({})
    };
    answer.to_string()
}
